"""A small part of a slice, as 16-bit or floating-point picture: Hounsfield units without a warning, although no air is there to tell the offset by."""

import numpy as np
import pytest

from lungcad.imaging import Unit, read_image
from lungcad.imaging.phantom import make_phantom
from tests.imaging.encodings import encode, tiff

FORMS = {
    "signed": lambda hu: tiff(hu.astype("<i2")),
    "float": lambda hu: tiff(hu.astype("<f4")),
    "1024": lambda hu: encode((hu + 1024).clip(0).astype(np.uint16)),
    "32768": lambda hu: encode((hu + 32768).astype(np.uint16)),
}


def lung_and_wall(seed: int, size: int) -> np.ndarray:
    """The part of a phantom of which about half is lung."""
    hu = np.rint(make_phantom(seed, size=256).hu).astype(int)
    lung = (hu > -960) & (hu < -700)
    inside = [
        (abs(lung[r : r + size, c : c + size].mean() - 0.5), r, c) for r in range(40, 216 - size, 8) for c in range(30, 226 - size, 8)
    ]
    _, row, column = min(inside)
    return hu[row : row + size, column : column + size]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("seed", "size"), [(3, 40), (3, 64), (5, 48), (7, 96)])
def test_a_crop_of_lung_and_tissue(form, seed, size):
    crop = lung_and_wall(seed, size)
    image = read_image(FORMS[form](crop))
    assert image.unit is Unit.HU and not image.warnings and len(image.notes) == 1
    np.testing.assert_array_equal(image.pixels, crop.clip(-1024) if form == "1024" else crop)


@pytest.mark.parametrize("form", ["signed", "float", "32768"])
def test_a_crop_of_lung_alone(form):
    crop = np.random.default_rng(0).normal(-870, 40, (48, 48)).round().astype(int)
    image = read_image(FORMS[form](crop))
    assert image.unit is Unit.HU and not image.warnings
    np.testing.assert_array_equal(image.pixels, crop)


def test_most_crops_of_patients_are_read_rightly_and_none_wrongly(shared_data):
    """Places drawn at random in the lungs of two patients; slices that no rule was chosen on."""
    rng, right, wrong, n = np.random.default_rng(5), dict.fromkeys(FORMS, 0), [], 0
    for path in sorted((shared_data / "lidc-idri" / "dicom").rglob("*.dcm"))[17::24]:
        hu = np.rint(read_image(path).pixels).astype(int)
        lung = np.argwhere((hu[150:360, 80:430] > -950) & (hu[150:360, 80:430] < -700))
        for size in (40, 64, 96, 128):
            row, column = lung[rng.integers(len(lung))] + [150, 80] - size // 2
            crop, n = hu[row : row + size, column : column + size], n + 1
            for form, written in FORMS.items():
                image = read_image(written(crop))
                same = image.unit is Unit.HU and np.abs(image.pixels - crop.clip(-1024)).max() == 0
                right[form] += same and not image.warnings
                wrong += [(path.name, form, size)] if image.unit is Unit.HU and not same else []
    assert not wrong and n >= 20
    assert min(right[form] for form in ("signed", "float", "32768")) >= 0.9 * n and right["1024"] >= 0.5 * n, (right, n)
