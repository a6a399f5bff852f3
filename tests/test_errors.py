import pytest

from lungcad.errors import UnknownNameError, lookup_choice
from lungcad.imaging import Scale


def test_a_choice_is_found_by_its_value_or_refused_with_all_of_them():
    assert lookup_choice(Scale, "grey", "scale") is Scale.GREY
    with pytest.raises(UnknownNameError, match="Unknown scale 'gray'; choose one of: auto, hounsfield, grey"):
        lookup_choice(Scale, "gray", "scale")
