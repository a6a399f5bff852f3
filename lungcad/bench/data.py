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


SIZES = (1000, 3000, 10_000)
FORETOLD = 100_000


@entry(seconds=600)
def audit_growth(_: Path | None) -> Row:
    """Auditing 10,000 synthetic images (64×64, one in ten a copy) against ten times the time for 1,000 (1 is linear growth; lower is
    better). ..._at_1000, 3000 and 10000 are measured, each in a process of its own; ..._extrapolated_to_100000 go on as from 3,000 to
    10,000 images, and were not measured: memory on a straight line (the index of keypoints stops growing at 40,000 images), time by the
    measured power of the number of images (aim: under 2,000 MB).
    """
    seconds, megabytes = {}, {}
    for n in SIZES:
        with tempfile.TemporaryDirectory() as temporary:
            plain.synthetic_folder(Path(temporary), n)
            seconds[n], megabytes[n] = plain.audit_seconds_and_memory(Path(temporary))
    small, middle, large = SIZES
    power = float(np.log(seconds[large] / seconds[middle]) / np.log(large / middle))
    slope = (megabytes[large] - megabytes[middle]) / (large - middle)
    ten_times = large / small * seconds[small]
    return {
        "ours": seconds[large], "plain": ten_times, "ratio": seconds[large] / ten_times, "unit": "s",
        **{f"images_per_second_at_{n}": n / seconds[n] for n in SIZES}, **{f"peak_memory_mb_at_{n}": megabytes[n] for n in SIZES},
        "power_of_growth": power,
        f"memory_mb_extrapolated_to_{FORETOLD}": megabytes[large] + slope * (FORETOLD - large),
        f"hours_extrapolated_to_{FORETOLD}": seconds[large] * (FORETOLD / large) ** power / 3600,
    }  # fmt: skip


@entry(seconds=300)
def needs_lungs(_: Path | None) -> Row:
    """Whether 1,000 synthetic slices can be told apart without their lungs, in seconds of one core, against the two minutes asked for (lower is better): five
    kinds of picture of each, their features, and a head for each kind. Making the slices does not count.
    """
    import time

    from lungcad.datasets import PHANTOMS
    from lungcad.datasets.phantoms.make import make_phantoms
    from lungcad.train.known_without import known_without

    with tempfile.TemporaryDirectory() as temporary:
        cases = PHANTOMS.read(make_phantoms(Path(temporary) / "phantoms", 1000))
        start, wall = time.process_time(), time.perf_counter()
        _tested, left_out = known_without(PHANTOMS, cases)
        ours, waited = time.process_time() - start, time.perf_counter() - wall
    return {"ours": ours, "plain": 120.0, "ratio": ours / 120.0, "unit": "s", "wall_s": waited, "images": len(cases), "left_out": left_out}
