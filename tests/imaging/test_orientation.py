"""Every way a slice can lie: turned to the usual view, its maps turned back, and warned of where it is no axial slice."""

import math

import numpy as np
import pytest

from lungcad.imaging import Orientation, Turn, read_image
from tests.imaging.encodings import HU, saved, slice_

AXIAL = [  # ImageOrientationPatient: usual, prone, feet first, upside down, transposed, the two decubitus, the other transposition
    (1, 0, 0, 0, 1, 0), (-1, 0, 0, 0, -1, 0), (-1, 0, 0, 0, 1, 0), (1, 0, 0, 0, -1, 0), (0, 1, 0, 1, 0, 0), (0, -1, 0, 1, 0, 0), (0, 1, 0, -1, 0, 0),
    (0, -1, 0, -1, 0, 0),
]  # fmt: skip


def as_in_file(usual: np.ndarray, cosines: tuple[int, ...]) -> np.ndarray:
    """Pixel by pixel, by the definition: column j lies j steps along the first direction, row i as many along the second; x is right, y is down."""
    along, down = np.array(cosines[:2]), np.array(cosines[3:5])
    columns, rows = np.abs(along) @ usual.shape[::-1], np.abs(down) @ usual.shape[::-1]
    out = np.empty((rows, columns), usual.dtype)
    for i in range(rows):
        for j in range(columns):
            x, y = j * along + i * down + np.where(along + down < 0, np.array(usual.shape[::-1]) - 1, 0)
            out[i, j] = usual[y, x]
    return out


@pytest.mark.parametrize("cosines", AXIAL)
def test_axial_slices_come_in_the_usual_view_and_maps_go_back(cosines):
    usual = HU[:, :80]
    in_file = as_in_file(usual, cosines)
    image = read_image(saved(slice_(in_file + 1024, ImageOrientationPatient=list(cosines), PixelSpacing=[2, 3])))
    np.testing.assert_array_equal(image.pixels, usual)
    np.testing.assert_array_equal(image.turn.to_file(image.pixels), in_file)
    assert image.orientation is Orientation.AXIAL and not image.warnings
    assert image.spacing_mm == ((3, 2) if in_file.shape != usual.shape else (2, 3))
    assert bool(image.turn) == any("usual view" in note for note in image.notes) == (cosines != (1, 0, 0, 0, 1, 0))


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("columns", [False, True])
def test_a_turn_and_its_way_back(transposed, rows, columns):
    turn, array = Turn(transposed, rows, columns), np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(turn.to_file(turn.to_usual(array)), array)


def tilted(degrees: float) -> list[float]:
    return [1, 0, 0, 0, math.cos(math.radians(degrees)), -math.sin(math.radians(degrees))]


@pytest.mark.parametrize(
    ("changes", "orientation", "word"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, Orientation.CORONAL, "coronal"),
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, Orientation.SAGITTAL, "sagittal"),
        ({"ImageOrientationPatient": tilted(45)}, Orientation.OBLIQUE, "oblique"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, Orientation.LOCALIZER, "localizer"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 TOP"]}, Orientation.LOCALIZER, "localizer"),
        ({"ScanOptions": "SCOUT MODE"}, Orientation.LOCALIZER, "localizer"),
        ({"ImageType": ["DERIVED", "SECONDARY", "AXIAL", "MIP"]}, Orientation.AXIAL, "projection"),
        ({"ImageType": ["DERIVED", "SECONDARY", "VOLUME RENDERING"]}, Orientation.AXIAL, "drawing"),
        ({"ImageType": ["DERIVED", "SECONDARY", "DOSE_INFO"]}, Orientation.AXIAL, "page of text"),
        ({"ImageType": ["DERIVED", "PRIMARY", "AXIAL", "IODINE MAP"]}, Orientation.AXIAL, "computed"),
        ({"BodyPartExamined": "HEAD"}, Orientation.AXIAL, "another part"),
        ({"ImageOrientationPatient": [0] * 6}, Orientation.UNKNOWN, "not usable"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, Orientation.UNKNOWN, "not usable"),
        ({"ImageOrientationPatient": None, "PatientPosition": "HFP"}, Orientation.UNKNOWN, "does not say how"),
    ],
)
def test_other_planes_are_warned_of(changes, orientation, word):
    image = read_image(saved(slice_(**changes)))
    assert image.orientation is orientation and any(word in warning for warning in image.warnings)


def test_a_gantry_tilt_is_still_axial_and_letters_count_where_numbers_lack():
    image = read_image(saved(slice_(ImageOrientationPatient=tilted(20))))
    assert image.orientation is Orientation.AXIAL and "20°" in image.notes[0] and not image.warnings
    letters = read_image(saved(slice_(ImageOrientationPatient=None, PatientOrientation=["R", "A"])))
    np.testing.assert_array_equal(letters.pixels, HU[::-1, ::-1])
