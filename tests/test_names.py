import json
import os
from pathlib import Path

import pytest

from lungcad.names import case_id, path_of_id, printable, same_name

STRANGE = {
    "brackets [a]/[/x] [bold].png": None, "two\nlines\tand\rmore": "two\\nlines\\tand\\rmore", "bell\x07": "bell\\u0007", "\u202egnp.exe": "\\u202egnp.exe",
    os.fsdecode(b"Th\xf6rax.png"): "Th\\xf6rax.png", "Röntgen 肺 と　絵 👩\u200d⚕️": None, "a" * 300: None, "back\\slash": None,
}  # fmt: skip


@pytest.mark.parametrize(("name", "shown"), STRANGE.items())
def test_any_name_has_a_printable_form(name, shown):
    assert printable(name) == (name if shown is None else shown)
    json.dumps(printable(name), ensure_ascii=False).encode()
    assert printable(printable(name)) == printable(name) and "\n" not in printable(name)


@pytest.mark.parametrize("name", [*STRANGE, "\\n", "\\\n", "\\\\n", "\\x41\\u0041", "\\\\\\", "a\\", os.fsdecode(b"\\x\xff\\")])
def test_a_case_is_found_again_by_what_is_shown(name):
    assert path_of_id(Path("folder"), case_id(name)) == Path("folder") / name


def test_no_two_names_are_shown_alike():
    names = [os.fsdecode(b"\xf6"), "\\xf6", "\\\\xf6", "\n", "\\n", "\\\n", "\\\\n", "ö", "\u0085", "\\u0085"]
    assert len({case_id(name) for name in names}) == len(names)


def test_spellings_of_one_name():
    assert (
        same_name("Normal") == same_name("NORMAL ") == "normal"
        and same_name("Ma\u0308nner") == same_name("MÄNNER")
        and same_name("a b") != same_name("a_b")
    )
