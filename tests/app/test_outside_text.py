"""What comes from outside is literal text, on every page."""

import json
import re
import shutil

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from lungcad.app import cards, session
from lungcad.app.components.literal import literal
from lungcad.evaluate.stores import runs as run_store
from lungcad.models import list_cards
from tests.app.pages import ROOT, open_page, use_runs
from tests.conftest import CLASSES, write_phantoms

GOOD, OTHER = "lidc-efficientnet-lite0", "lidc-efficientnet-lite0-soft"
HOSTILE = "![x](http://203.0.113.9/x.png) [y](http://203.0.113.9/y) <img src=z> :red[r] `c` *b* :material/home: $m$ | # ~~s~~"
ELSEWHERE = {"plotly_chart", "arrow_data_frame", "json", "text_input", "file_uploader", "download_button_data"}
"""Elements and fields that Streamlit never reads as Markdown: they show text as it is."""
PLAIN = {"options", "raw_value", "raw_values", "set_value", "value", "default", "id", "url", "spec", "query_string", "element_id", "alt", "form_id"} | {
    "format", "page",
    "page_script_hash", "html_content", "css_content", "js_content", "json", "mixed", "columns",
}  # fmt: skip
MARKUP = re.compile(
    r"(?<!\\)!\[|(?<!\\)\]\((?!https://)|(?<!\\)<img|:red(?<!\\)\[|(?<!\\)`c(?<!\\)`|(?<!\\)\*b(?<!\\)\*|:material/home: \$m"
)
"""Live marks of HOSTILE; lungcad's own links lead to https addresses."""


def texts(message, name: str = "") -> list[str]:
    """Every string of an element that may be read as Markdown."""
    found = []
    for field, value in message.ListFields():
        if field.name in PLAIN or field.name in ELSEWHERE:
            continue
        values = value if field.is_repeated else [value]
        for each in values:
            if field.type == field.TYPE_STRING:
                found.append(each)
            elif field.type == field.TYPE_MESSAGE and not field.message_type.GetOptions().map_entry:
                found += texts(each, field.name)
    return found


def assert_literal(page) -> str:
    """No exception, and no text on the page holds live markup from outside; all of it."""
    assert not page.exception, page.exception[0].value
    said = []
    waiting = [page._tree]
    while waiting:
        node = waiting.pop()
        waiting += list(getattr(node, "children", {}).values())
        proto = getattr(node, "proto", None)
        if proto is not None and getattr(node, "type", "") not in ELSEWHERE and hasattr(proto, "ListFields"):
            said += texts(proto)
    hostile = [text for text in said if MARKUP.search(text)]
    assert not hostile, hostile
    return "\n".join(said)


def test_the_check_itself_sees_live_markup():
    for alive in ("![x](http://a)", "[y](http://a)", "a <img src=z>", ":red[r]", "`c`", "*b*"):
        assert MARKUP.search(alive), alive
    assert not MARKUP.search(literal(HOSTILE))


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain name 1", "plain name 1"), ("a_b", r"a\_b"), ("[x](y)", r"\[x\](y)"), ("a\nb", r"a\\nb"), ("1. x", "\u20601. x"), ("- x", "\u2060- x"), ("# x", r"\# x"),
     ("http://x", "http:\u2060//x"), (":red[x]", ":\u2060red\\[x\\]"), ("12: x", "12: x"), ("a@b", "a\u2060@b"), ("&amp;", r"\&amp;")],
)  # fmt: skip
def test_literal(text, shown):
    assert literal(text) == shown


def test_a_long_text_is_cut_and_says_so():
    assert literal("x" * 5000, 200) == "x" * 200 + " …"


KEYS = {
    "1_Predict.py": "case example model method layer target window level width panel lime_samples lime_fill stacked opacity",
    "2_Compare.py": "view networks case example compared compare_trust",
    "3_Metrics.py": "runs filter_dataset filter_protocol filter_attention class curve section by select page sort without_copies",
    "4_Datasets.py": "dataset evaluated own_from class curve pairs",
    "5_Volume.py": "volume_from volume_network volume_method",
    "6_Lab.py": "preset shortcut share head patients smallest_mm largest_mm opacity epochs seed",
}
VALUES = {
    "markup": HOSTILE,
    "digits": "9" * 5000,
    "minus": "-" + "9" * 5000,
    "nul": "a\0b",
    "long": "lidc-nodules/" + "n" * 5000,
    "commas": "a,a,a",
    "folder": ".",
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("file", KEYS)
def test_every_key_of_a_link(file, value):
    page = open_page(file, **{key: VALUES[value] for key in KEYS[file].split()}).run()
    assert_literal(page)


@pytest.mark.parametrize(
    "query",
    [{"view": "runs", "first": HOSTILE, "second": HOSTILE, "who": HOSTILE, "apart": HOSTILE, "cost": HOSTILE, "gain": HOSTILE},
     {"view": "blind", "blind_n": HOSTILE},
     {"section": "Operating point", "threshold_point": "9" * 5000, "prevalence": HOSTILE},
     {"section": "Slices", "part_metric": HOSTILE}],
)  # fmt: skip
def test_keys_of_single_views(query):
    assert_literal(open_page("2_Compare.py" if "view" in query else "3_Metrics.py", **query).run())


def test_one_network_many_times():
    for names in ("a,a,a", f"{GOOD},{GOOD},{GOOD}"):
        page = open_page("2_Compare.py", networks=names).run()
        assert_literal(page)
        chosen = page.multiselect(key="networks").value
        assert len(chosen) == len(set(chosen))


@pytest.fixture
def hostile_run(tmp_path, monkeypatch):
    """A run all of whose facts, classes, groups and cases are hostile, beside a good one."""
    use_runs(monkeypatch, tmp_path, GOOD)
    place = shutil.copytree(run_store.RUNS / GOOD, tmp_path / "evil", copy_function=shutil.copyfile)
    facts = json.loads((place / "run.json").read_text())
    names = {name: f"{HOSTILE} {index}" for index, name in enumerate(facts["classes"])}
    facts |= {key: HOSTILE for key, value in facts.items() if isinstance(value, str) and key != "run"}
    facts |= {"run": "evil", "classes": list(names.values()), "skipped": [HOSTILE]}
    (place / "run.json").write_text(json.dumps(facts))
    for file in ("predictions.parquet", "baselines.parquet"):
        table = pd.read_parquet(place / file).rename(columns={f"p:{old}": f"p:{new}" for old, new in names.items()})
        if "label" in table:
            table["label"] = table.label.map(names)
        table["case"] = HOSTILE + table.case
        table.to_parquet(place / file)
    return tmp_path


@pytest.mark.parametrize("section", ["Cases", "Operating point", "Classes", "Slices", "Heat maps", "Learning curves"])
def test_a_run_from_outside(hostile_run, section):
    said = assert_literal(open_page("3_Metrics.py", runs=f"evil,{GOOD}", section=section).run())
    assert "evil" in said


def test_a_run_from_outside_compared(hostile_run):
    shutil.copytree(hostile_run / "evil", hostile_run / "evil2")
    assert_literal(open_page("2_Compare.py", view="runs", first="evil", second="evil2").run())


@pytest.mark.parametrize("facts", [{"classes": None}, {"classes": 3}, {"classes": {}}, {"dataset": [1, 2]}, {"dataset": None}, {"network": None}, {"protocol": []},
    
                                   {"task": [HOSTILE]}, {"date": {}}, {"attention": ["x"]}, {"grouping": None}])  # fmt: skip
def test_one_bad_run_costs_a_sentence_never_the_page(hostile_run, facts):
    place = hostile_run / "bad"
    shutil.copytree(hostile_run / GOOD, place)
    (place / "run.json").write_text(json.dumps(json.loads((place / "run.json").read_text()) | {"run": "bad"} | facts))
    page = open_page("3_Metrics.py", runs=GOOD).run()
    assert_literal(page)
    assert GOOD in list(page.dataframe[0].value.run)
    assert_literal(open_page("2_Compare.py", view="runs", first=GOOD).run())


@pytest.mark.parametrize("file", ["streamlit_app.py", "1_Predict.py", "2_Compare.py"])
def test_a_model_card_from_outside(file, monkeypatch):
    shipped = list_cards()[:2]
    fields = ("dataset", "limits", "aim", "licence", "trained_on", "initialised_with", "split", "protocol")
    hostile = [
        card.model_copy(update={name: HOSTILE for name in fields if isinstance(getattr(card, name, None), str | None)}) for card in shipped
    ]
    monkeypatch.setattr(cards, "list_cards", lambda: hostile)
    cards._cards.clear()
    try:
        if file == "streamlit_app.py":
            page = AppTest.from_file(ROOT / file, default_timeout=120).run()
        else:
            page = open_page(file, panel="erase").run()
        said = assert_literal(page)
        assert "203" in said or file == "2_Compare.py"  # there a card's words stand in menus only
    finally:
        cards._cards.clear()


def test_hostile_file_names_in_an_audit_and_its_errors(tmp_path):
    name = HOSTILE.replace("/", "_")
    write_phantoms(tmp_path, 3)
    for label in CLASSES[:2]:
        shutil.copy(tmp_path / "train" / CLASSES[0] / "0.png", tmp_path / "test" / label / f"{name}.png")
    (tmp_path / "test" / CLASSES[0] / f"{name} broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    page = open_page("4_Datasets.py", dataset="own").run()
    page.text_input(key="own_folder").set_value(str(tmp_path)).run()
    from tests.app.own_folder import finished

    said = assert_literal(finished(page, "audit"))
    assert "203" in said, said[-600:]
    assert_literal(finished(page, "evaluation"))
    page.text_input(key="own_folder").set_value(f"/{HOSTILE}").run()
    assert page.error and "203" in assert_literal(page)


def test_a_folder_in_an_examples_place(tmp_path, monkeypatch):
    shutil.copytree(session.EXAMPLES, tmp_path / "examples")
    (tmp_path / "examples" / "aaa.png").mkdir()
    monkeypatch.setattr(session, "EXAMPLES", tmp_path / "examples")
    session._example_hashes.cache_clear()
    page = open_page("1_Predict.py", panel="erase").run()
    assert_literal(page)
    assert "aaa.png" not in page.selectbox(key="example").options
    session._example_hashes.cache_clear()
