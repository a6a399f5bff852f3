"""The control of the app that chooses the runtime."""

from streamlit.testing.v1 import AppTest


def page():
    import streamlit as st

    from lungcad.app import store
    from lungcad.app.components.backend_picker import backend_picker

    backend_picker()
    st.write(store.chosen_backend())


def test_the_runtime_is_the_sessions_own_and_stays_in_the_link():
    app = AppTest.from_function(page, default_timeout=30).run()
    assert app.selectbox(key="backend").options == ["Automatic", "PyTorch", "ONNX Runtime", "OpenVINO", "ONNX Runtime in int8"]
    assert app.markdown[-1].value == "auto"
    app.selectbox(key="backend").set_value("openvino").run()
    assert app.markdown[-1].value == "openvino" and app.query_params["backend"] == "openvino"
    assert AppTest.from_function(page, default_timeout=30).run().markdown[-1].value == "auto"


def test_where_only_torch_is_installed_there_is_nothing_to_choose(monkeypatch):
    monkeypatch.setattr("lungcad.app.components.backend_picker.installed", lambda: ["torch"])
    app = AppTest.from_function(page, default_timeout=30)
    app.session_state["backend"] = "openvino"
    app.run()
    assert not app.selectbox and app.markdown[-1].value == "auto"
