"""The command that answers over HTTP: serve."""

import ipaddress
import logging
import os
from typing import Annotated

import typer

from lungcad.allocator import tune_allocator
from lungcad.cli.common import app, complain
from lungcad.errors import LungcadError


@app.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on. Any other than this computer's own (say 0.0.0.0) opens lungcad to other computers.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8600,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name by which the server may be addressed, * for any; may be given again. By default its own."),
    ] = None,
    max_upload_mib: Annotated[int, typer.Option(min=1, max=200, help="Largest upload of one slice.")] = 64,
    max_series_mib: Annotated[
        int, typer.Option(min=1, max=2048, help="Largest upload of a series; two of that size may wait in memory.")
    ] = 256,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="After which a request is given up.")] = 120,
) -> None:
    """Answer over HTTP: /v1/predict, /v1/explain, /v1/trust, /v1/volume, /v1/models, /v1/runs, /health, /metrics; the schema is /openapi.json.

    With the environment variable LUNGCAD_API_KEY set, callers must send it in the header X-API-Key.
    """
    tune_allocator()  # before any thread
    import uvicorn

    from lungcad.api.app import create_app
    from lungcad.api.protocol import HeadWithinTime
    from lungcad.api.settings import KEY, Settings

    key = os.environ.get(KEY) or None
    if key is not None and len(key) < 16:
        raise LungcadError(f"The key in {KEY} is shorter than 16 characters; take a longer one, say from: openssl rand -hex 16.")
    if not _is_own(host) and key is None:
        complain(f"listening on {host} without a key: everybody who reaches this port gets answers; set {KEY} to ask for one.")
    names = Settings.hosts if _is_own(host) else ("*",)
    settings = Settings(
        max_upload_bytes=max_upload_mib * 2**20,
        max_series_bytes=max_series_mib * 2**20,
        max_series_bytes_at_once=2 * max_series_mib * 2**20,
        seconds=seconds,
        api_key=key,
        hosts=tuple(name.lower() for name in allow_host or names),
    )
    log = logging.getLogger("lungcad.api")
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.INFO)
    uvicorn.run(
        create_app(settings),
        host=host,
        port=port,
        http=HeadWithinTime,
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_keep_alive=15,
    )


def _is_own(host: str) -> bool:
    """Whether only this computer reaches the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
