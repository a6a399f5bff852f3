import pytest

from lungcad.registry import Registry


def test_a_name_is_given_once_and_the_order_stays():
    table: Registry[int] = Registry("number")
    assert table.add("two", 2) == 2 and table.register("one")(1) == 1
    assert list(table) == ["two", "one"]
    with pytest.raises(ValueError, match="two numbers of the name 'one'"):
        table.add("one", 3)
    assert table["one"] == 1
