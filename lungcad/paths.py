"""Every path once, for the library, the pages and the command line alike.

What comes with lungcad lies in the checkout, or, installed from a wheel, inside the package; there it is only read. Commands write to the
checkout, or, installed, below the folder they are called in.
"""

import os
import secrets
import tempfile
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
IS_CHECKOUT = (_PACKAGE.parent / "streamlit_app.py").is_file()
SHIPPED = _PACKAGE.parent if IS_CHECKOUT else _PACKAGE / "_app"
"""Holds streamlit_app.py, pages/, weights/ and data/."""
WORK = SHIPPED if IS_CHECKOUT else Path()
"""Where commands write: data sets that are fetched, checkpoints, runs, weights."""

APP = SHIPPED / "streamlit_app.py"
WEIGHTS = SHIPPED / "weights"
RUNS = Path(os.environ.get("LUNGCAD_RUNS") or SHIPPED / "data" / "runs")
"""Evaluation runs; the environment variable LUNGCAD_RUNS names another folder."""
TRUST = SHIPPED / "data" / "trust"
INDEX = SHIPPED / "data" / "index"
TRUTH = SHIPPED / "data" / "truth"
"""How the trust checks fare on networks of which it is known what they use."""
REGION_RUNS = SHIPPED / "data" / "regions"
"""What is left of the networks' answers without the lungs."""
SERIES = SHIPPED / "data" / "series"
"""How slices are pooled to the answer for a series, and how that was chosen."""
CONCEPTS = SHIPPED / "data" / "concepts"
"""How close concept networks come to the readers."""
TAUGHT = SHIPPED / "data" / "taught"
"""What a gate that was taught the readers' contours brings on nodules, and what makes nodule networks better."""
TCAV = CONCEPTS / "tcav"
"""Concept activation vectors of ordinary nodule networks, and whether their answers depend on them."""
LAB = SHIPPED / "data" / "lab"
"""The lab's frozen features of its usual pictures, and its stored table."""
LAB_CACHE = WORK / "data" / "lab-cache"
"""Features of other pictures that the lab has drawn; bounded, safe to delete."""
BACKEND_CACHE = WORK / "data" / "backend-cache"
"""Networks written for other runtimes than torch, and how fast those are here; safe to delete."""
GATE = SHIPPED / "data" / "gate"
"""What is fitted for each network to know when not to answer."""
AUDITS = SHIPPED / "data" / "audits"
EXAMPLES = SHIPPED / "data" / "examples"
DATA = WORK / "data"
"""Where published data sets are fetched to."""
CHECKPOINTS = WORK / "runs"
"""Checkpoints and logs of trainings."""
_DATA_ELSEWHERE = os.environ.get("LUNGCAD_DATA")
DATA_PLACES = (Path(_DATA_ELSEWHERE),) if _DATA_ELSEWHERE else (DATA, SHIPPED.parent / "shared" / "data")
"""Where published data sets are looked for, in this order; the environment variable LUNGCAD_DATA names another folder that holds them, and the only one."""

DROPPED = Path(tempfile.gettempdir()) / f"lungcad-private-{secrets.token_hex(8)}"
"""What visitors drop into this server's pages; made when it is needed, gone with the server. Nobody can guess its name."""


def to_write(path: Path) -> Path:
    """Where a command writes what lungcad reads at ``path``: the same place, except that nothing is written into an installed package."""
    return WORK / path.relative_to(SHIPPED) if path.is_relative_to(SHIPPED) else path
