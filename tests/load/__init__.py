"""Many users at once: the app over Streamlit's own protocol, the API over HTTP. ``python -m tests.load --help``."""
