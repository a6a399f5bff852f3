"""What networks make of the readers' nodules in two series of LIDC-IDRI, as data/series/README.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lungcad.stored_json import read_json

Row = Mapping[str, Any]


FOLDERS = """The folders are those of the computer that made the tables; `python -m lungcad data download lidc-idri` leaves each patient's in
`data/lidc-idri-dicom/`. The tables say how many slices each held: a folder with more of them gives other positions. Another processor may change a last digit."""
POSITIONS = """Up to 10 positions a series; one hits a nodule when it lies within the nodule's radius of its middle (LUNA16's rule). Where the gate declines most
slices there is no answer and no position; the last column tells what showing it anyway would have given. None of these networks was trained to find
nodules in whole series."""
MAPS = """Grad-CAM of the crop around each nodule's middle, whatever the gate says; inside: share of its positive evidence inside the contour of at least half
of the nodule's readers on that slice; control: the better of a random and a centred map. Where the patient was in the network's training, its answer is no
test of it."""

OPENING = """`LUNGCAD_TIMINGS=write python -m pytest -s tests/e2e/test_volume_browser.py -k 300_slices` drops them as a zip on a server that has shown the
example, and keeps what it measured in [`opening.json`](opening.json). Reading alone is the row `open_series` of [`../bench.md`](../bench.md)."""
AIM_SECONDS, AIM_MIB = 5, 1536
OPENING_FILE, MARKED_FILE = "opening.json", "marked.json"


def series_readme(folder: Path) -> str:
    """The text of data/series/README.md, of the rows that are stored in the folder."""
    marked = read_json(folder / MARKED_FILE)
    rows: Sequence[Row] = marked["rows"]
    networks = dict.fromkeys(row["network"] for row in rows)
    command = f"python -m lungcad volume-marked {' '.join(marked['folders'])} --models {','.join(networks)}"
    return "\n".join(
        [
            "# Whole series",
            "",
            "How the slices of a series are pooled, and how that was chosen: [`pooling.json`](pooling.json) (`python -m lungcad volume-pooling`).",
            "",
            f"The readers' nodules of series of LIDC-IDRI and what networks make of them ([`marked.json`](marked.json)), by `{command}`.",
            FOLDERS,
            "",
            "## Do the ranked positions of the slice networks hit the nodules?",
            "",
            POSITIONS,
            "",
            *_hits(rows),
            "",
            "## What the nodule networks say, and where their maps lie",
            "",
            MAPS,
            "",
            *_nodules(rows),
            "",
            "## How 300 slices open and scroll on the page",
            "",
            OPENING,
            "",
            *_opening(read_json(folder / OPENING_FILE) if (folder / OPENING_FILE).is_file() else None),
            "",
        ]
    )


def _opening(row: Row | None) -> list[str]:
    if row is None:
        return ["Not measured."]
    grown = row["server_most_mib"] - row["server_before_mib"]
    missed = [f"{AIM_SECONDS} s"] if row["drawn_s"] > AIM_SECONDS else []
    missed += [f"{AIM_MIB} MiB"] if row["server_most_mib"] > AIM_MIB else []
    return [
        "| measured | load average before | drawn after the drop, s | of the server's processor, s | server before, MiB | at most, MiB | browser's heap, MiB "
        "| frames a second |",
        "|---|---|---|---|---|---|---|---|",
        f"| {row['date']} | {row['load_average']} | {row['drawn_s']} | {row['server_cpu_s']} | {row['server_before_mib']} | {row['server_most_mib']} "
        f"| {row['heap_mib']} | {row['frames_per_second']} |",
        "",
        f"Aims: {AIM_SECONDS} s and {AIM_MIB} MiB in all; {'missed: ' + ' and '.join(missed) if missed else 'both reached'}. The dropped zip, its voxels and the "
        f"work on them take {grown} MiB on top of what the server holds anyway. Chromium had no graphics card.",
    ]


def _hits(rows: Sequence[Row]) -> list[str]:
    lines = ["| series | network | slices read | declined | nodules hit | shown anyway |", "|---|---|---|---|---|---|"]
    for row in rows:
        if "hits" in row:
            kept = _n_hit(row["hits"]) if row["has_answer"] else "no answer"
            read = f"{row['slices_read']} of {row['slices']} | {row['slices_declined']}"
            lines.append(f"| {row['series']} | `{row['network']}` | {read} | {kept} | {_n_hit(row['hits_anyway'])} |")
    return lines


def _n_hit(hits: Mapping[str, int | None]) -> str:
    found = [f"{label} by {rank}" for label, rank in hits.items() if rank]
    return f"{len(found)} of {len(hits)}" + (f" ({', '.join(found)})" if found else "")


def _nodules(rows: Sequence[Row]) -> list[str]:
    lines = [
        "| series | nodule | diameter | malignancy, by readers | network | patient in training | gate | says | inside | control | peak |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        seen = {True: "yes", False: "no", None: "not known"}[row.get("in_training")]
        for each in row.get("nodules", ()):
            scores = " ".join(map(str, each["malignancy_by_reader"]))
            measured = each["energy_inside"] is not None
            where = (
                f"{each['energy_inside']:.3f} | {each['energy_inside_of_control']:.3f} | {'inside' if each['peak_inside'] > 0.5 else 'outside'}"
                if measured
                else "– | – | –"
            )
            said = f"{each['class']} ({each['probabilities'][each['class']]:.2f})"
            lines.append(
                f"| {row['series']} | {each['label']} | {each['diameter_mm']} mm | {scores} | `{row['network']}` | {seen} | {each['gate']} | {said} | {where} |"
            )
        if mean := row.get("mean"):
            inside, control, n = mean
            lines.append(f"| {row['series']} | mean of {n} | | | `{row['network']}` | {seen} | | | {inside:.3f} | {control:.3f} | |")
    return lines
