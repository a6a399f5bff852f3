"""What made a report: date and versions."""

from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from lungcad import __version__

NAMED = ("torch", "numpy", "pydicom", "opencv-python-headless")
"""Libraries on which a number may hang."""


def today() -> str:
    """ISO, UTC."""
    return datetime.now(UTC).date().isoformat()


def versions() -> str:
    """Of lungcad and of the libraries that a number may hang on."""
    return ", ".join([f"lungcad {__version__}", *filter(None, map(_version, NAMED))])


def _version(package: str) -> str:
    try:
        return f"{package.removesuffix('-python-headless')} {version(package)}"
    except PackageNotFoundError:
        return ""
