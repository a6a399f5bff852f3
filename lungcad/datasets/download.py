"""Fetches a published data set into ``data/``: with progress, resumable, checked, unpacked safely."""

import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import requests

from lungcad.datasets.dataset import Dataset
from lungcad.datasets.folders import ImageFolder
from lungcad.datasets.listing import SUFFIXES
from lungcad.errors import DatasetError
from lungcad.paths import DATA
from lungcad.progress import Progress

CHUNK = 1 << 20
MOST_BYTES = 20 << 30
"""Refuse to unpack more than this."""


def download(dataset: Dataset, *, root: Path = DATA, on_progress: Progress | None = None) -> Path:
    """Fetch from the publisher and unpack to ``root/FOLDER``; a second call resumes a part that was fetched. The folder.

    Raises :class:`DatasetError` when there is no internet, the archive is damaged or unsafe, or the publisher asks for another way.
    """
    if dataset.is_made:
        raise DatasetError(f"{dataset.title} are drawn here, not fetched: python -m lungcad data make {dataset.name}.")
    target = root / dataset.folder
    if target.is_dir() and any(target.iterdir()):
        raise DatasetError(f"{target} is already there; delete it to fetch {dataset.name} anew.")
    source = dataset.download
    if source.kaggle:
        return _from_kaggle(dataset, source.kaggle, target)
    if source.url:
        archive = root / f"{dataset.folder}.zip.part"
        fetch(source.url, archive, dataset.title, on_progress)
        unpack(archive, target)
        archive.unlink()
        return _checked(dataset, target)
    raise DatasetError(
        f"{dataset.title} cannot be fetched as one file: its publisher ({dataset.publisher}) serves whole CT series: "
        f"python -m lungcad data download lidc-idri --patients 3 fetches some. Cut the nodules as its nodules.csv describes and put them in {target}."
    )


def fetch(url: str, path: Path, what: str, on_progress: Progress | None = None) -> None:
    """Download to ``path``, going on where an earlier try ended."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = path.stat().st_size if path.exists() else 0
    try:
        with requests.get(url, stream=True, timeout=30, headers={"Range": f"bytes={done}-"} if done else {}) as answer:
            if answer.status_code == 416:  # nothing is left to fetch
                return
            answer.raise_for_status()
            resumed = answer.status_code == 206
            done = done if resumed else 0
            total = done + int(answer.headers.get("Content-Length", 0))
            with path.open("ab" if resumed else "wb") as file:
                for chunk in answer.iter_content(CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    if on_progress:
                        on_progress(done, max(total, done))
    except requests.RequestException as error:
        raise DatasetError(
            f"{what} could not be fetched from {url.split('/')[2]} ({type(error).__name__}); it needs internet access. The same "
            "command resumes."
        ) from None
    except OSError as error:
        raise DatasetError(f"{what} could not be written to {str(path.parent)!r} ({error.strerror}); the same command resumes.") from None
    if total > done:
        raise DatasetError(f"{what}: only {done} of {total} bytes came; the same command resumes.")


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip archive, archives inside it too; nothing outside ``target`` is written, and all or nothing appears."""
    staging = target.with_name(target.name + ".unpacking")
    shutil.rmtree(staging, ignore_errors=True)
    try:
        _unpack_into(archive, staging)
        for inner in list(staging.rglob("*.zip")):
            _unpack_into(inner, inner.with_suffix(""))
            inner.unlink()
    # zipfile raises RuntimeError for an encrypted or unknown compression, EOFError and zlib.error for a stream that is cut or broken
    except (zipfile.BadZipFile, EOFError, RuntimeError, zlib.error):
        archive.unlink(missing_ok=True)
        raise DatasetError("The archive that came is damaged, encrypted or no zip file; it was deleted, fetch it again.") from None
    else:
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _unpack_into(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        members = zipped.infolist()
        if sum(member.file_size for member in members) > MOST_BYTES:
            raise DatasetError(f"The archive would unpack to more than {MOST_BYTES >> 30} GB and was refused.")
        for member in members:
            name = PurePosixPath(member.filename.replace("\\", "/"))
            if name.is_absolute() or ".." in name.parts or ":" in member.filename:
                raise DatasetError("The archive holds a file that points outside its folder and was refused.")
        if fault := zipped.testzip():
            raise zipfile.BadZipFile(fault)
        zipped.extractall(folder)


def _from_kaggle(dataset: Dataset, handle: str, target: Path) -> Path:
    """kagglehub shows its own progress bar, resumes and checks; the folder appears under its name when all of it is there."""
    import kagglehub

    partial = target.with_name(target.name + ".part")
    try:
        kagglehub.dataset_download(handle, output_dir=str(partial))
    except Exception as error:  # kagglehub raises whatever its HTTP library does
        raise DatasetError(
            f"{dataset.title} could not be fetched from Kaggle ({type(error).__name__}); it needs internet access and, for some data sets, "
            "a Kaggle token (KAGGLE_API_TOKEN). The same command resumes."
        ) from None
    partial.rename(target)
    return _checked(dataset, target)


def _checked(dataset: Dataset, target: Path) -> Path:
    """The folder, when it is laid out as expected."""
    if not dataset.read_cases(ImageFolder.open(target)).cases:
        n_images = sum(path.suffix.lower() in SUFFIXES for path in target.rglob("*"))
        raise DatasetError(
            f"{target} holds {n_images} images, but none where {dataset.name} keeps them; the publisher may have changed its layout."
        )
    return target
