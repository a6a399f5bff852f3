"""Two to four networks beside each other on one image."""

from dataclasses import replace
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lungcad.analysis import Analysis, trust_checks
from lungcad.app import run_store, session, store, url, viewer
from lungcad.app.components.literal import literal
from lungcad.app.components.text import card_facts, class_label
from lungcad.app.defaults import PAIR, TAUGHT
from lungcad.app.navigation import plain_errors
from lungcad.app.predict.gate import gate_texts, mark_of
from lungcad.app.predict.trust import badge, is_weak
from lungcad.explain import METHODS, Options, methods_for
from lungcad.explain.attribution import Cost
from lungcad.explain.trust import Check, agreement
from lungcad.imaging import CTImage
from lungcad.scheduler import Kind, Turn

PANES_IN_A_ROW = 3


def pick_networks() -> list[str]:
    """Two to four networks; the choice lives in the link. A baseline and its partner at first."""
    cards = store.cards()
    names = list(cards)
    chosen = url.multiselect(
        "Networks",
        names,
        list(PAIR) if set(PAIR) <= set(names) else names[:2],
        key="networks",
        max_selections=4,
        help="Two to four, side by side on the same image. The clearest pair differs only in attention.",
    )
    st.caption("  \n".join(f"**{literal(name)}**: {literal(card_facts(cards[name]))}" for name in chosen))
    return chosen


def offer_taught() -> None:
    """A button that shows what teaching a gate changes, where the three networks are installed."""
    names = TAUGHT["networks"].split(",")

    def show() -> None:
        st.query_params.pop("case", None)
        st.session_state.update(networks=names, example=TAUGHT["example"], method=TAUGHT["method"])
        session.take_example(TAUGHT["example"])

    if set(names) <= set(store.cards()):
        st.button(
            "No attention, attention, taught attention",
            key="show_taught",
            icon=":material/school:",
            on_click=show,
            help="Three nodule networks trained alike: without attention, with a gate, and with a gate that was taught where radiologists draw the nodule.",
        )


def step_through(network: str) -> None:
    """Previous and next test case of the network's data set, by button or key."""
    dataset, cases = store.cards()[network].dataset, run_store.test_cases_of(network)
    if not cases:
        return
    current = (st.query_params.get("case") or "").partition("/")
    position = cases.index(current[2]) if current[0] == dataset and current[2] in cases else -1

    def go(index: int) -> None:
        st.query_params["case"] = f"{dataset}/{cases[index]}"

    left, right, position_column = st.columns([1, 1, 3])
    left.button(
        "Previous test case",
        key="previous_case",
        shortcut="p",
        disabled=position <= 0,
        on_click=go,
        args=(position - 1,),
        help="Or press P.",
    )
    right.button(
        "Next test case",
        key="next_case",
        shortcut="n",
        disabled=position >= len(cases) - 1,
        on_click=go,
        args=(position + 1,),
        help="Or press N.",
    )
    description = f"{len(cases)} test cases of {network} ({dataset})"
    position_column.caption(f"Case {position + 1} of {description}" if position >= 0 else f"This image is none of the {description}.")


def pick_method(names: list[str]) -> str:
    """A fast or medium method that suits every chosen network."""
    methods_by_network = [set(methods_for(store.cards()[name])) for name in names]
    common = [
        name
        for name in METHODS
        if all(name in methods_of_network for methods_of_network in methods_by_network) and METHODS[name].cost is not Cost.SLOW
    ]
    return url.selectbox(
        "Explanation",
        common,
        key="method",
        default=common[0],
        format_func=lambda name: METHODS[name].title,
        help="Drawn for every network, on one colour scale.",
    )


def show_gates(image: CTImage, names: list[str]) -> None:
    """Which networks decline the image, and why; a button shows, or hides, their answers."""
    declined = {name: result for name in names if (result := session.result(image, name, None, None)).gate.is_declined}
    if not declined:
        return
    are_hidden = any(result.is_hidden for result in declined.values())
    outcome = "No answer" if are_hidden else "Declined, do not believe the answer"
    whose = " An example of lungcad's own is shown all the same." if not are_hidden and session.is_example(image) else ""
    networks_by_reason: dict[str, list[str]] = {}
    for name, result in declined.items():
        networks_by_reason.setdefault(" ".join(result.gate.reasons), []).append(literal(name))
    st.warning(
        "  \n".join(
            f"**{outcome} of {' and '.join(networks)}**: {literal(reason)}{whose}" for reason, networks in networks_by_reason.items()
        ),
        icon=":material/block:",
    )
    st.button(
        "Show anyway" if are_hidden else "Hide declined answers",
        key="show_anyway",
        icon=":material/visibility:" if are_hidden else ":material/visibility_off:",
        type="secondary" if are_hidden else "tertiary",
        on_click=session.show_anyway,
        args=(image, list(declined), are_hidden),
        help="Of this image only. What is shown although it was declined is marked on the page and in saved pictures.",
    )


def pane_of(result: Analysis, method: str, *, title: str) -> viewer.Pane:
    """The slice with the method's map; without it where the answer is hidden, marked where it was declined."""
    if result.is_hidden:
        texts = {"Gate": f"declined, the answer is hidden: {result.gate.reason}"}
        return viewer.Pane(result.image, title=f"{title}: no answer (declined)", texts=texts)
    heat_map = viewer.HeatMap.of(result.attributions[method], result.geometry, texts=gate_texts(result), mark=mark_of(result))
    return viewer.Pane(result.image, heat_map, title=title + (" (declined)" if result.gate.is_declined else ""))


@st.fragment
@plain_errors()
def show_maps(image: CTImage, names: list[str], method: str) -> None:
    """The maps side by side on one colour scale, zoom, pan and window linked; of two also their difference; agreement. A declined one is hidden."""
    results = {name: session.result(image, name, method, None) for name in names}
    panes = [pane_of(result, method, title=name) for name, result in results.items()]
    results = {name: result for name, result in results.items() if not result.is_hidden}
    maps = {name: result.attributions[method] for name, result in results.items()}
    if len(names) == len(maps) == 2:
        first, second = (maps[name].values / max(maps[name].peak, 1e-12) for name in names)
        difference = viewer.HeatMap.on_image(
            second - first, "difference", "second minus first (share of each peak)", signed=True, limits=(-1, 1)
        )
        declined = next((result for result in results.values() if result.gate.is_declined), None)
        if declined is not None:
            difference = replace(difference, texts=gate_texts(declined), mark=mark_of(declined))
        panes.append(viewer.Pane(image, difference, title=f"{names[1]} minus {names[0]}"))
    viewer.show(panes, key="compared", height=420, in_link=True, name="lungcad-compare")
    if not results:
        return
    predicted = ", ".join(f"{name}: {class_label(result.target)}" for name, result in results.items())
    st.caption(
        f"Each map explains its network's own answer ({literal(predicted)}), all on one scale."
        + (" For the difference each map is divided by its own peak first." if len(names) == 2 else "")
    )
    st.caption(
        "  \n".join(
            f"Rank correlation of {literal(one)} and {literal(other)} (1: the same places, 0: unrelated): "
            + ("one of the maps is the same everywhere." if value is None else f"**{value:+.2f}**.")
            for (one, other), value in agreement(maps).items()
        )
    )


@st.fragment
@plain_errors()
def show_masks(image: CTImage, names: list[str]) -> None:
    """What each attention network weighs its feature map with, the same for every class."""
    attending = [name for name in names if "attention" in methods_for(store.cards()[name])]
    results = {name: session.result(image, name, "attention", None) for name in attending}
    results = {name: result for name, result in results.items() if not result.is_hidden}
    if not results:
        return
    st.markdown("**Attention masks**: the weights that each network gives to the positions of its feature map, the same for every class")
    panes = [pane_of(result, "attention", title=name) for name, result in results.items()]
    with st.columns([len(panes), max(PANES_IN_A_ROW - len(panes), 1)])[0]:
        viewer.show(panes, key="masks", height=360, name="lungcad-attention")
    for name, result in results.items():
        for note in result.attributions["attention"].notes:
            st.caption(f"{literal(name)}: {literal(note)}")


def show_trust(image: CTImage, names: list[str], method: str) -> None:
    """The quick trust checks of each network's map, question by question."""
    if not url.toggle("Check the maps", key="compare_trust", help="Runs the trust checks of both maps, some seconds each."):
        return
    columns = st.columns(len(names))
    for column, name in zip(columns, names, strict=True):
        result: Analysis = session.result(image, name, method, None)
        if result.is_hidden:
            column.caption(f"{literal(name)}: hidden, its gate declined the image.")
            continue
        key = ("trust beside", *session.result_key(image, name, method, result.target, Options()))
        with column:
            place = st.empty()
            compute = partial(_checks_of, image=image, network=name, result=result, method=method, place=place)
            checks = session.get_or_compute(key, compute, kind=Kind.CHECKS, place=place)
            place.empty()
            st.markdown(f"**{literal(name)}**")
            for check in checks:
                number = "" if check.value is None else f" {check.value:z.2f} (control {check.control:z.2f})"
                st.markdown(f"{check.question} {badge(check, weak=is_weak(check, method))}{number}")


def _checks_of(turn: Turn, image: CTImage, network: str, result: Analysis, method: str, place: DeltaGenerator) -> list[Check]:
    def draw(done: int, total: int) -> None:
        place.caption(f"checking … {done} of {total}")

    return list(trust_checks(image, store.model(network), result, method, on_progress=turn.with_steps(draw)))
