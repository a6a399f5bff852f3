"""The page Volume in a real browser: a dropped series, scrolled, windowed, clicked; and every flip in the viewer's own pixels."""

import io
import itertools
import zipfile

import numpy as np
import pytest

from lungcad.imaging import Window
from lungcad.imaging.phantom_volume import EXAMPLE_BALLS, make_phantom_volume, write_series

VIEWER = """const find = (node) => { for (const each of node.querySelectorAll("*")) {
  if (each.lungcadVolume) return each.lungcadVolume;
  const inside = each.shadowRoot && find(each.shadowRoot);
  if (inside) return inside;
} };
const v = find(document);"""


@pytest.fixture(scope="module")
def chest():
    return make_phantom_volume(3, size=64, spacing_mm=12, balls=EXAMPLE_BALLS)


def zipped(chest, folder, reverse=(False, False, False)) -> bytes:
    write_series(chest.volume, folder, reverse=reverse)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    return buffer.getvalue()


def drop(tab, data: bytes) -> None:
    tab.locator("input[type=file]").set_input_files({"name": "series.zip", "mimeType": "application/zip", "buffer": data})


def ask(tab, expression: str):
    return tab.evaluate(f"async () => {{ {VIEWER} return {expression}; }}")


def wait(tab, expression: str) -> None:
    tab.wait_for_function(f"() => {{ {VIEWER} return v && v.block && ({expression}); }}")


def test_a_dropped_series_is_scrolled_windowed_measured_and_clicked(tab, server, chest, tmp_path):
    sent = []
    tab.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    tab.goto(f"{server}/Volume")
    drop(tab, zipped(chest, tmp_path))
    wait(tab, "v.block.n === 23")
    axial = tab.locator(".plane.axial canvas")
    box = axial.bounding_box()
    before = ask(tab, "v.cursor[0]")
    tab.wait_for_timeout(1000)
    sent.clear()
    axial.hover()
    tab.mouse.wheel(0, -200)
    wait(tab, f"Math.floor(v.cursor[0]) === {int(before) + 4}")
    axial.press("PageDown")
    axial.press("2")
    wait(tab, "v.settings.window.name === 'mediastinum'")
    tab.mouse.move(box["x"] + 60, box["y"] + 60)
    tab.mouse.down(button="right")
    tab.mouse.move(box["x"] + 160, box["y"] + 60)
    tab.mouse.up(button="right")
    wait(tab, "v.settings.window.name === 'free' && v.settings.window.width === 500")
    tab.mouse.click(box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2)
    scale = ask(tab, "v.planes[0].scale")
    assert ask(tab, "v.mm(v.cursor)[0]") == pytest.approx(40 / scale, abs=1.5)  # right of the middle is the patient's left, +x
    axial.press("r")
    tab.mouse.move(box["x"] + 100, box["y"] + 100)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 200, box["y"] + 100)
    tab.mouse.up()
    assert ask(tab, "v.planes[0].length()") == pytest.approx(100 / scale, rel=0.02)
    x, y, z = (int(value) for value in ask(tab, "v.cursor.map(Math.floor)"))
    assert ask(tab, "v.block.at(v.cursor)") == chest.volume.hu[x, y, z]
    assert not sent  # all of it without the server


def test_all_eight_flips_look_alike_in_the_viewers_pixels(tab, server, chest, tmp_path):
    window = Window.preset("lung")
    grey = np.rint(window.apply(chest.volume.hu) * 255)
    expected = {
        "axial": grey[9],
        "coronal": grey[::-1, 30],
        "sagittal": grey[::-1, :, 20],
    }
    for index, reverse in enumerate(itertools.product([False, True], repeat=3)):
        tab.goto(f"{server}/Volume")
        drop(tab, zipped(chest, tmp_path / str(index), reverse))
        wait(tab, f"v.facts.volume === '{chest.volume.sha256[:32]}'")
        for plane, wanted in expected.items():
            drawn = ask(
                tab,
                f"""(() => {{ const canvas = v.block.layer("{plane}", [9.5, 30.5, 20.5], {{ level: -600, width: 1500 }}, 0);
                const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
                return [canvas.height, canvas.width, Array.from(data).filter((_, i) => i % 4 === 0)]; }})()""",
            )
            np.testing.assert_allclose(np.reshape(drawn[2], drawn[:2]), wanted, atol=1)
