"""Which closer look is open on Predict."""

from lungcad.app import url

PANELS = {
    "trust": "Can I believe the map?",
    "methods": "All methods",
    "nearest": "Nearest training cases",
    "erase": "What would change its mind?",
    "draw": "Draw first, then reveal",
}


def panel_picker() -> str:
    """What to look at below the map; kept in the link. Only the chosen one is computed."""
    return url.selectbox(
        "Look closer",
        list(PANELS),
        key="panel",
        default="trust",
        format_func=PANELS.__getitem__,
        label_visibility="collapsed",
        help="Checks of the map, other methods, similar training cases, and experiments of your own.",
    )
