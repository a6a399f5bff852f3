"""Folders of a user's own, made for a test."""

from collections import Counter
from pathlib import Path

from lungcad.datasets.layouts import read_folder
from lungcad.imaging import Window
from lungcad.imaging.phantom import make_phantom

SLICES = [make_phantom(seed, size=64) for seed in range(10)]


def put(root: Path, place: str, index: int = 0) -> Path:
    """A small picture at a place of the folder."""
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(SLICES[index].png(Window.preset("lung")))
    return path


def counts(root: Path, **how) -> Counter:
    """(part, class) -> images."""
    return Counter((case.split and str(case.split), case.label) for case in read_folder(root, **how).cases)
