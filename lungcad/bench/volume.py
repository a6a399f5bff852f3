"""The entry about opening a series."""

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from lungcad.bench.entry import Row, entry

SLICES = 300
PEAK = """
def peak():  # of this process alone: getrusage counts the parent's memory before exec, too
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
"""
OURS = (
    PEAK
    + """
import json, sys, time
from pathlib import Path
from lungcad.imaging.volume import read_volume
began = time.perf_counter()
volume = read_volume(Path(sys.argv[1]))
print(json.dumps([time.perf_counter() - began, peak(), volume.shape[0]]))
"""
)
PLAIN = (
    PEAK
    + """
import json, sys, time
from pathlib import Path
import numpy as np, pydicom
began = time.perf_counter()
slices = sorted((pydicom.dcmread(path) for path in Path(sys.argv[1]).iterdir()), key=lambda each: each.ImagePositionPatient[2])
volume = np.stack([each.pixel_array * np.float32(each.RescaleSlope) + np.float32(each.RescaleIntercept) for each in slices])
print(json.dumps([time.perf_counter() - began, peak(), len(volume)]))
"""
)


@entry(seconds=40)
def open_series(_: Path | None) -> Row:
    """Opening a series of 300 slices of 512x512 (headers, order, checks, Hounsfield units) in a process of its own, against pydicom in a loop that checks
    nothing (lower is better; aim: under 5 s and 1.5 GB).
    """
    with tempfile.TemporaryDirectory() as folder:
        write_large_series(Path(folder))
        measured = {name: _measured(code, folder) for name, code in (("plain", PLAIN), ("ours", OURS))}
    (seconds, megabytes, n), (plain, plain_megabytes, _n) = measured["ours"], measured["plain"]
    return {
        "ours": round(seconds, 3),
        "plain": round(plain, 3),
        "ratio": seconds / plain,
        "unit": "s",
        "slices": n,
        "peak_mb": round(megabytes),
        "plain_peak_mb": round(plain_megabytes),
    }


def write_large_series(folder: Path) -> None:
    """:data:`SLICES` DICOM files of 512×512, made of the example."""
    from lungcad.imaging.phantom_volume import example_volume, write_series

    small = example_volume().volume
    chosen = np.linspace(0, small.shape[0] - 1, SLICES).round().astype(int)
    affine = small.affine @ np.diag([small.shape[0] / SLICES, 0.5, 0.5, 1])
    write_series(replace(small, hu=small.hu[chosen].repeat(2, axis=1).repeat(2, axis=2), affine=affine, sources=(None,) * SLICES), folder)


def _measured(code: str, folder: str) -> list[float]:
    best: list[float] = []
    for _ in range(2):  # the first warms the disk's cache
        done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
        best = json.loads(done.stdout)
    return best
