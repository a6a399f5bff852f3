"""The image files of a folder, and what was not looked at: links are followed, files that a system leaves behind are left out."""

import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lungcad.datasets.case import Case, Split
from lungcad.errors import DatasetError
from lungcad.imaging import looks_like_image
from lungcad.names import case_id, printable

SUFFIXES = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".dcm", ".dicom"}
"""Of files that are taken for images without a look inside; every other file is told by its first bytes."""
LEFT_BEHIND = {
    "__macosx",
    "@eadir",
    "#recycle",
    "#snapshot",
    "@recycle",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "__pycache__",
    "ipynb_checkpoints",
    "checkpoints",
}
"""Folders of macOS, network drives, Windows and notebooks, in lower case.

Hidden ones (``.git``, ``.ipynb_checkpoints``) are left out too.
"""
MOST_VISITS = 4
"""Times that one folder is entered, under whatever names links give it."""
HEAD = 512
"""First bytes that tell an image."""

NO_IMAGE, HIDDEN, BROKEN, CLOSED, LOOP = (
    "no image by their first bytes",
    "hidden, or left behind by a system",
    "broken links or no ordinary files",
    "not to be opened (permission)",
    "links that lead back (loops)",
)


@dataclass(frozen=True)
class Listing:
    """files: relative to the root, with ``/``, sorted. not_looked_at: why -> number of files (of links, for loops; of files or folders,
    without permission).

    kinds: suffix -> number of the files that are no image by their first bytes. barren: folders below which no image is, the uppermost of
    each.
    """

    root: Path
    files: tuple[str, ...]
    not_looked_at: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)
    barren: tuple[str, ...] = ()

    def case(self, file: str, label: str, split: Split | None) -> Case:
        """A case of one of its files."""
        return Case(case_id(file), self.root / file, label, split)

    @property
    def sentences(self) -> list[str]:
        """What was not looked at, for a person; empty where nothing was left out."""
        total = sum(self.not_looked_at.values())
        kinds = ", ".join(f"{n} {kind}" for kind, n in Counter(self.kinds).most_common(4))
        reasons = [f"{n} {why}" + (f" ({kinds})" if why == NO_IMAGE and kinds else "") for why, n in self.not_looked_at.items()]
        sentences = [] if not total else [f"{total} file{'s' if total > 1 else ''} not looked at: {'; '.join(reasons)}."]
        if self.barren:
            names = ", ".join(repr(printable(name)) for name in self.barren[:4]) + (" and others" if len(self.barren) > 4 else "")
            sentences.append(f"No image that lungcad reads is in {names}.")
        return sentences


def list_images(root: str | Path) -> Listing:
    """Every image file below a folder. Raises :class:`DatasetError` where it is none, or may not be opened."""
    walk = ImageWalk(root)
    return walk.listing(sorted(walk))


def _folders_above(root: Path) -> tuple[tuple[int, int], ...]:
    """Device and inode of the folders that hold the root: a link to one of them, to ``/`` for instance, leads back as well."""
    identities = []
    for folder in root.resolve().parents:
        try:
            facts = folder.stat()
        except OSError:
            continue
        identities.append((facts.st_dev, facts.st_ino))
    return tuple(identities)


class ImageWalk:
    """One walk over a folder, file by file, each folder sorted; counts what it leaves out. Raises as :func:`list_images`."""

    def __init__(self, root: str | Path) -> None:
        self.root = root = Path(root)
        try:
            os.listdir(root)
        except (FileNotFoundError, NotADirectoryError):
            raise DatasetError(f"There is no folder {printable(root)!r}; give a folder of images with a folder for each class.") from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "its name holds a NUL character"
            raise DatasetError(f"The folder {printable(root)[:200]!r} cannot be opened ({reason}); check the path.") from None
        self.left_out = dict.fromkeys((NO_IMAGE, HIDDEN, BROKEN, CLOSED, LOOP), 0)
        self.kinds: Counter[str] = Counter()
        self.barren: list[str] = []
        self._visits: Counter[tuple[int, int]] = Counter()

    def __iter__(self) -> Iterator[str]:
        """Paths relative to the root, with ``/``."""
        return self._images(os.fspath(self.root), "", _folders_above(self.root))

    def listing(self, files: Sequence[str] = ()) -> Listing:
        """What was found, once the walk has ended; files: those to keep in it."""
        return Listing(self.root, tuple(files), {why: n for why, n in self.left_out.items() if n}, dict(self.kinds), tuple(self.barren))

    def _images(self, folder: str, below: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
        """above: device and inode of the folders that hold this one, by which a link that leads back is told."""
        try:
            facts = os.stat(folder)
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            self.left_out[CLOSED if isinstance(error, PermissionError) else BROKEN] += 1
            return
        own = facts.st_dev, facts.st_ino
        self._visits[own] += 1
        if own in above or self._visits[own] > MOST_VISITS:
            self.left_out[LOOP] += 1
            return
        has_image, inner = False, len(self.barren)
        for entry in entries:
            name = below + entry.name
            hidden = entry.name.startswith(".") or entry.name.lower() in LEFT_BEHIND
            try:
                mode = entry.stat().st_mode
            except OSError as error:
                self.left_out[HIDDEN if hidden else CLOSED if isinstance(error, PermissionError) else BROKEN] += 1
                continue
            if stat.S_ISDIR(mode):
                if hidden:
                    self.left_out[HIDDEN] += sum(len(names) for _, _, names in os.walk(entry.path))
                else:
                    for image in self._images(entry.path, f"{name}/", (*above, own)):
                        has_image = True
                        yield image
            elif hidden:
                self.left_out[HIDDEN] += 1
            elif not stat.S_ISREG(mode):
                self.left_out[BROKEN] += 1
            elif Path(entry.name).suffix.lower() in SUFFIXES or self._is_image(entry):
                has_image = True
                yield name
        if not has_image and below:
            self.barren[inner:] = [below.rstrip("/")]

    def _is_image(self, entry: os.DirEntry[str]) -> bool:
        try:
            with open(entry.path, "rb") as file:
                head = file.read(HEAD)
        except OSError:
            self.left_out[CLOSED] += 1
            return False
        if looks_like_image(head) and entry.name.upper() != "DICOMDIR":
            return True
        self.left_out[NO_IMAGE] += 1
        suffix = Path(entry.name).suffix.lower()
        self.kinds[printable(suffix) if 1 < len(suffix) <= 8 else "without a usual suffix"] += 1
        return False
