"""The Predict page as a test opens it."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


def predict_page(panel: str = "erase") -> AppTest:
    """Not run yet; "erase" is the panel that computes nothing by itself."""
    page = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=120).switch_page("pages/1_Predict.py")
    page.query_params["panel"] = panel
    return page
