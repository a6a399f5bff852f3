"""``data/load-batch.json``, the tables made of it in ``.github/docs/batch.md``, and from them what ten million slices would take."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lungcad.files import write_whole
from tests.load.server import ROOT

RECORD, PAGE = ROOT / "data" / "load-batch.json", ROOT / ".github" / "docs" / "batch.md"
BEGIN, END = "<!-- made by: python -m tests.load.batch table -->\n", "<!-- end -->\n"
SLICES, CORES, PRICE = 10_000_000, 64, 0.05
"""Of the extrapolation: slices, cores, and US dollars for an hour of one core, which is assumed, not measured."""
Facts = Mapping[str, Any]


def keep(found: Facts) -> None:
    """The record, whole."""
    write_whole(RECORD, json.dumps(found, indent=1) + "\n")


def write() -> None:
    """The tables, between their marks."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    write_whole(PAGE, before + BEGIN + "\n" + tables(json.loads(RECORD.read_text("utf-8"))) + "\n" + END + rest.partition(END)[2])


def tables(found: Facts) -> str:
    """Markdown."""
    runs, plans = found["runs"], found["plans"]
    same = (
        "the same rows, bit for bit, from `local` and from `ray` with one and with two workers"
        if found["same_rows"]
        else "**different rows**"
    )
    asked = f"python -m tests.load.batch --speed {found['asked']['speed']} --images {' '.join(map(str, found['asked']['images']))} --write"
    pixels, distinct = found["pixels"], found["distinct"]
    intro = (
        f"`{asked}`: {found['machine']}; `{found['model']}`, phantoms of {pixels} × {pixels} pixels ({distinct} different ones, named again and again), "
        f"{found['shard']} a shard; two nodes of one core each on loopback; {same}. Images a second from the first finished shard to the last."
    )
    columns = [
        "engine",
        "workers",
        "images",
        "images a second",
        "CPU seconds an image",
        "until the first shard, s",
        "driver, MiB",
        "largest worker, MiB",
        "faults",
        "load average",
    ]
    cells = [_cells(run) for run in [*runs, *found["cut_short"]]]
    listed = [[f"{plan['images']:,}", plan["seconds"], plan["grown_mib"]] for plan in plans]
    two = [run for run in runs if run["workers"] == 2]
    growth = f"Memory of the largest of two workers: {_growth(two)}; where images are cut short, {_growth(found['cut_short'])}."
    return "\n\n".join([
        intro, _table(columns, cells), growth, _table(["listing: images", "s", "memory grown by, MiB"], listed),
        f"**{SLICES:,} slices**, extrapolated from these points by the same command:", _table(["what", "figure", "from"], extrapolated(runs, plans)),
    ]) + "\n"  # fmt: skip


def _cells(run: Facts) -> list[object]:
    return [
        run["engine"], run["workers"], f"{run['images']:,}{' cut short' if run['faults'] == run['images'] else ''}", run["images_per_second"],
        run["cpu_seconds_an_image"], run["seconds_to_first_shard"], run["driver_mib"], run["worker_mib"] or "", run["faults"], run["load_average"],
    ]  # fmt: skip


def extrapolated(runs: Sequence[Facts], plans: Sequence[Facts]) -> list[list[object]]:
    """Rows of what, figure, from. Straight lines: time and disk by the image, memory by the growth between the two largest lists."""
    two = [run for run in runs if run["workers"] == 2]
    largest = max(two, key=lambda run: run["images"])
    core_hours = SLICES * largest["cpu_seconds_an_image"] / 3600
    small, large = plans[-2:]
    a_image = (large["grown_mib"] - small["grown_mib"]) / (large["images"] - small["images"])
    return [
        ["work", f"{core_hours:,.0f} core hours", f"{largest['cpu_seconds_an_image']} CPU seconds an image, two workers"],
        [
            f"time on {CORES} such cores",
            f"{core_hours / CORES:,.1f} hours",
            "workers that share nothing but the disk, which was not tried beyond two",
        ],
        [
            f"the same at the speed of this busy machine, {CORES} workers",
            f"{SLICES / (largest['images_per_second'] / 2) / 3600 / CORES:,.1f} hours",
            f"{largest['images_per_second'] / 2:.2f} images a second and worker",
        ],
        ["money", f"{core_hours * PRICE:,.0f} US dollars", f"{PRICE} dollars a core hour, assumed"],
        ["listing", f"{SLICES * large['seconds'] / large['images'] / 60:,.1f} minutes", f"the list of {large['images']:,}"],
        [
            "memory of the driver",
            f"{max(run['driver_mib'] for run in two) + SLICES * a_image:,.0f} MiB",
            "its largest, and the list's growth",
        ],
        ["memory of a worker", f"{largest['worker_mib']:,} MiB", f"that of {largest['images']:,} images"],
        ["rows on the disk", f"{SLICES * largest['bytes_a_row'] / 2**30:,.1f} GiB", f"{largest['bytes_a_row']} bytes a row"],
    ]


def _table(columns: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _growth(runs: Sequence[Facts]) -> str:
    small, large = (choose(runs, key=lambda run: run["images"]) for choose in (min, max))
    return f"{large['worker_mib'] / small['worker_mib'] - 1:+.1%} from {small['images']:,} to {large['images']:,}"
