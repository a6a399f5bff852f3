"""The report of a data set: what its audit found, copies side by side, what trivial baselines reach, and the split that is safe to use."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lungcad.datasets import DATASETS, Dataset, Protocol, class_title
from lungcad.datasets.audit import CHECKS, Audit
from lungcad.errors import LungcadError
from lungcad.evaluate.metric import Level
from lungcad.evaluate.metric_table import metrics_of
from lungcad.evaluate.scoring import baselines
from lungcad.evaluate.stores.runs import read_experiments
from lungcad.imaging import read_image
from lungcad.names import path_of_id
from lungcad.report.document import Block, Code, Document, Facts, Picture, Pictures, Section, Table, Text, Tone
from lungcad.report.provenance import today, versions

PAIRS = 6
"""Pairs of copies that are drawn."""
SIDE = 240
"""Pixels of the longer side of a drawn copy."""
GROUPS = 8
"""Groups that are listed by name."""


def dataset_document(
    audit: Audit,
    *,
    dataset: Dataset | None = None,
    counts: Mapping[str, Any] | None = None,
    folder: Path | None = None,
    audited_on: str | None = None,
    date: str | None = None,
) -> Document:
    """dataset: which published one it is. counts: as :func:`~lungcad.datasets.info.describe`. folder: of its images, for the copies; without it they are named.

    audited_on: ISO, when that was not today.
    """
    title = dataset.title if dataset else "A folder of one's own"
    sections = [
        Section(
            "Images",
            [Table(("Class", "Images"), [(class_title(name), str(n)) for name, n in audit.n_by_class.items()], (3, 1)), *_notes(audit)],
        ),
        Section("What the audit found", _findings(audit)),
        Section("Copies side by side", _copies(audit, folder)),
        Section("What trivial baselines reach", _baselines(dataset)),
        Section("The split that is safe to use", _split(dataset, counts)),
        *([Section("About the data set", _about(dataset))] if dataset else []),
        Section("How to repeat this", [Code(_command(dataset)), Text(versions(), Tone.NOTE)]),
    ]
    leaking = ", ".join(f"{share:.0%} of {split}" for split, share in audit.leak_share.items() if share)
    leaked = (
        [Text(f"An accuracy measured on this split is too good: {leaking} copy a training image, or nearly do.", Tone.WARNING)]
        if leaking
        else []
    )
    return Document(
        f"Audit: {title}",
        f"{audit.n_images} images · split: {audit.split} · audited on {audited_on or today()}",
        date or today(),
        sections,
        leaked,
    )


def _notes(audit: Audit) -> list[Block]:
    return [Text(note, Tone.NOTE) for note in audit.notes]


def _findings(audit: Audit) -> list[Block]:
    rows = [
        (check.question, f"{audit.scores[name]:.2f}", "\n".join(check.say(audit.findings)) or "nothing found")
        for name, check in CHECKS.items()
    ]
    return [
        Table(("Question", "Score", "Finding"), rows, (1.3, 0.4, 3)),
        Text("Score: 0, nothing found, to 1.", Tone.NOTE),
    ]


def _copies(audit: Audit, folder: Path | None) -> list[Block]:
    """Pairs as pictures where the images are here, leaks between parts first; else groups by name."""
    pairs = sorted(
        (pair for pair in audit.copy_pairs if pair["kind"] == "copy"), key=lambda pair: (not pair["counts_as_leak"], pair["first"])
    )
    if not pairs and not audit.duplicate_groups:
        return [Text("No copies were found.")]
    blocks: list[Block] = [
        Text(f"{len(pairs)} pairs show one picture; the {min(len(pairs), PAIRS)} drawn first lie on two sides of a split where any do.")
    ]
    shown = [pictures for number, pair in enumerate(pairs[:PAIRS], 1) if folder and (pictures := _pair(number, pair, folder))]
    drawn = [
        Pictures([picture for pair in shown[at : at + 2] for picture in pair], (0.25,) * 2 * len(shown[at : at + 2]))
        for at in range(0, len(shown), 2)
    ]
    if drawn:
        return [*blocks, *drawn]
    groups = [
        (f"{len(group)} images", "\n".join(group[:4]) + ("\n…" if len(group) > 4 else "")) for group in audit.duplicate_groups[:GROUPS]
    ]
    return [
        *blocks[: int(bool(pairs))],
        Table(("Groups of copies", "Files"), groups, (1, 4)),
        Text(f"{len(audit.duplicate_groups)} groups in all; pictures are drawn where the images are on the machine.", Tone.NOTE),
    ]


def _pair(number: int, pair: Mapping[str, Any], folder: Path) -> list[Picture]:
    """Two images; none where one is not there."""
    captions = (f"{number}: {pair['first']}", f"{number}, {pair['transform']}, overlap {pair['overlap']:.0%}: {pair['second']}")
    try:
        images = [_thumbnail(path_of_id(folder, pair[which])) for which in ("first", "second")]
    except (LungcadError, OSError):
        return []
    return [Picture(image, caption, f"image {caption}") for image, caption in zip(images, captions, strict=True)]


def _thumbnail(path: Path) -> bytes:
    image = read_image(path)
    picture = Image.fromarray((image.rgb() * 255 + 0.5).astype(np.uint8))
    picture.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _baselines(dataset: Dataset | None) -> list[Block]:
    """Of the stored runs on this data set: one that holds baselines, under each protocol."""
    if dataset is None:
        return [
            Text(
                "Not known: lungcad has no evaluation run on this folder. An audit's metadata check above says what the files alone give away."
            )
        ]
    runs = [
        run
        for run in read_experiments(on_fault=lambda _: None)
        if run.facts["dataset"] == dataset.name and run.facts.get("task") == dataset.task().name
        and run.baselines is not None and "fold" not in run.predictions
    ]  # fmt: skip
    blocks: list[Block] = []
    for protocol in Protocol:
        run = next((each for each in runs if each.facts.get("protocol") == protocol), None)
        if run is None:
            continue
        values = baselines(run)
        metrics = [metric.name for metric in metrics_of(Level.SUMMARY) if all(metric.name in each for each in values.values())]
        rows = [(name, *(str(each[metric]) for metric in metrics)) for name, each in values.items()]
        blocks.append(Table((f"{protocol} split", *metrics), rows, caption=f"On the {len(run.test)} test cases of the run {run.name}"))
    if not blocks:
        return [Text("Not known: there is no stored evaluation run with baselines.")]
    return [*blocks, Text("A network must beat these by more than their intervals to have learnt something of the disease.", Tone.NOTE)]


def _split(dataset: Dataset | None, counts: Mapping[str, Any] | None) -> list[Block]:
    if dataset is None or counts is None:
        return [
            Text(
                "Not known for a folder that is laid out as no known data set: keep all images of one patient, and all copies found above, in one part. "
                "The groups of copies in the audit's JSON say which belong together."
            )
        ]
    blocks: list[Block] = []
    for name, protocol in counts["protocols"].items():
        columns = ("", *(class_title(label) for label in counts["classes"]), "Groups", "Copies of a published training image")
        rows = [
            (
                part["split"],
                *(str(part["by_class"][label]) for label in counts["classes"]),
                str(part["groups"]),
                str(part["copies_of_training"]),
            )
            for part in protocol["parts"]
        ]
        blocks += [Text(f"{name}: {protocol['split']}.", Tone.PLAIN), Table(columns, rows, dense=True)]
    return [Text("Use the grouped split.", Tone.LEAD), Text(_why(dataset, counts)), *blocks]


def _why(dataset: Dataset, counts: Mapping[str, Any]) -> str:
    """Copies are marked against every published training image, those that the grouped split leaves out too (:mod:`lungcad.datasets.splits`)."""
    copies = {name: sum(part["copies_of_training"] for part in protocol["parts"]) for name, protocol in counts["protocols"].items()}
    sentences = f"No group and no copy lies on both sides of it ({dataset.grouping})."
    if published := copies.get(Protocol.PUBLISHED):
        sentences += f" The published split validates and tests on {published} copies of its training images."
    if marked := copies.get(Protocol.GROUPED):
        sentences += f" {marked} images that the grouped one validates or tests on copy a published training image; those training images are left out of it."
    return sentences


def _about(dataset: Dataset) -> Sequence[Block]:
    rows = [("Publisher", dataset.publisher), ("Licence", dataset.licence), ("Cite", dataset.citation), ("Groups", dataset.grouping)]
    return [Facts(rows), Text(f"Limits: {dataset.limits}", Tone.WARNING)]


def _command(dataset: Dataset | None) -> str:
    if dataset is None or dataset.name not in DATASETS:
        return "python -m lungcad report dataset FOLDER --out FOLDER"
    return f"python -m lungcad report dataset {dataset.name} --out FOLDER\npython -m lungcad train RECIPE --data FOLDER --protocol {Protocol.GROUPED}"
