"""Streamlit only: shared resources, session state, figures, widgets."""
