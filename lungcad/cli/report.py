"""Commands that write reports: report cases, report dataset, report run; and what ``explain --report`` and ``--dicom`` write."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lungcad.cli.common import app, complain, progress
from lungcad.errors import LungcadError
from lungcad.files import check_can_make, check_can_write, whole_file, write_whole
from lungcad.names import printable
from lungcad.paths import RUNS

if TYPE_CHECKING:
    from lungcad.analysis import Analysis
    from lungcad.explain import Options
    from lungcad.models import TrainedModel
    from lungcad.report.case import Case

report_app = typer.Typer(no_args_is_help=True, help="Reports as PDF and as one HTML file.")
app.add_typer(report_app, name="report")

Formats = Annotated[str, typer.Option("--format", help="pdf, html or both with a comma between.")]
Folder = Annotated[Path, typer.Option("--out", help="Folder to write into; made where it is not there.")]


@dataclass(frozen=True)
class CaseOutputs:
    """What ``--report`` and ``--dicom`` write into the folder ``--out``. source: the DICOM file that the objects refer to."""

    folder: Path | None
    formats: list[str]
    kinds: list[str]
    source: bytes | None

    @classmethod
    def of(cls, image: Path, out: Path | None, report: str | None, dicom: str | None) -> "CaseOutputs":
        """Asked before any work. Raises :class:`LungcadError` for what cannot be made of this image, or written there."""
        formats, kinds = wanted(report, dicom, out)
        if out is None or not (formats or kinds):
            return cls(None, [], [], None)
        from lungcad.imaging.io import read_file
        from lungcad.report.dicom.header import check_plane, source_header

        source = read_file(image) if kinds else None
        if source is not None:
            header = source_header(source)
            if not {"pm", "seg"}.isdisjoint(kinds):
                check_plane(header)
        return cls(_folder(out), formats, kinds, source)

    def write(self, result: "Analysis", network: "TrainedModel", method: str, options: "Options") -> list[str]:
        """The paths written. Of an answer that is hidden no DICOM object is made, which is said."""
        if self.folder is None:
            return []
        from lungcad.report.gather import gathered, installed_partner

        case = gathered(result, network, method, options, partner=None if result.is_hidden else installed_partner(network.card))
        files = _report_files(case, self.formats)
        if self.kinds and result.is_hidden:
            complain("the gate declined the image, so no DICOM object was made; --show-anyway makes them all the same")
        elif self.source is not None:
            from lungcad.report.dicom.explained import ExplainedSlice
            from lungcad.report.dicom.table import dicom_objects

            made = dicom_objects(self.kinds, [ExplainedSlice.of(self.source, case)])
            for note in made.notes:
                complain(note)
            files |= made.files(case.name)
        return write_files(files, self.folder)


def wanted(report: str | None, dicom: str | None, out: Path | None) -> tuple[list[str], list[str]]:
    """(formats of the report, kinds of DICOM objects) that the options name. Raises :class:`LungcadError` for another, or without a folder."""
    if report is None and dicom is None:
        return [], []
    if out is None:
        raise LungcadError("Name a folder with --out for what --report and --dicom write.")
    from lungcad.report.formats import DICOM_OBJECTS, FORMATS, chosen

    formats = chosen(report, FORMATS, "report format") if report is not None else []
    return formats, chosen(dicom, DICOM_OBJECTS, "DICOM object") if dicom is not None else []


def _folder(out: Path) -> Path:
    if out.suffix.lower() == ".png":
        raise LungcadError(f"With --report or --dicom, --out names a folder; '{printable(out)[-200:]}' ends like a picture.")
    check_can_make(out)
    return out


def write_files(files: Mapping[str, bytes], folder: Path) -> list[str]:
    """Each whole or not at all; the paths, to be printed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_whole(folder / name, content)
    return [printable(folder / name) for name in files]


def _report_files(case: "Case", formats: list[str]) -> dict[str, bytes]:
    """File name -> content of a case's report."""
    from lungcad.report.case import case_document
    from lungcad.report.formats import rendered

    return rendered(case_document(case), case.name, formats) if formats else {}


@report_app.command("cases")
def report_cases(
    images: list[Path],
    model: Annotated[str, typer.Option(help="A name that `models` lists.")],
    out: Annotated[Path, typer.Option(help="ZIP file: a report of every image.")],
    method: Annotated[str, typer.Option(help="Of the heat map; a wrong name lists them all.")] = "gradcam",
    formats: Formats = "pdf",
    show_anyway: Annotated[bool, typer.Option("--show-anyway", help="Show answers that the gate declined; the reports say so.")] = False,
) -> None:
    """Explain images and put a report of each into one zip. What cannot be read is left out and said (exit status 2)."""
    from lungcad.analysis import analyse
    from lungcad.models import load_model
    from lungcad.report.formats import FORMATS, add_to_zip, chosen
    from lungcad.report.gather import gathered, installed_partner

    if out.suffix.lower() != ".zip":
        raise LungcadError(f"The output file '{printable(out)[-200:]}' must end in .zip.")
    check_can_write(out)
    names, network, n_failed = chosen(formats, FORMATS, "report format"), load_model(model), 0
    partner = installed_partner(network.card)
    with progress("reports") as on_progress, whole_file(out) as file, zipfile.ZipFile(file, "w") as archive:
        for index, path in enumerate(images):
            on_progress(index, len(images))
            try:
                result = analyse(str(path), network, methods=[method], show_anyway=show_anyway)
            except LungcadError as error:
                complain(f"{printable(path)[-300:]}: {error}")
                n_failed += 1
                continue
            add_to_zip(archive, _report_files(gathered(result, network, method, partner=partner), names))
        written = len(archive.namelist())
        if not written:
            raise LungcadError("None of the images has a report, so no zip was written.")
    print(f"{printable(out)}: {written} files")
    if n_failed:
        raise typer.Exit(2)


@report_app.command("run")
def report_run(
    name: Annotated[str, typer.Argument(help="An evaluation run that `runs list` lists.")],
    out: Folder,
    formats: Formats = "pdf,html",
    runs: Annotated[Path, typer.Option(help="Folder of evaluation runs.")] = RUNS,
) -> None:
    """One page about an evaluation run: metrics beside trivial baselines, errors, split, seeds, hashes, and the commands that repeat it."""
    from lungcad.evaluate.stores.runs import read_run
    from lungcad.report.formats import FORMATS, chosen, rendered
    from lungcad.report.run import run_document

    names = chosen(formats, FORMATS, "report format")
    check_can_make(out)
    run = read_run(name, runs)
    for path in write_files(rendered(run_document(run), f"lungcad-run-{run.name}", names), out):
        print(path)


@report_app.command("dataset")
def report_dataset(
    data: Annotated[str, typer.Argument(help="The name of a known data set, or a folder of images.")],
    out: Folder,
    formats: Formats = "pdf,html",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Audit a known data set's images again; by default its stored audit is used.")
    ] = False,
) -> None:
    """What an audit found, copies side by side, trivial baselines, and the split that is safe to use. A folder is audited first."""
    from lungcad.report.audited import audited
    from lungcad.report.formats import FORMATS, chosen, rendered

    names = chosen(formats, FORMATS, "report format")
    check_can_make(out)
    with progress("reading images") as on_progress:
        document, stem = audited(data, fresh=fresh, on_progress=on_progress)
    for path in write_files(rendered(document, stem, names), out):
        print(path)
