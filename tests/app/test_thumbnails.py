"""Small pictures of a data set's images: a tissue tile keeps its colours."""

import io

import numpy as np
import pytest
from PIL import Image

from lungcad.app.thumbnails import small_png


@pytest.mark.parametrize(("colour", "mode"), [((200, 40, 160), "RGB"), ((90, 90, 90), "L")])
def test_a_small_picture_has_the_colours_of_its_image(tmp_path, colour, mode):
    path = tmp_path / "tile.png"
    Image.fromarray(np.full((400, 300, 3), colour, np.uint8)).save(path)
    small = Image.open(io.BytesIO(small_png(str(path))))
    assert small.mode == mode and small.size == (192, 256)
    assert np.array(small.convert("RGB"))[100, 100].tolist() == list(colour)
