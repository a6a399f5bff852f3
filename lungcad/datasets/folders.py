"""Reads data sets that are published as folders of images, one folder a class, perhaps inside train, valid and test."""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lungcad.datasets.case import Case, Split
from lungcad.datasets.listing import Listing, list_images
from lungcad.datasets.parts import named_part, part_of, recognised
from lungcad.errors import DatasetError
from lungcad.names import printable, same_name

NO_CLASS = "(no class)"
Folders = tuple[str, ...]
"""The names of the folders from the root to a file, without the root's own."""


@dataclass(frozen=True)
class LabelledFolder:
    """cases: sorted by id. notes: what a reader must know of how the folder was read, a sentence each. not_looked_at: why -> number of files.

    unknown_parts: folders that hold the same classes and may be parts that the user should name. layout: the known data set it is laid out as, or None.
    """

    cases: list[Case]
    notes: tuple[str, ...] = ()
    not_looked_at: Mapping[str, int] = field(default_factory=dict)
    unknown_parts: tuple[str, ...] = ()
    layout: str | None = None


@dataclass(frozen=True)
class LabelledFile:
    """label: a class, as the folder spells it. above: the folders above the one that gave the label, without parts."""

    file: str
    label: str
    above: Folders


@dataclass(frozen=True, eq=False)
class ImageFolder:
    """A folder's images and which of its folders are which part. named: folder -> part, as the user says (:mod:`~lungcad.datasets.parts`)."""

    listing: Listing
    named: Mapping[str, Split] = field(default_factory=dict)

    @classmethod
    def open(cls, root: str | Path, named: Mapping[str, Split] | None = None) -> "ImageFolder":
        """Raises :class:`DatasetError` for a folder that is not there, or where a named part is none of its folders."""
        folder = cls(list_images(root), named or {})
        for name in folder.named:
            if not any(named_part(each, {name: Split.TRAIN}) for each in folder.paths):
                there = ", ".join(sorted({printable("/".join(each[:1])) for each in folder.paths if each})[:8]) or "none"
                raise DatasetError(f"There is no folder {printable(name)!r} with images in {printable(root)!r}; its folders: {there}.")
        return folder

    @cached_property
    def paths(self) -> set[Folders]:
        """Every folder that holds an image."""
        return {_folders(file) for file in self.listing.files}

    @cached_property
    def synonyms(self) -> dict[str, Split]:
        """Folder name -> part, of the names that mean one."""
        return recognised(name for path in self.paths for name in path)

    @cached_property
    def parts(self) -> dict[Folders, tuple[int, Split]]:
        """Folder -> (depth of the folder that is the part, the part): the innermost that the user named, else the innermost that is called like one."""
        found = {}
        for path in self.paths:
            by_name = ((depth, self.synonyms[name]) for depth, name in reversed(list(enumerate(path))) if name in self.synonyms)
            if part := named_part(path, self.named) or next(by_name, None):
                found[path] = part
        return found

    @cached_property
    def root_part(self) -> Split | None:
        """The part that the root's own name means, where no folder in it is one."""
        return None if self.parts else part_of(self.listing.root.absolute().name, short=False)

    def split(self, file: str) -> Split | None:
        """The part that a file stands in."""
        part = self.parts.get(_folders(file))
        return part[1] if part else self.root_part

    def without_parts(self, file: str) -> Folders:
        """The folders of a file that are no part."""
        path = _folders(file)
        part = self.parts.get(path)
        return tuple(name for depth, name in enumerate(path) if name not in self.synonyms and not (part and depth == part[0]))

    def labelled(self, files: Sequence[LabelledFile], said: Sequence[str] = ()) -> LabelledFolder:
        """Labels that differ only in case or in Unicode's form become one: the commonest spelling. said: notes of whoever labelled the files."""
        spelling = {key: _spelling(spellings) for key, spellings in spellings_of(files).items()}
        cases = [self.listing.case(each.file, spelling[same_name(each.label)], self.split(each.file)) for each in files]
        return LabelledFolder(
            sorted(cases, key=lambda case: case.id),
            (*said, *self.notes(files)),
            self.listing.not_looked_at,
            tuple(self.unknown_parts(files)),
        )

    def notes(self, labelled: Sequence[LabelledFile]) -> list[str]:
        """What a reader must know of how the folder was read, a sentence each."""
        said = []
        of_part = Counter(split for each in labelled if (split := self.split(each.file)))
        called = {
            split: sorted({printable(path[depth]) for path, (depth, each) in self.parts.items() if each is split}) for split in of_part
        }
        if any(names and names != [str(split)] for split, names in called.items()):
            said.append("Parts: " + "; ".join(f"{split} is {_listed(names)}" for split, names in sorted(called.items()) if names) + ".")
        if n := sum(len({self.synonyms[name] for name in _folders(each.file) if name in self.synonyms}) > 1 for each in labelled):
            said.append(
                f"{n} images stand below folders of two parts; the inner one was taken. Name the parts (--parts FOLDER=train,...) where that is wrong."
            )
        if unknown := self.unknown_parts(labelled):
            example = ",".join(f"{name}={part}" for name, part in zip(unknown, ("train", "test"), strict=False))
            said.append(
                f"The same class folders stand under {_listed([repr(name) for name in unknown])}, and which of them trains and which tests is not known: no leak "
                f"between them is looked for, and an evaluation may include training images. Name them: --parts {example!r}."
            )
        elif of_part and (n := len(labelled) - sum(of_part.values())):
            said.append(f"{n} images stand in no part.")
        merged = [sorted({printable(name) for name in each}) for each in spellings_of(labelled).values() if len(each) > 1]
        if merged:
            said.append("Spellings of one class were merged: " + "; ".join(" and ".join(map(repr, names)) for names in merged) + ".")
        return [*said, *self.listing.sentences]

    def unknown_parts(self, labelled: Sequence[LabelledFile]) -> list[str]:
        """Folders that hold the same classes and are no known part; empty where there are not several."""
        classes: dict[Folders, set[str]] = {}
        for each in labelled:
            if each.label != NO_CLASS and not self.split(each.file):
                classes.setdefault(each.above, set()).add(same_name(each.label))
        seen = Counter(name for names in classes.values() for name in names)
        tops = [above for above, names in classes.items() if any(seen[name] > 1 for name in names)]
        return sorted(printable("/".join(above)) if above else "the folder itself" for above in tops) if len(tops) > 1 else []


def by_prefixes(folder: ImageFolder, prefixes: Mapping[str, tuple[str, ...]]) -> list[LabelledFile]:
    """Files whose folders mean a class; the innermost folder that does decides.

    prefixes: class -> beginnings of the folder names that mean it (lower case): ``adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib`` is
    an adenocarcinoma, ``Bengin cases`` are benign.
    """
    found = []
    for file in folder.listing.files:
        names = folder.without_parts(file)
        for depth in reversed(range(len(names))):
            if label := _label_of(names[depth], prefixes):
                found.append(LabelledFile(file, label, names[:depth]))
                break
    return found


def read_class_folders(folder: ImageFolder, prefixes: Mapping[str, tuple[str, ...]]) -> LabelledFolder:
    """Class folders at any depth, perhaps inside parts (:func:`by_prefixes`)."""
    labelled = by_prefixes(folder, prefixes)
    without = len(folder.listing.files) - len(labelled)
    said = [f"{without} images stand in no folder of a class ({', '.join(prefixes)}) and were left out."] if without else []
    return folder.labelled(labelled, said)


def read_nearest_folders(folder: ImageFolder) -> LabelledFolder:
    """Every file of a folder of no known layout.

    Its class is the nearest folder that is no part; the outermost where the nearest ones are names with numbers, each inside one class only (patients).
    """
    paths = {file: folder.without_parts(file) for file in folder.listing.files}
    shared = _common(list(paths.values()))
    inner: dict[str, set[str]] = {}
    for path in paths.values():
        if len(path) > shared + 1:
            inner.setdefault(path[-1], set()).add(path[shared])
    outer = {path[shared] for path in paths.values() if len(path) > shared}
    numbered = sum(any(map(str.isdigit, name)) for name in inner) >= 0.8 * len(inner)
    patients = len(outer) > 1 and len(inner) > len(outer) and numbered and all(len(each) == 1 for each in inner.values())
    same_inside = len(outer) > 1 and len(inner) == 1 and all(len(path) > shared + 1 for path in paths.values())
    said = []
    if patients or same_inside:
        said.append(
            f"The classes are taken from the outer folders ({_listed(sorted(map(printable, outer)))}), the folders in them for patients or series."
        )
    labelled = []
    for file, path in paths.items():
        depth = shared if (patients or same_inside) and len(path) > shared else len(path) - 1
        labelled.append(LabelledFile(file, path[depth] if path else NO_CLASS, path[:depth] if path else ()))
    return folder.labelled(labelled, said)


def spellings_of(labelled: Sequence[LabelledFile]) -> dict[str, Counter[str]]:
    """Class by its compared form -> spellings with the number of their images."""
    found: dict[str, Counter[str]] = {}
    for each in labelled:
        found.setdefault(same_name(each.label), Counter())[each.label] += 1
    return found


def _spelling(spellings: Counter[str]) -> str:
    return printable(unicodedata.normalize("NFC", min(spellings, key=lambda name: (-spellings[name], name))))


def _folders(file: str) -> Folders:
    return tuple(file.split("/")[:-1])


def _common(paths: Sequence[Folders]) -> int:
    """How many outer folders all paths share, less one where nothing would be left."""
    shortest = min(map(len, paths), default=0)
    n = next((depth for depth in range(shortest) if len({path[depth] for path in paths}) > 1), shortest)
    return n if any(len(path) > n for path in paths) else max(n - 1, 0)


def _listed(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _label_of(folder: str, prefixes: Mapping[str, tuple[str, ...]]) -> str | None:
    lowered = same_name(folder)
    return next((name for name, beginnings in prefixes.items() if lowered.startswith(beginnings)), None)
