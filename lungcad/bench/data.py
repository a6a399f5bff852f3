"""Entries about folders of images: evaluating one, auditing one."""

import tempfile
from pathlib import Path

import numpy as np

from lungcad.bench import plain
from lungcad.bench.entry import Row, entry
from lungcad.bench.timing import baseline_model, folder_of, phantom_folder, weights_of
from lungcad.datasets import CHEST_CT_SCAN, Split, of_split
from lungcad.evaluate.folder import evaluate_folder


@entry(seconds=40, in_short_set=True)
def evaluate_vs_plain_loop(data: Path | None) -> Row:
    """Evaluating a folder against a loop of one image at a time with PIL and torchvision (higher is better; aim: at least 4)."""
    model = baseline_model()
    with tempfile.TemporaryDirectory() as temporary:
        published = folder_of(CHEST_CT_SCAN, data)
        folder = published or phantom_folder(Path(temporary), model.card.classes)
        paths = [case.path for case in of_split(CHEST_CT_SCAN.read(folder), Split.TEST)]
        evaluate_folder(model, folder, CHEST_CT_SCAN.name)  # both sides with a warm file cache
        ours = float(np.median([evaluate_folder(model, folder, CHEST_CT_SCAN.name).images_per_second for _ in range(3)]))
        other = plain.in_fresh_process(plain.images_per_second, weights_of(model), paths)
    return {
        "ours": ours,
        "plain": other,
        "ratio": ours / other,
        "unit": "images/s",
        "images": len(paths),
        "data": CHEST_CT_SCAN.name if published else "phantoms",
    }


@entry(seconds=60)
def audit_growth(_: Path | None) -> Row:
    """Auditing 20,000 synthetic images against twenty times the time for 1,000 (1 is linear growth; lower is better)."""
    by_size = {}
    for n in (1000, 20_000):
        with tempfile.TemporaryDirectory() as temporary:
            plain.synthetic_folder(Path(temporary), n)
            by_size[n] = plain.audit_seconds_and_memory(Path(temporary))
    (small_s, small_mb), (large_s, large_mb) = by_size.values()
    return {
        "ours": large_s, "plain": 20 * small_s, "ratio": large_s / (20 * small_s), "unit": "s", "images_per_second_at_1000": 1000 / small_s,
        "images_per_second_at_20000": 20_000 / large_s, "peak_memory_mb_at_1000": small_mb, "peak_memory_mb_at_20000": large_mb,
    }  # fmt: skip
