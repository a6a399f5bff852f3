"""What lungcad knows about a published data set, and the table of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lungcad.datasets.case import Case, Split
from lungcad.datasets.fingerprint import Fingerprint
from lungcad.datasets.folders import ImageFolder, LabelledFolder
from lungcad.errors import DatasetError
from lungcad.names import printable
from lungcad.paths import DATA_PLACES
from lungcad.registry import Registry

DATASETS: Registry["Dataset"] = Registry("data set")


@dataclass(frozen=True)
class Task:
    """One question asked of a data set.

    labels: published label -> class; cases whose label is not in it are left out. negative: the class that an operating point
    calls negative, or None where there is no such class. ordinal: the classes are grades, from the first to the last.
    votes: share of the readers for each class, of any case of the data set, where several readers labelled it.
    """

    name: str
    classes: tuple[str, ...]
    labels: Mapping[str, str]
    negative: str | None
    ordinal: bool = False
    votes: Callable[[Case], tuple[float, ...]] | None = None


@dataclass(frozen=True)
class Download:
    """kaggle: the handle of a Kaggle data set, or url: a zip archive that the publisher serves over HTTPS."""

    kaggle: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Dataset:
    """folder: its name under ``data/``. tasks: the first is the usual one.

    shares: (train, valid, test) of the random split that papers use, None where the publisher gives the parts.
    read_cases: folder -> every case with its published label. group: one name a case, from the cases and their fingerprints; grouping says in words how.
    limits: what a result on it cannot say. is_histology: coloured microscope tiles instead of CT.
    crop_side: its images are crops of a lesion of so many pixels, None for whole slices. class_titles: class -> how it is written for people,
    where that is not the name itself. is_made: lungcad draws it (``data make``); nobody publishes it.
    """

    name: str
    title: str
    publisher: str
    licence: str
    citation: str
    folder: str
    tasks: tuple[Task, ...]
    shares: tuple[float, float, float] | None
    read_cases: Callable[[ImageFolder], LabelledFolder]
    group: Callable[[Sequence[Case], Sequence[Fingerprint | None]], list[str]]
    grouping: str
    limits: str
    download: Download
    is_histology: bool = False
    crop_side: int | None = None
    class_titles: Mapping[str, str] = field(default_factory=dict)
    is_made: bool = False

    @property
    def is_of_slices(self) -> bool:
        """Whether its images are whole CT slices, which have an up and a left; crops of a lesion and tissue tiles have none."""
        return not (self.is_histology or self.crop_side)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of its usual task."""
        return self.tasks[0].classes

    def task(self, name: str | None = None) -> Task:
        """The task of that name; the usual one for None."""
        for task in self.tasks:
            if name in (None, task.name):
                return task
        raise DatasetError(f"The data set {self.name} has no task {name!r}; it has: {', '.join(task.name for task in self.tasks)}.")

    def task_with(self, classes: tuple[str, ...]) -> Task | None:
        """The task with exactly these classes."""
        return next((task for task in self.tasks if task.classes == classes), None)

    def locate(self) -> Path:
        """The data set's folder on this machine: ``data/FOLDER`` in the project, or ``../shared/data/FOLDER`` beside it."""
        for place in DATA_PLACES:
            if (place / self.folder).is_dir():
                return place / self.folder
        if self.is_made:
            raise DatasetError(
                f"{self.title} are not on this machine yet; draw them with 'python -m lungcad data make {self.name}' (minutes)."
            )
        raise DatasetError(
            f"{self.title} is not on this machine; fetch it with 'python -m lungcad data download {self.name}' ({self.publisher}), "
            "or say where it is with --data."
        )

    def read(self, folder: str | Path, task: str | None = None) -> list[Case]:
        """Every case that the task has a class for, sorted by id. Raises :class:`DatasetError` when there is none."""
        return self.read_folder(folder, task).cases

    def read_folder(
        self, folder: str | Path, task: str | None = None, parts: Mapping[str, Split] | None = None, *, with_unclassed: bool = False
    ) -> LabelledFolder:
        """:meth:`read`, with what must be known of how the folder was read. parts: folder -> part, for names that lungcad does not know.

        with_unclassed: also the cases that the task has no class for, with their published label.
        """
        chosen = self.task(task)
        images = ImageFolder.open(folder, parts)
        labelled = self.read_cases(images)
        cases = [replace(case, label=chosen.labels[case.label]) for case in labelled.cases if case.label in chosen.labels]
        if not cases:
            missing = (
                f"The folder {printable(folder)!r} holds no images laid out as {self.name}; it needs a folder or a label for each class "
                f"({', '.join(chosen.classes)}), as published."
            )
            raise DatasetError(" ".join([missing, *images.listing.sentences]))
        if with_unclassed:
            cases += [case for case in labelled.cases if case.label not in chosen.labels]
        return replace(labelled, cases=sorted(cases, key=lambda case: case.id), layout=self.name)


def register(dataset: Dataset) -> Dataset:
    """Put a data set into :data:`DATASETS`."""
    return DATASETS.add(dataset.name, dataset)


def of_split(cases: list[Case], split: Split) -> list[Case]:
    """The cases of that split; all of them when the folder has no parts."""
    if all(case.split is None for case in cases):
        return cases
    return [case for case in cases if case.split is split]


def class_title(name: str) -> str:
    """A class's name as a data set writes it for people; any other name stays letter by letter ("1.0" is not "1 0")."""
    return next((dataset.class_titles[name] for dataset in DATASETS.values() if name in dataset.class_titles), name)


def is_made(name: str) -> bool:
    """Whether the data set of that name is drawn by lungcad: there is no patient in it."""
    dataset = DATASETS.get(name)
    return dataset is not None and dataset.is_made
