"""The made-up examples whose contour is known are what their seeds draw."""

import numpy as np
from PIL import Image

from lungcad.datasets import Split
from lungcad.datasets.phantoms.examples import CONTOURS, EXAMPLES, write_examples
from lungcad.datasets.phantoms.make import plan
from lungcad.imaging import read_image
from lungcad.paths import EXAMPLES as FOLDER


def test_the_shipped_files_are_drawn_from_their_seeds(tmp_path):
    write_examples(tmp_path)
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.png"))
    assert written == sorted(path.relative_to(FOLDER) for path in FOLDER.rglob("*phantom-*.png"))
    for name in written:
        ours, shipped = (np.asarray(Image.open(folder / name), np.int16) for folder in (tmp_path, FOLDER))
        assert np.abs(ours - shipped).max() <= 1  # rounding of another processor


def test_a_contour_is_there_exactly_where_a_lesion_is():
    for name, example in EXAMPLES.items():
        image, contour = read_image(FOLDER / name), FOLDER / CONTOURS / name
        assert image.provenance.synthetic and contour.exists() == (example.label != "none")
        if contour.exists():
            mask = np.asarray(Image.open(contour)) > 0
            assert mask.shape == image.shape and image.pixels[mask].mean() > 150


def test_the_examples_are_of_validation_patients():
    valid = {case.seed for case in plan(2000) if case.split is Split.VALID}
    assert all(example.patient().seed in valid for example in EXAMPLES.values())
