"""The command that starts the app."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from lungcad.allocator import ONE_HEAP
from lungcad.cli.common import app
from lungcad.errors import LungcadError
from lungcad.names import printable
from lungcad.paths import APP

FOLDERS = "LUNGCAD_FOLDERS"
"""Environment variable that the app reads: folders that its visitors may open by their path, divided as in PATH."""


@app.command("app", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def start_app(
    streamlit: typer.Context,
    host: Annotated[
        str, typer.Option(help="Address to listen on. Any other than this computer's own (say 0.0.0.0) opens lungcad to other computers.")
    ] = "localhost",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; by default 8501, or the next that is free.")
    ] = None,
    folders: Annotated[
        list[Path] | None,
        typer.Option(help="A folder whose contents visitors may open by path; may be given again. Without it: any, on this computer only."),
    ] = None,
) -> None:
    """Start the app in a browser. Streamlit's own options are passed on, say --server.headless true."""
    if not APP.is_file():
        raise LungcadError("The pages of lungcad are missing from this installation; install it again.")
    environment = ONE_HEAP | dict(os.environ)  # Streamlit starts threads before any code of lungcad runs
    for folder in folders or ():
        if not folder.is_dir():
            raise LungcadError(f"There is no folder {printable(str(folder))!r} to share; name one that is there.")
    if folders:
        environment[FOLDERS] = os.pathsep.join(str(folder.resolve()) for folder in folders)
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.address", host]
    command += [*(("--server.port", str(port)) if port is not None else ()), *streamlit.args]
    if os.name == "posix":
        os.execve(sys.executable, command, environment)  # noqa: S606  the server takes this process's place, and its signals  # nosec B606
    raise typer.Exit(subprocess.run(command, env=environment, check=False).returncode)
