"""Reads data sets that are published as folders of images, one folder a class, perhaps inside train, valid and test."""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lungcad.datasets.case import Case, Split
from lungcad.datasets.folds import check_folds, fold_of, is_fold
from lungcad.datasets.listing import Listing, list_images
from lungcad.datasets.parts import named_part, part_of, recognised
from lungcad.errors import DatasetError
from lungcad.names import printable, same_name

NO_CLASS = "(no class)"
Folders = tuple[str, ...]
"""The names of the folders from the root to a file, without the root's own."""


@dataclass(frozen=True)
class LabelledFolder:
    """cases: sorted by id. notes: what a reader must know of how the folder was read, a sentence each. not_looked_at: why -> number of
    files.

    unknown_parts: folders that hold the same classes and may be parts that the user should name. layout: the known data set it is laid out
    as, or None.
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
    """A folder's images, and which of its folders are which part.

    named: folder -> part, as the user says (:mod:`~lungcad.datasets.parts`).
    """

    listing: Listing
    named: Mapping[str, Split] = field(default_factory=dict)

    @classmethod
    def open(cls, root: str | Path, named: Mapping[str, Split] | None = None) -> "ImageFolder":
        """Raises :class:`DatasetError` for a folder that is not there, or where a named part is none of its folders."""
        folder = cls(list_images(root), named or {})
        for name in folder.named:
            if not any(named_part(path, {name: Split.TRAIN}) for path in folder.paths):
                top_folders = ", ".join(sorted({printable("/".join(path[:1])) for path in folder.paths if path})[:8]) or "none"
                raise DatasetError(
                    f"There is no folder {printable(name)!r} with images in {printable(root)!r}; its folders: {top_folders}."
                )
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
        """Folder -> (depth of the folder that is the part, the part): the innermost that the user named, else the innermost that is
        called like one.
        """
        part_by_folder = {}
        for path in self.paths:
            by_name = ((depth, self.synonyms[name]) for depth, name in reversed(list(enumerate(path))) if name in self.synonyms)
            if part := named_part(path, self.named) or next(by_name, None):
                part_by_folder[path] = part
        return part_by_folder

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

    def labelled(self, files: Sequence[LabelledFile], notes: Sequence[str] = ()) -> LabelledFolder:
        """Labels that differ only in case or in Unicode's form become one: the commonest spelling. notes: of whoever labelled the files."""
        spelling = {key: _spelling(spellings) for key, spellings in spellings_of(files).items()}
        cases = [
            self.listing.case(labelled_file.file, spelling[same_name(labelled_file.label)], self.split(labelled_file.file))
            for labelled_file in files
        ]
        return LabelledFolder(
            sorted(cases, key=lambda case: case.id),
            (*notes, *self.notes(files)),
            self.listing.not_looked_at,
            tuple(self.unknown_parts(files)),
        )

    def notes(self, labelled: Sequence[LabelledFile]) -> list[str]:
        """What a reader must know of how the folder was read, a sentence each."""
        sentences = []
        images_by_part = Counter(split for labelled_file in labelled if (split := self.split(labelled_file.file)))
        folder_names = {
            split: sorted({printable(path[depth]) for path, (depth, part_split) in self.parts.items() if part_split is split})
            for split in images_by_part
        }
        if any(names and names != [str(split)] for split, names in folder_names.items()):
            sentences.append(
                "Parts: " + "; ".join(f"{split} is {shortened(names)}" for split, names in sorted(folder_names.items()) if names) + "."
            )
        if n := sum(
            len({self.synonyms[name] for name in _folders(labelled_file.file) if name in self.synonyms}) > 1 for labelled_file in labelled
        ):
            sentences.append(
                f"{n} images stand below folders of two parts; the inner one was taken. Name the parts (--parts "
                "FOLDER=train,...) where that is wrong."
            )
        if n := sum(labelled_file.label == NO_CLASS and self.split(labelled_file.file) is not None for labelled_file in labelled):
            sentences.append(
                f"{n} images stand in a part's folder itself, so they have no class; where such a folder is a class, give it another name."
            )
        if taken_together := self.folds(labelled):
            sentences.append(
                f"The parts of {shortened([repr(printable(name)) for name in taken_together])} were taken together; where these are data sets or splits of "
                "their own, give one of them."
            )
        unknown = self.unknown_parts(labelled)
        if unknown and images_by_part:
            example = ",".join(f"{name}=test" for name in unknown)
            sentences.append(
                f"The class folders stand under {shortened([repr(name) for name in unknown])} too, which is no part by its name: no leak from or to it is "
                f"looked for, and it is no test part. Name it: --parts {example!r}."
            )
        elif unknown:
            example = ",".join(f"{name}={part}" for name, part in zip(unknown, ("train", "test"), strict=False))
            sentences.append(
                f"The same class folders stand under {shortened([repr(name) for name in unknown])}, and which of them trains and which "
                "tests is not known: no leak "
                f"between them is looked for, and an evaluation may include training images. Name them: --parts {example!r}."
            )
        elif images_by_part and (n := len(labelled) - sum(images_by_part.values())):
            sentences.append(f"{n} images stand in no part.")
        merged = [sorted({printable(name) for name in spellings}) for spellings in spellings_of(labelled).values() if len(spellings) > 1]
        if merged:
            sentences.append("Spellings of one class were merged: " + "; ".join(" and ".join(map(repr, names)) for names in merged) + ".")
        return [*sentences, *self.listing.sentences]

    def folds(self, labelled: Sequence[LabelledFile]) -> list[str]:
        """Folders with parts of their own that were taken together; raises :class:`DatasetError` for those of a cross-validation."""
        of_parts = []
        for labelled_file in labelled:
            path = _folders(labelled_file.file)
            if (part := self.parts.get(path)) is not None:
                names = self.without_parts(labelled_file.file)
                inside = [name for name in names[len(labelled_file.above) :] if not is_fold(name)]
                fold = fold_of(names, labelled_file.above, path[part[0]])
                of_parts.append((labelled_file.file, fold, "/".join([*inside, labelled_file.file.split("/")[-1]]), part[1]))
        return check_folds(self.listing.root, of_parts)

    def unknown_parts(self, labelled: Sequence[LabelledFile]) -> list[str]:
        """Folders that are no known part and hold the same classes as another of them or as a part; empty where there are none."""
        classes: dict[Folders, set[str]] = {}
        of_parts: set[str] = set()
        for labelled_file in labelled:
            if labelled_file.label == NO_CLASS:
                continue
            name = same_name(labelled_file.label)
            if self.split(labelled_file.file):
                of_parts.add(name)
            else:
                classes.setdefault(labelled_file.above, set()).add(name)
        folders_by_class = Counter(name for names in (*classes.values(), of_parts) for name in names)
        candidates = [above for above, names in classes.items() if any(folders_by_class[name] > 1 for name in names)]
        if of_parts:  # what lies beside the parts cannot be named by a folder
            candidates = [above for above in candidates if above]
        elif len(candidates) < 2:
            return []
        return sorted(printable("/".join(above)) if above else "the folder itself" for above in candidates)


def spellings_of(labelled: Sequence[LabelledFile]) -> dict[str, Counter[str]]:
    """Class by its compared form -> spellings with the number of their images."""
    spellings_by_class: dict[str, Counter[str]] = {}
    for labelled_file in labelled:
        spellings_by_class.setdefault(same_name(labelled_file.label), Counter())[labelled_file.label] += 1
    return spellings_by_class


def _spelling(spellings: Counter[str]) -> str:
    return printable(unicodedata.normalize("NFC", min(spellings, key=lambda name: (-spellings[name], name))))


def _folders(file: str) -> Folders:
    return tuple(file.split("/")[:-1])


def shortened(names: Sequence[str], most: int = 6) -> str:
    """The first names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
