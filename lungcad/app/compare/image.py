"""Two to four networks beside each other on one image."""

import streamlit as st

from lungcad.analysis import Analysis, trust_checks
from lungcad.app import session, store, url, viewer
from lungcad.app.components.literal import literal
from lungcad.app.components.text import card_title, class_label
from lungcad.app.navigation import plain_errors
from lungcad.app.predict.trust import BADGES
from lungcad.explain import METHODS, methods_for
from lungcad.explain.attribution import Cost
from lungcad.explain.trust import agreement
from lungcad.imaging import CTImage

PANES_IN_A_ROW = 3


def pick_networks() -> list[str]:
    """Two to four networks; the choice lives in the link. A baseline and its partner at first."""
    cards = store.cards()
    names = list(cards)
    return url.multiselect(
        "Networks", names, names[:2], key="networks", max_selections=4, format_func=lambda name: card_title(cards[name]),
        help="Two to four, side by side on the same image. The clearest pair differs only in attention.",
    )  # fmt: skip


def step_through(network: str) -> None:
    """Previous and next test case of the network's data set, by button or key."""
    dataset, cases = store.cards()[network].dataset, store.test_cases_of(network)
    if not cases:
        return
    current = (st.query_params.get("case") or "").partition("/")
    place = cases.index(current[2]) if current[0] == dataset and current[2] in cases else -1

    def go(to: int) -> None:
        st.query_params["case"] = f"{dataset}/{cases[to]}"

    left, right, where = st.columns([1, 1, 3])
    left.button(
        "Previous test case", key="previous_case", shortcut="p", disabled=place <= 0, on_click=go, args=(place - 1,), help="Or press P."
    )
    right.button(
        "Next test case",
        key="next_case",
        shortcut="n",
        disabled=place >= len(cases) - 1,
        on_click=go,
        args=(place + 1,),
        help="Or press N.",
    )
    whose = f"{len(cases)} test cases of {network} ({dataset})"
    where.caption(f"Case {place + 1} of {whose}" if place >= 0 else f"This image is none of the {whose}.")


def pick_method(names: list[str]) -> str:
    """A cheap or middling method that suits every chosen network."""
    suited = [set(methods_for(store.cards()[name])) for name in names]
    common = [name for name in METHODS if all(name in each for each in suited) and METHODS[name].cost is not Cost.SLOW]
    return url.selectbox(
        "Explanation",
        common,
        key="method",
        default=common[0],
        format_func=lambda name: METHODS[name].title,
        help="Drawn for every network, on one colour scale.",
    )


@st.fragment
@plain_errors()
def show_maps(image: CTImage, names: list[str], method: str) -> None:
    """The maps side by side on one colour scale, zoom, pan and window linked; the difference of the first two; agreement."""
    results = {name: session.result(image, name, method, None) for name in names}
    maps = {name: result.attributions[method] for name, result in results.items()}
    panes = [viewer.Pane(image, viewer.HeatMap.of(maps[name], results[name].geometry), title=name) for name in names]
    first, second = (maps[name].values / max(maps[name].peak, 1e-12) for name in names[:2])
    difference = viewer.HeatMap.on_image(
        second - first, "difference", "second less first (share of each peak)", signed=True, limits=(-1, 1)
    )
    panes.append(viewer.Pane(image, difference, title=f"{names[1]} less {names[0]}"))
    viewer.show(panes, key="compared", height=420, in_link=True, name="lungcad-compare")
    predicted = ", ".join(f"{name}: {class_label(result.target)}" for name, result in results.items())
    st.caption(
        f"Each map explains its network's own answer ({literal(predicted)}), all on one scale. For the difference each map is divided by its own peak first."
    )
    for (one, other), value in agreement(maps).items():
        st.caption(
            f"Rank correlation of {literal(one)} and {literal(other)}: "
            + ("one of the maps is the same everywhere." if value is None else f"**{value:+.2f}**.")
        )


@st.fragment
@plain_errors()
def show_masks(image: CTImage, names: list[str]) -> None:
    """What each attention network weighs its feature map with, the same for every class."""
    results = {name: session.result(image, name, "attention", None) for name in names if "attention" in methods_for(store.cards()[name])}
    if not results:
        return
    st.markdown("**Attention masks**: what each network multiplies its feature map with, the same for every class")
    panes = [
        viewer.Pane(image, viewer.HeatMap.of(result.attributions["attention"], result.geometry), title=name)
        for name, result in results.items()
    ]
    with st.columns([len(panes), max(PANES_IN_A_ROW - len(panes), 1)])[0]:
        viewer.show(panes, key="masks", height=360, name="lungcad-attention")
    for name, result in results.items():
        for note in result.attributions["attention"].notes:
            st.caption(f"{literal(name)}: {literal(note)}")


def show_trust(image: CTImage, names: list[str], method: str) -> None:
    """The cheap trust checks of each network's map, question by question."""
    if not url.toggle("Check the maps", key="compare_trust", help="Runs the trust checks of both maps, some seconds each."):
        return
    columns = st.columns(len(names))
    for column, name in zip(columns, names, strict=True):
        result: Analysis = session.result(image, name, method, None)
        key = ("trust beside", image.key, store.cards()[name].sha256, method)
        checks = session.get_or_compute(key, lambda name=name, result=result: list(trust_checks(image, store.model(name), result, method)))
        with column:
            st.markdown(f"**{literal(name)}**")
            for check in checks:
                icon, colour = BADGES[check.verdict]
                number = "" if check.value is None else f" {check.value:.2f} (control {check.control:.2f})"
                st.markdown(f"{check.question} :{colour}-badge[{icon} {check.verdict}]{number}")
