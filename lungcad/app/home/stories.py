"""Stories of one minute: each is a link that opens a page in the right state, with what to look at there."""

from dataclasses import dataclass, field

import streamlit as st

from lungcad.app.defaults import EXAMPLE, METHOD, NETWORK, TAUGHT


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
        {"example": EXAMPLE, "model": NETWORK, "method": METHOD, "panel": "trust"},
        (
            "This slice is made up, so it is known what is on it: read the answer, and how sure it is.",
            "See how near the bright colours come to the lesion: “Show the true contour” tells.",
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
        ("No attention, attention, taught attention", "pages/2_Compare.py", TAUGHT),
    ),
    Story(
        "What is behind 98 %?",
        "pages/3_Metrics.py",
        {"runs": "lc-efficientnet-lite0-published", "section": "Cases"},
        (
            "This network was trained and tested on LC25000 split at random, as papers do.",
            "Switch on “Without copies of training images”: the 98 % are scored again without the test pictures that training had seen, turned.",
            "So the 98 % prove little: many of its test tiles are training tiles, turned, and on the others its interval is wide.",
        ),
        ("The turned copies", "pages/4_Datasets.py", {"dataset": "lc25000", "pairs": "turned"}),
    ),
    Story(
        "Catch a network that cheats",
        "pages/1_Predict.py",
        {"example": "phantom-no-lesion-with-marker.png", "model": "phantom-cheat-marker", "method": "gradcam", "panel": "trust"},
        (
            "There is no lesion on this made-up slice, and the network says there is: in its training set a letter in the corner told the classes apart.",
            "See where the map lies: on the letter, not in a lung.",
            "Open the check of what lies outside the body: with the letter wiped, the answer falls.",
        ),
        (
            "The cheat its map hides",
            "pages/1_Predict.py",
            {"example": "phantom-no-lesion-with-marker.png", "model": "phantom-hidden-cheat", "method": "attention", "panel": "trust"},
        ),
    ),
    Story(
        "A network that needs no lungs",
        "pages/3_Metrics.py",
        {"runs": "iq-efficientnet-lite0-soft", "section": "Regions"},
        (
            "A network trained on a much published set was asked about its test slices again, with both lungs painted over.",
            "See the bar “without the lungs”, painted flat grey: it is right about as often as on the whole picture.",
            "With the lungs alone it is right less often; other fills change more answers, so look at those too.",
        ),
        (
            "One that was mended, beside a plain one",
            "pages/2_Compare.py",
            {"view": "runs", "first": "iq-efficientnet-lite0", "second": "iq-efficientnet-lite0-swapped"},
        ),
    ),
    Story(
        "Make one cheat yourself",
        "pages/6_Lab.py",
        {"preset": "cheater"},
        (
            "A letter stands beside 95 % of the lesions of these made-up patients: press “Train”.",
            "Watch the map settle on the letter, epoch by epoch.",
            "Then drag the letter over a slice without a lesion, and see the answer follow it.",
        ),
    ),
)


IN_A_ROW = 3
"""More of them would cut their titles."""


def show_stories() -> None:
    """A card a story, :data:`IN_A_ROW` beside each other."""
    for start in range(0, len(STORIES), IN_A_ROW):
        for column, story in zip(st.columns(IN_A_ROW), STORIES[start : start + IN_A_ROW], strict=False):
            with column.container(border=True, height="stretch"):
                st.page_link(story.page, label=f"**{story.title}**", icon=":material/play_circle:", query_params=story.query)
                st.caption("\n".join(f"{number}. {sentence}" for number, sentence in enumerate(story.look_at, 1)))
                if story.then:
                    words, page, query = story.then
                    st.page_link(page, label=words, icon=":material/flip:", query_params=query)
