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


def link_page() -> None:
    import streamlit as st

    from lungcad.app import url

    url.visit(st.session_state.get("at", "Lab"))
    wanted = url.taken("preset")
    if wanted is not None:
        st.session_state["chosen"] = wanted
    st.button("Honest", on_click=st.session_state.update, args=({"chosen": "honest"},))


def test_what_a_link_names_does_not_undo_a_click_that_comes_before_the_browser_has_the_new_link():
    app = AppTest.from_function(link_page, default_timeout=30)
    app.query_params["preset"] = "cheater"
    app.run()
    assert app.session_state["chosen"] == "cheater" and "preset" not in app.query_params
    app.query_params["preset"] = "cheater"  # the click is sent with the link as it was
    app.button[0].click().run()
    assert app.session_state["chosen"] == "honest" and "preset" not in app.query_params


def test_a_link_that_is_followed_once_more_from_another_page_counts_again():
    app = AppTest.from_function(link_page, default_timeout=30)
    for at in ("Lab", "Home", "Lab"):
        app.session_state["at"], app.session_state["chosen"] = at, "honest"
        if at == "Lab":
            app.query_params["preset"] = "cheater"
        app.run()
        assert app.session_state["chosen"] == ("cheater" if at == "Lab" else "honest")
