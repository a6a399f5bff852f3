"""The command line: ``python -m lungcad models|predict|explain|trust|trust-tables|index|train|tune|evaluate|audit|data|runs|bench``.

Results go to standard output (clean JSON with ``--json``), progress and messages to standard error. Bad input ends with
one sentence and exit status 2.
"""

import sys

from lungcad.cli import data, images, runs, training, trust  # noqa: F401  each registers its commands
from lungcad.cli.common import app, complain
from lungcad.errors import LungcadError

app.info.help = __doc__


def main() -> None:
    """Run the command line; user errors become one sentence on standard error and exit status 2."""
    try:
        app()
    except LungcadError as error:
        complain(str(error))
        sys.exit(2)
    except KeyboardInterrupt:
        complain("Stopped.")
        sys.exit(130)
