"""The command line: ``python -m lungcad COMMAND``; ``--help`` lists the commands.

Results go to standard output (clean JSON with ``--json``), progress and messages to standard error. Bad input ends with
one sentence and exit status 2.
"""

import errno
import os
import sys

from lungcad.cli import (  # noqa: F401  each registers its commands
    backends,
    batch,
    bench,
    concepts,
    data,
    deidentify,
    export,
    gate,
    groups,
    images,
    lab,
    models,
    regions,
    report,
    runs,
    serve,
    start,
    taught,
    tcav,
    training,
    trust,
    truth,
    volume_marked,
    volumes,
)
from lungcad.cli.common import app, complain
from lungcad.errors import LungcadError
from lungcad.names import printable

app.info.help = __doc__


def main() -> None:
    """Run the command line; user errors become one sentence on standard error and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal's encoding lacks stops nothing
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except LungcadError as error:
        complain(str(error))
        sys.exit(2)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            if error.filename is None or not error.strerror:
                raise
            name = printable(os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else str(error.filename)
            complain(f"{name if len(name) <= 200 else f'{name[:80]}…{name[-80:]}'}: {error.strerror}; check the path and its permissions.")
            sys.exit(2)
        _close_output()
        complain("The disk is full, so the output was cut short; free some space and run this again.")
        sys.exit(2)
    except KeyboardInterrupt:
        complain("Stopped.")
        sys.exit(130)


def _close_output() -> None:
    """What could not be written is dropped, so that the interpreter does not try again as it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
