"""Links of pages, as a reader to be fuzzed."""

from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode

from lungcad.app import url
from lungcad.evaluate.selection import from_text


class _Page(SimpleNamespace):
    """What a control asks of Streamlit: it shows what the session's state holds."""

    def __init__(self, link: dict[str, str]) -> None:
        self.query_params, self.session_state = dict(link), {}
        super().__init__()

    def info(self, sentence: str) -> None:
        assert "\n" not in sentence

    def show(self, *_: object, key: str, **__: object) -> object:
        return self.session_state[key]

    selectbox = segmented_control = toggle = slider = number_input = select_slider = multiselect = show


def link_read(data: bytes) -> object:
    """Every kind of control, its value from the link; it holds one that it could have been given by hand."""
    link = {key: values[-1] for key, values in parse_qs(data.decode("utf-8", "replace"), keep_blank_values=True).items()}
    page, streamlit, names = _Page(link), url.st, ["gradcam", "lime", "ü"]
    url.st = page
    try:
        assert url.selectbox("A", names, key="a", default="lime") in names
        assert url.segments("B", names, key="b") in names
        assert url.toggle("C", key="c") in (True, False)
        assert 0 <= url.slider("D", 0.0, 1.0, 0.5, 0.1, key="d") <= 1
        assert 1 <= url.number("E", 1, 100, 7, 1, key="e") <= 100
        assert url.steps("F", [50, 100], 50, key="f") in (50, 100)
        assert set(url.multiselect("G", names, [], key="g", max_selections=2)) <= set(names)
        from_text(link.get("h", ""), names, ["UMAP"])
    finally:
        url.st = streamlit
    return page


def good_and_bad() -> list[bytes]:
    good = urlencode({"a": "lime", "b": "ü", "c": "True", "d": "0.3", "e": "12", "f": "100", "g": "lime,gradcam", "h": "cell~lime~ü"})
    return [
        b"h=band~lime~0.1~0.9",
        b"h=region~UMAP~0,0~1,0~1,1",
        good.encode(),
        b"d=1e400&e=0x10&f=nan&g=,,lime&c=true",
        b"d=-0.0&e=%D9%A3&d=nan",
    ]
