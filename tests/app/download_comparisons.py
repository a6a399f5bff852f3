"""How each file that a page offers is compared with what the page shows."""

import html
import io
import json
import math
import re
import zipfile

import cv2
import numpy as np
import pandas as pd
import pydicom
import pypdf
import pytest
import yaml
from streamlit.testing.v1 import AppTest

from lungcad.analysis import Analysis
from lungcad.app import session
from lungcad.app.components.literal import literal
from lungcad.app.components.text import class_label, class_text
from lungcad.estimate import Estimate
from lungcad.imaging.phantom_volume import EXAMPLE_BALLS
from lungcad.lab.settings import LabSettings
from tests.app.pages import mounted, small_table
from tests.conftest import CLASSES

REPORT = "components/report.py offer_formats"


def content(data: object) -> bytes:
    made = data() if callable(data) else data
    return made.encode() if isinstance(made, str) else made


def table_of(data: object) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content(data)), keep_default_na=False, na_values=[""])


def is_result(page: AppTest, data: object) -> None:
    result = json.loads(content(data))
    assert class_text(result["class"]) == page.header[0].value
    bars = next(each.proto.body for each in page.get("html") if "Calibrated probability" in each.proto.body)
    shown = dict(re.findall(r'<th scope="row">(.*?)</th>.*?<td>([\d.]+%)</td></tr>', bars))
    assert shown == {class_label(name): f"{value:.1%}" for name, value in result["probabilities"].items()}
    assert any(f"{result['probabilities'][result['class']]:.1%}" in text.value for text in page.markdown)
    assert any(f"*{class_text(result['explained_class'])}*" in caption.value for caption in page.caption)
    assert result["image_sha256"] == page.session_state["source"].image.provenance.sha256
    assert not page.warning or all(literal(each) in page.warning[0].value for each in result["warnings"])


def is_map(page: AppTest, data: object) -> None:
    values = np.load(io.BytesIO(content(data)))
    image = page.session_state["source"].image
    (facts, grid) = next(each for each in mounted(page, "lungcad.viewer_values") if "box" in each[0])
    top, left, bottom, right = facts["box"]
    whole = cv2.resize(grid, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    rows, columns = image.shape
    inside = whole[max(-top, 0) : rows - top, max(-left, 0) : columns - left]
    assert values.shape == image.shape and values.dtype == np.float32
    np.testing.assert_allclose(values[max(top, 0) : bottom, max(left, 0) : right], inside, rtol=1e-4, atol=1e-6)


def is_selection(page: AppTest, data: object) -> None:
    """The first page of the grid, in its order; all of them counted in its title."""
    table = table_of(data)
    title = next(text.value for text in page.markdown if " cases: " in text.value)
    assert int(title.strip("*").split()[0]) == len(table)
    shown = next(each.value for each in page.dataframe if {"case", "loss"} <= set(each.value.columns))
    assert len(shown) == min(len(table), 12) and list(shown.columns) == list(table.columns)
    pd.testing.assert_frame_equal(shown.reset_index(drop=True), table.head(len(shown)), check_dtype=False, check_categorical=False)


def is_difference(page: AppTest, data: object) -> None:
    table = table_of(data)
    assert any(text.value.startswith(f"**All {len(table)} cases") for text in page.markdown)
    shown = next(each.value for each in page.dataframe if "answers" in each.value.columns)
    pd.testing.assert_frame_equal(shown.reset_index(drop=True), table.head(len(shown)), check_dtype=False, check_categorical=False)


def is_answers(page: AppTest, data: object) -> None:
    table, confusion = table_of(data), page.dataframe[-1].value
    for row, label in enumerate(CLASSES):
        for answer in CLASSES:
            assert confusion[answer].iloc[row] == ((table.label == label) & (table.answer == answer)).sum()
    assert confusion.to_numpy().sum() == len(table)
    accuracy = next(each.value for each in page.dataframe if "metric" in each.value.columns).set_index("metric").iloc[0, 0]
    assert float(accuracy.split()[0]) == pytest.approx((table.label == table.answer).mean(), abs=6e-4)


def is_audit(page: AppTest, data: object) -> None:
    found, shown = json.loads(content(data)), {metric.label: int(metric.value) for metric in page.metric}
    assert shown["images"] == found["n_images"] and shown["unreadable"] == len(found["unreadable"])
    assert shown["label conflicts"] == len(found["label_conflicts"])
    assert shown["in groups of copies"] == sum(map(len, found["duplicate_groups"]))
    leaks = next(each.value for each in page.dataframe if "share of that class" in each.value.columns)
    assert list(leaks.images) == [leak["n"] for leak in found["leaks"]]
    assert [class_label(leak["class"]) for leak in found["leaks"]] == list(leaks["class"])


def is_series(page: AppTest, data: object) -> None:
    result, (facts, _) = json.loads(content(data)), mounted(page, "lungcad.volume")[0]
    assert class_text(result["answer"]["class"]) == page.header[0].value
    assert [each["slice"] - 1 for each in result["slices"]] == facts["curve"]["slices"]
    assert [round(each["probabilities"]["lesion"], 4) for each in result["slices"]] == facts["curve"]["values"]
    assert len(result["answer"]["positions"]) + len(EXAMPLE_BALLS) == len(facts["places"])


def is_lab_settings(page: AppTest, data: object) -> None:
    settings = LabSettings.checked(yaml.safe_load(content(data)))
    assert settings.seed == page.number_input(key="seed").value and settings.head == page.selectbox(key="head").value


def is_lab_table(page: AppTest, data: object) -> None:
    shown = small_table(page, "share of unseen patients")
    for row in table_of(data).to_dict("records"):
        value, low, high = (None if math.isnan(row[name]) else row[name] for name in ("value", "low", "high"))  # not measured
        assert shown[row["measure"]] == [str(Estimate(value=value, low=low, high=high))]


def is_report(page: AppTest, data: object) -> None:
    if page.query_params.get("section", "Classes") not in ("Classes", ["Classes"]):
        return  # the same in every state of Metrics
    made = content(data)
    if made.startswith(b"%PDF"):
        text = " ".join(each.extract_text() for each in pypdf.PdfReader(io.BytesIO(made)).pages)
    else:
        text = html.unescape(re.sub(r"<[^>]+>", " ", made.decode()))
    text = " ".join(text.split())
    if "Explained series" in text:
        shares = [share for each in page.markdown for share in re.findall(r"^\*\*([\d.]+%)\*\*", each.value)]
        assert page.header[0].value in text and all(share in text for share in shares)
    elif page.header:
        result = next(each for each in reversed(session._OF_EXAMPLES.values()) if isinstance(each, Analysis))
        assert class_label(result.prediction.label) in text and all(
            f"{share:.1%}" in text for share in result.prediction.probabilities.values()
        )
        assert all(each.label.split(" :")[0] in text for each in page.expander if each.label.startswith(("Does", "Is", "Do ")))
    elif page.metric:
        assert f"{page.metric[0].value} images" in text
    else:
        shown = next(each.value for each in page.markdown if "| better |" in each.value)
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in shown.splitlines()[2:]]
        last = 2 if page.query_params.get("without_copies") else -2  # the report's baselines answer all cases
        assert rows and all(value in text for row in rows for value in row[1:last])


def is_archive(page: AppTest, data: object) -> None:
    with zipfile.ZipFile(io.BytesIO(content(data))) as archive:
        made = {name.rsplit("-", 1)[1]: pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()}
    assert set(made) == {"sc.dcm", "pm.dcm", "seg.dcm", "sr.dcm"}
    image = page.session_state["source"].image
    assert made["pm.dcm"].pixel_array.shape == image.shape and made["sc.dcm"].pixel_array.shape[1] == image.shape[1]


COMPARED = {
    ("predict/heatmap.py offer_json", ".json"): is_result,
    ("predict/heatmap.py show_facts", ".npy"): is_map,
    ("predict/report.py _offer_objects", ".zip"): is_archive,
    (REPORT, ".pdf"): is_report,
    (REPORT, ".html"): is_report,
    ("compare/runs.py _show_cases", ".csv"): is_difference,
    ("metrics/cases.py show_grid", ".csv"): is_selection,
    ("datasets/evaluate.py _show_answers", ".csv"): is_answers,
    ("datasets/audit.py show_audit", ".json"): is_audit,
    ("volume/network.py show_answer", ".json"): is_series,
    ("lab/result.py _show_one", ".yaml"): is_lab_settings,
    ("lab/result.py _show_one", ".csv"): is_lab_table,
}
"""(place, ending) -> how the file is compared with its page; plots are compared all alike."""
