"""The page Volume in a real browser: a dropped series, scrolled, windowed, clicked, read and exported; and every flip in the viewer's own pixels.

``LUNGCAD_TIMINGS=1 python -m pytest -s tests/e2e/test_volume_browser.py -k 300_slices`` prints how fast 300 slices open and scroll;
``LUNGCAD_TIMINGS=write`` keeps it too.
"""

import datetime
import io
import itertools
import json
import os
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pydicom
import pypdf
import pytest

from lungcad.bench.volume import SLICES, write_large_series
from lungcad.imaging import Window
from lungcad.imaging.phantom_volume import EXAMPLE_BALLS, make_phantom_volume, write_series
from lungcad.paths import SERIES
from lungcad.publish.series_tables import OPENING_FILE, series_readme
from tests.e2e.conftest import running

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
    return as_zip(folder)


def thin(volume):
    """Each slice five times, a fifth as thick."""
    return replace(
        volume, hu=volume.hu.repeat(5, axis=0), affine=volume.affine @ np.diag([0.2, 1, 1, 1]), sources=(None,) * (5 * volume.shape[0])
    )


def as_zip(folder) -> bytes:
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


def test_what_does_not_reach_the_browser_is_said(tab, server, chest, tmp_path):
    tab.route("**/lungcad-voxels/*", lambda route: route.fulfill(status=404))
    tab.goto(f"{server}/Volume")
    drop(tab, zipped(chest, tmp_path))
    tab.get_by_text("The volume did not reach the browser (answer 404). Reload the page, and open the series again.").wait_for()


def test_a_series_is_scrolled_read_rated_and_every_export_opened(tab, server, chest, tmp_path):
    """115 slices: 100 scrolled by wheel and keys, the window set, a place rated, the network run, and each file clicked and opened by another reader."""
    tab.set_default_timeout(120_000)
    volume = thin(chest.volume)
    write_series(volume, tmp_path / "in")
    tab.goto(f"{server}/Volume")
    drop(tab, as_zip(tmp_path / "in"))
    n = volume.shape[0]
    wait(tab, f"v.block.n === {n}")
    axial = tab.locator(".plane.axial canvas")
    axial.press("Home")
    first = ask(tab, "Math.floor(v.cursor[0])")
    for _ in range(25):
        axial.press("ArrowUp")
    axial.hover()
    for _ in range(20):
        tab.mouse.wheel(0, -200)
    wait(tab, f"Math.abs(Math.floor(v.cursor[0]) - {first}) >= 100")
    axial.press("2")
    wait(tab, "v.settings.window.name === 'mediastinum'")
    tab.get_by_role("button", name="Run the network over the series").click()
    tab.get_by_role("heading", name="lesion", exact=True).wait_for()
    wait(tab, "v.facts.curve && v.facts.places.length")
    tab.get_by_role("button", name="Rate this place").click()
    tab.get_by_text("The nodule networks at this place").wait_for()
    with tab.expect_download() as came:
        tab.get_by_role("button", name="Result (JSON)").click()
    result = json.loads(Path(came.value.path()).read_text())
    assert len(result["slices"]) == result["answer"]["slices_read"] > 60 and result["answer"]["class"] == "lesion"
    tab.get_by_role("button", name="Download report").click()
    files = {}
    for name in ("PDF, to print or attach", "HTML, one file for a browser", "DICOM objects (zip), for the archive"):
        with tab.expect_download(timeout=90_000) as came:
            tab.get_by_role("button", name=name).press("Enter")  # wherever the popover stands
        files[came.value.suggested_filename.rpartition(".")[2]] = Path(came.value.path()).read_bytes()
        assert came.value.suggested_filename.startswith(f"lungcad-volume-{volume.sha256[:12]}")
    assert len(pypdf.PdfReader(io.BytesIO(files["pdf"])).pages) > 1 and files["html"].lower().startswith(b"<!doctype html>")
    with zipfile.ZipFile(io.BytesIO(files["zip"])) as archive:
        made = [pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist() if name.endswith(".dcm")]
    source = pydicom.dcmread(next((tmp_path / "in").iterdir()), stop_before_pixels=True)
    assert {each.Modality for each in made} >= {"OT", "SEG", "SR"} and {each.StudyInstanceUID for each in made} == {source.StudyInstanceUID}
    assert all(each.pixel_array.size for each in made if "PixelData" in each)


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


@pytest.mark.skipif("LUNGCAD_TIMINGS" not in os.environ, reason="printed on request: LUNGCAD_TIMINGS=1")
def test_how_300_slices_open_and_scroll(browser, tmp_path, capsys):
    """Printed, not judged. 300 slices of 512×512 dropped as a zip, by a server that has shown the example; scrolling through all, a step a frame of the browser."""
    load = round(os.getloadavg()[0], 1)
    write_large_series(tmp_path / "in")
    (tmp_path / "in.zip").write_bytes(as_zip(tmp_path / "in"))
    with running(tmp_path / "log.txt") as address:
        (server,) = [each for each in psutil.Process().children() if address.rpartition(":")[2] in each.cmdline()]
        tab = browser.new_page(viewport={"width": 1440, "height": 1500})
        tab.set_default_timeout(240_000)
        tab.goto(f"{address}/Volume")
        tab.get_by_role("button", name="Show the example").first.click()
        tab.get_by_role("heading", name="lesion", exact=True).wait_for()
        before, busy = server.memory_info().rss, sum(server.cpu_times()[:2])
        began = time.perf_counter()
        tab.locator("input[type=file]").set_input_files(tmp_path / "in.zip")
        most = before
        while not ask(tab, f"!!(v && v.block && v.block.n === {SLICES})"):
            most = max(most, server.memory_info().rss)
            tab.wait_for_timeout(50)
        seconds, busy = time.perf_counter() - began, sum(server.cpu_times()[:2]) - busy
        heap = ask(tab, "performance.memory.usedJSHeapSize")
        scrolled = ask(
            tab,
            f"""await (async () => {{ v.goTo(0, 0); const began = performance.now();
            for (let i = 1; i < {SLICES}; i++) {{ v.step(0, 1); await new Promise(requestAnimationFrame); }}
            return performance.now() - began; }})()""",
        )
        tab.close()
    row = {
        "date": datetime.date.today().isoformat(), "load_average": load, "drawn_s": round(seconds, 1), "server_cpu_s": round(busy, 1),
        "server_before_mib": before >> 20, "server_most_mib": most >> 20, "heap_mib": round(heap / 2**20),
        "frames_per_second": round((SLICES - 1) / scrolled * 1000, 1),
    }  # fmt: skip
    with capsys.disabled():
        print(f"\n{SLICES} slices of 512×512: {json.dumps(row)}")
    if os.environ["LUNGCAD_TIMINGS"] == "write":
        (SERIES / OPENING_FILE).write_text(json.dumps(row, indent=1) + "\n", "utf-8")
        (SERIES / "README.md").write_text(series_readme(SERIES), "utf-8")
