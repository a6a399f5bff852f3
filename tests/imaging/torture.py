"""Images that packages carry to test themselves, and that nobody here wrote: where they lie, and what reading each comes to.

``python -m tests.imaging.torture [SDIST.tar.gz …]`` reads those of the installed packages, and of source archives, say of Pillow's, which has the most:
``pip download --no-deps --no-binary :all: pillow pypng``. It prints a table and ends with status 1 where one is neither read nor refused in a sentence.
"""

import argparse
import importlib.util
import sys
import tarfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lungcad.errors import LungcadError
from lungcad.imaging import read_image
from lungcad.imaging.volume import load, study_in_memory
from lungcad.unpack import Limits

PACKAGES = {
    "pydicom": "data",
    "nibabel": "tests/data",
    "skimage": "data",
    "sklearn": "datasets/images",
    "matplotlib": "mpl-data",
    "imageio": ".",
    "networkx": ".",
}
"""Installed package -> its folder that holds such files."""
PICTURES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".jp2", ".j2k", ".avif", ".gif", ".dcm", ".pgm", ".ppm", ".pbm", ".pnm", ".pam", ".pfm",
            ".ico", ".icns", ".tga", ".psd", ".fli", ".eps", ".sgi", ".dds", ".pcx", ".im", ".msp", ".spider", ".xbm", ".xpm", ".ras", ".sun", ".bw",
            ".rgb",
            ".nii", ".mgz", ".mnc", ".img", ".hdr", ".par", ".rec", ".gz", ".npy", ".mat", ".zip", ".fits", ".heic",
            ".qoi", ".blp", ".cur", ".ftex", ".mpo", ""}  # fmt: skip
LARGEST = 64 << 20
SECONDS = 25.0
"""Of processor time for one file: reading ends after 20, but for one call into C."""
LIMITS = Limits(total=64 << 20, files=500, seconds=20)


@dataclass(frozen=True)
class Came:
    """outcome: read, refused, or how it failed."""

    package: str
    file: str
    outcome: str
    seconds: float


def installed() -> Iterator[tuple[str, str, bytes]]:
    """(package, file, bytes) of the packages that are here."""
    for package, folder in PACKAGES.items():
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            continue
        root = Path(next(iter(spec.submodule_search_locations))) / folder
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.suffix.lower() in PICTURES and path.stat().st_size <= LARGEST:
                yield package, path.relative_to(root).as_posix(), path.read_bytes()


def of_archive(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """The same, of a source archive; nothing is unpacked to the disk."""
    package = path.name.partition("-")[0]
    with tarfile.open(path) as archive:
        for member in archive:
            name = Path(member.name)
            if member.isfile() and name.suffix.lower() in PICTURES and member.size <= LARGEST and (file := archive.extractfile(member)):
                yield package, Path(*name.parts[1:]).as_posix(), file.read()


def as_series(data: bytes) -> object:
    """The first series, and None where the file holds none."""
    study = study_in_memory(data, LIMITS)
    return load(study, study.series[0]) if study.series else None


def read(package: str, file: str, data: bytes) -> Iterator[Came]:
    """As an image, and as a series. A warning is a fault, but Pillow's, whose texts quote nothing."""
    for how, reader in (("image", read_image), ("series", as_series)):
        begun = time.process_time()
        with warnings.catch_warnings(record=True) as heard:
            try:
                outcome = f"read as {how}" if reader(data) is not None else "holds no series"
            except LungcadError as error:
                outcome = f"refused as {how}" if str(error) and "\n" not in str(error) else f"FAULT several lines as {how}"
            except Exception as error:
                outcome = f"FAULT {type(error).__name__} as {how}"
        seconds = time.process_time() - begun
        if seconds > SECONDS:
            outcome = f"FAULT {seconds:.0f} s as {how}"
        if said := [each for each in heard if "PIL" not in Path(each.filename).parts]:
            outcome = f"FAULT warning {said[0].category.__name__} as {how}"
        yield Came(package, file, outcome, seconds)


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(prog="python -m tests.imaging.torture", description=__doc__)
    parser.add_argument("archives", nargs="*", type=Path)
    sources = [installed(), *map(of_archive, parser.parse_args().archives)]
    came = [each for source in sources for file in source for each in read(*file)]
    counts = Counter((each.package, each.outcome) for each in came)
    print("| package | outcome | files |\n|---|---|---|")
    for (package, outcome), n in sorted(counts.items()):
        print(f"| {package} | {outcome} | {n} |")
    faults = [each for each in came if "FAULT" in each.outcome]
    for each in faults:
        print(f"{each.package}/{each.file}: {each.outcome}")
    print(f"slowest: {max(came, key=lambda each: each.seconds)}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
