"""What a page shows a newcomer: a slice of which the truth is known, and a network of which it is known what it uses."""

from collections.abc import Sequence

EXAMPLE = "phantom-spiculated-lesion.png"
NETWORK, METHOD = "phantom-honest-taught", "attention"
"""Its attention was taught the contours, so its mask is the map that lies on a lesion more than any other here (data/truth)."""
PAIR = ("phantom-honest", "phantom-honest-gate")
"""Of networks, on the page that compares them."""
TAUGHT = {
    "view": "image",
    "networks": "lidc-efficientnet-lite0-votes,lidc-efficientnet-lite0-gate,lidc-efficientnet-lite0-taught",
    "example": "spiculated-nodule-crop.png",
    "method": "gradcam",
}
"""Link to that page: no attention, a gate, and a finer gate taught the readers' contours, trained alike, on a nodule."""


def first_of(names: Sequence[str], wanted: str) -> str:
    """``wanted`` where it is there, else the first of the names."""
    return wanted if wanted in names else names[0]
