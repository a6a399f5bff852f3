"""What lungcad is, in a sentence beside an explained slice, and the tasks it serves."""

from pathlib import Path

import streamlit as st

from lungcad.app.home.stories import STORIES
from lungcad.app.navigation import NOTICE

READ_A_SLICE = STORIES[0]
PICTURE = Path(__file__).with_name("explained-slice.png")
"""The viewer of the first story, as tests/e2e/test_stories.py cuts it out of Predict."""
STYLE = """
.st-key-start a { background: #2a6f97; padding: .4rem 1rem; width: fit-content; }
.st-key-start a:hover { background: #1f5676; }
.st-key-start a :is(p, span) { color: #fff; font-weight: 600; }
"""
"""The link that a newcomer clicks first looks like the primary button that it is."""
TASKS = (
    (
        "pages/1_Predict.py",
        "Explain a slice",
        ":material/radiology:",
        "The class, how sure, where the network looked, and whether to believe it.",
    ),
    (
        "pages/5_Volume.py",
        "Read a series",
        ":material/view_in_ar:",
        "A whole CT series in three planes: on which slices a network gives its answer, and how it rates a nodule.",
    ),
    (
        "pages/2_Compare.py",
        "Compare networks",
        ":material/compare:",
        "Networks with and without attention, on one image or over all test cases.",
    ),
    ("pages/3_Metrics.py", "Browse results", ":material/query_stats:", "Every number with its interval, down to the images behind it."),
    (
        "pages/4_Datasets.py",
        "Check a data set",
        ":material/dataset:",
        "Copies, leaks between its parts, and files whose format gives the class away.",
    ),
    (
        "pages/6_Lab.py",
        "Teach a network to cheat",
        ":material/experiment:",
        "Plant a shortcut, train in seconds, and watch where the network looks.",
    ),
)
"""(page, title, icon, what one does there)."""


def show_what_it_is() -> None:
    """Title, one sentence, the notice; the picture beside them."""
    words, picture = st.columns([5, 3])
    with words:
        st.title("Look behind a lung-CT classifier's answer", anchor=False)
        st.markdown(
            "A network names a class for a CT slice; **lungcad** shows where it looked, tests whether that explanation can be believed, "
            "and says how good the network was on images it never saw."
        )
        with st.container(key="start"):
            st.page_link(READ_A_SLICE.page, label="Explain this slice", icon=":material/play_arrow:", query_params=READ_A_SLICE.query)
        st.caption(NOTICE)
    if PICTURE.is_file():
        picture.image(
            str(PICTURE),
            caption="A made-up slice with a lesion, and where a network looked: the first story.",
            width="stretch",
            alt="A made-up CT slice; the heat map is brightest over the lesion.",
        )


def show_tasks() -> None:
    """A card a task, three in a row."""
    for column, (page, title, icon, what) in zip([*st.columns(3), *st.columns(3)], TASKS, strict=True):
        with column.container(border=True, height="stretch"):
            st.page_link(page, label=f"**{title}**", icon=icon)
            st.caption(what)
