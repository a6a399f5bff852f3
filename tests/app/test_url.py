"""Controls whose value stands in the link."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from lungcad.app import url

    of_set = {"one": ["plain", "turned"], "other": ["plain", "mirrored"]}[st.session_state.get("set", "one")]
    if not st.session_state.get("away"):
        url.selectbox("Which pairs", of_set, key="pairs", default="plain")


def test_a_value_that_a_control_wrote_itself_is_no_wrong_link():
    """Another data set, whose kinds of pairs are others: nobody followed a link."""
    app = AppTest.from_function(page, default_timeout=30).run()
    app.selectbox(key="pairs").set_value("turned").run()
    assert app.query_params["pairs"] in ("turned", ["turned"])
    app.session_state["away"] = True
    app.run()
    app.session_state["away"], app.session_state["set"] = False, "other"
    app.run()
    assert app.selectbox(key="pairs").value == "plain" and not app.info and not app.exception
    followed = AppTest.from_function(page, default_timeout=30)
    followed.query_params["pairs"] = "turned"
    followed.session_state["set"] = "other"
    followed.run()
    assert "“Which pairs” is unknown" in followed.info[0].value
