"""Stories of one minute: each is a link that opens a page in the right state, with what to look at there."""

from dataclasses import dataclass, field

import streamlit as st


@dataclass(frozen=True)
class Story:
    """query: of the link. look_at: three sentences, in the order in which one looks. then: (words, page, query) of a second link."""

    title: str
    page: str
    query: dict[str, str] = field(default_factory=dict)
    look_at: tuple[str, str, str] = ("", "", "")
    then: tuple[str, str, dict[str, str]] | None = None


STORIES = (
    Story(
        "Read a slice",
        "pages/1_Predict.py",
        {"example": "spiculated-lesion.dcm", "model": "chest-efficientnet-lite0-gate", "method": "gradcam", "panel": "trust"},
        (
            "Read first whether the network should be asked at all: this slice is made up, so do not believe what it answers.",
            "Then see whether the bright colours lie on the lesion or beside it.",
            "Last, read the checks: a map that does no better than its control explains nothing.",
        ),
    ),
    Story(
        "Does attention help?",
        "pages/2_Compare.py",
        {"view": "runs", "first": "iq-efficientnet-lite0", "second": "iq-efficientnet-lite0-soft"},
        (
            "Two networks that differ only in attention answered the same test cases.",
            "Where the interval of a difference includes 0, these cases show no gain.",
            "Click a number of “Who is right?” to see the cases on which only one of them was right.",
        ),
    ),
    Story(
        "What is behind 98 %?",
        "pages/3_Metrics.py",
        {"runs": "lc-efficientnet-lite0-published", "section": "Cases"},
        (
            "This network was trained and tested on LC25000 split at random, as papers do.",
            "Switch on “Without copies of training images”: the 98 % are scored again without tiles whose turned copy trained the network.",
            "Then look at the turned copies themselves, side by side.",
        ),
        ("The turned copies", "pages/4_Datasets.py", {"dataset": "lc25000", "pairs": "turned"}),
    ),
)


def show_stories() -> None:
    """A card a story."""
    for column, story in zip(st.columns(len(STORIES)), STORIES, strict=True):
        with column.container(border=True, height="stretch"):
            st.page_link(story.page, label=f"**{story.title}**", icon=":material/play_circle:", query_params=story.query)
            st.caption("\n".join(f"{number}. {sentence}" for number, sentence in enumerate(story.look_at, 1)))
            if story.then:
                words, page, query = story.then
                st.page_link(page, label=words, icon=":material/flip:", query_params=query)
