"""Commands about readers' nodules: volume-marked, and what ``volume --point marked`` prints."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lungcad.cli.common import app, complain, names_in, print_json, print_table, progress, table_of
from lungcad.files import check_can_make, write_whole
from lungcad.paths import SERIES, to_write

if TYPE_CHECKING:
    from lungcad.series.marked import MarkedReading

DEFAULT = "chest-efficientnet-lite0-gate,iq-efficientnet-lite0-soft,lidc-efficientnet-lite0,lidc-efficientnet-lite0-soft"


def say_marked(readings: "Sequence[MarkedReading]", written: Sequence[str], *, as_json: bool) -> None:
    """A row a nodule, then the mean share of the maps' evidence inside the contours."""
    from lungcad.series.marked import marked_report, mean_energy

    if as_json:
        print_json(marked_report(readings))
        return
    table = table_of("nodule", "slice", "diameter", "malignancy, by readers", "network", "map inside", "control", "its peak")
    for each in readings:
        check, answer = each.localisation, each.reading.answer
        said = "declined" if answer.is_hidden else f"{answer.prediction.label} ({answer.prediction.confidence:.0%})"
        measured = ("–", "–", "–")
        if check:
            measured = (f"{check.value:.0%}", f"{check.control:.0%}", "inside" if check.numbers["pointing"] > 0.5 else "outside")
        place = (each.nodule.label, str(each.reading.slice_index + 1), f"{each.nodule.diameter_mm:.1f} mm")
        table.add_row(*place, " ".join(map(str, each.nodule.malignancy)), said, *measured)
    print_table(table)
    if mean := mean_energy(readings):
        inside, control, n = mean
        print(
            f"{inside:.0%} of the maps' evidence lies inside the contours of {n} nodules; {control:.0%} of the better control's (a random or a centred map)."
        )
    if declined := sum(each.reading.answer.is_hidden for each in readings):
        complain(f"the gate declined {declined} of {len(readings)} crops; --show-anyway shows their answers all the same")
    for name in written:
        print(f"  {name}")


@app.command("volume-marked")
def volume_marked(
    folders: Annotated[
        list[Path], typer.Argument(help="Series with readers' marks beside them, as `data download lidc-idri` leaves them.")
    ],
    models: Annotated[str, typer.Option(help="Networks of slices or of nodules, with commas between.")] = DEFAULT,
    out: Annotated[Path, typer.Option(help="Where marked.json and README.md go.")] = to_write(SERIES),
) -> None:
    """What networks make of the nodules that readers marked in whole series; keeps it with its tables."""
    from lungcad.models import load_model
    from lungcad.publish.series_tables import MARKED_FILE, series_readme
    from lungcad.series.marked_table import marked_rows

    check_can_make(out)
    networks = [load_model(name) for name in names_in(models)]
    with progress("networks") as on_progress:
        rows = marked_rows(folders, networks, on_progress)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(
        out / MARKED_FILE,
        (json.dumps({"folders": [folder.as_posix() for folder in folders], "rows": rows}, indent=1, allow_nan=False) + "\n").encode(),
    )
    text = series_readme(out)
    write_whole(out / "README.md", text)
    print(text)
