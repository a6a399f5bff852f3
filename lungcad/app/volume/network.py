"""A network over the series on the page: its answer, and what of it is drawn over the volume."""

import json

import numpy as np
import streamlit as st

from lungcad.app import jobs, session, store, url
from lungcad.app.components.ask_another import offer_others
from lungcad.app.components.literal import literal
from lungcad.app.components.text import card_facts, class_label, class_text
from lungcad.app.defaults import NETWORK, first_of
from lungcad.app.results import Key
from lungcad.app.volume.report import offer_series
from lungcad.app.volume.source import Opened
from lungcad.app.volume.viewer import NETWORK_COLOUR, READERS_COLOUR, Curve, Overlay, Place
from lungcad.explain import METHODS, methods_for
from lungcad.explain.attribution import Cost
from lungcad.gate import sees_lungs
from lungcad.models import TrainedModel
from lungcad.models.card import ModelCard
from lungcad.progress import Progress
from lungcad.scheduler import Kind
from lungcad.series.answer import analyse_volume, pooled
from lungcad.series.heat_volume import heat_volume
from lungcad.series.inside import find_lungs
from lungcad.series.pooling import negative_class, suspicion_of
from lungcad.series.ranking import hits
from lungcad.series.readers import as_lesions
from lungcad.series.result import SeriesAnswer

ANYWAY = "volume_anyway"
PLACE_MM = 20.0
"""Circle around a position of the network: about the size of the map's cells is all that it can tell."""


def network_picker() -> tuple[str, str]:
    """(network, method) among those that read whole slices."""
    cards = _slice_networks()
    network = url.selectbox("Network", list(cards), key="volume_network", default=first_of(list(cards), NETWORK),
                            help="It reads every slice inside the lungs by itself.")  # fmt: skip
    st.caption(literal(card_facts(cards[network])))
    methods = [name for name in methods_for(cards[network]) if METHODS[name].cost is Cost.FAST and not METHODS[name].control]
    method = url.selectbox("Heat map", methods, key="volume_method", default="gradcam", format_func=lambda name: METHODS[name].title,
                           help="Of every slice read; the places that the network finds suspicious are taken from it.")  # fmt: skip
    return network, method


def _slice_networks() -> dict[str, ModelCard]:
    return {name: card for name, card in store.cards().items() if sees_lungs(card)}


def known_answer(opened: Opened, network: str, method: str) -> SeriesAnswer | None:
    """The network's answer, where it was run before in this session; with declined slices where the reader wants them."""
    answer: SeriesAnswer | None = session.computed(_key(opened, network, method))
    if answer is not None and answer.declined and st.session_state.get(ANYWAY):
        return pooled(opened.volume, answer.card, answer.slices, answer.lungs, method=method, show_anyway=True)
    return answer


def run_network(opened: Opened, network: str, method: str) -> None:
    """The button, or the progress while it runs; the page is drawn anew when it is done."""
    key, model = _key(opened, network, method), store.model(network)
    if st.session_state.pop("volume_start", False):
        st.session_state["volume_answer_running"] = key
    jobs.run_in_session(
        "volume_answer",
        key,
        "the network over the series",
        lambda on_progress: _analysed(opened, model, method, on_progress),
        help="Every slice inside the lungs, in batches; the curve and the map appear when it is done.",
    )


def _analysed(opened: Opened, model: TrainedModel, method: str, on_progress: Progress) -> SeriesAnswer:
    """The lungs are looked for once a series, whatever reads it, and stay when the run is stopped after them. Each is half of the progress."""
    volume, n = opened.volume, opened.volume.shape[0]
    key = ("volume_lungs", volume.sha256)
    is_known = session.computed(key) is not None
    lungs = session.get_or_compute(key, lambda _: find_lungs(volume, lambda done, _: on_progress(done, 2 * n)), kind=Kind.JOB)

    def read(done: int, total: int) -> None:
        on_progress(done, total) if is_known else on_progress(n + round(n * done / total), 2 * n)

    return analyse_volume(volume, model, lungs=lungs, method=method, on_progress=read)


def _key(opened: Opened, network: str, method: str) -> Key:
    return "volume", opened.volume.sha256, store.cards()[network].sha256, method


def lesions_of(opened: Opened) -> list[tuple[str, tuple[float, float, float], float]]:
    """What is known to be there: the readers' nodules, or the lesions drawn into the example."""
    if opened.phantom:
        return opened.phantom.drawn_lesions
    return as_lesions(opened.marks.nodules) if opened.marks else []


def overlays_of(opened: Opened, answer: SeriesAnswer | None) -> list[Overlay]:
    """Heat map, lung field, readers' contours: whatever there is."""
    volume, found = opened.volume, []
    _, rows, columns = volume.shape
    if answer is not None:
        heat = heat_volume(volume, answer, side=64)[0]
        in_lungs = heat[np.stack([answer.lungs.on_slice(index, heat.shape[1:]) for index in range(len(heat))]) & np.isfinite(heat)]
        if in_lungs.size and (most := float(in_lungs.max())) > 0:
            identity = f"heat-{volume.sha256[:12]}-{answer.card.sha256[:12]}-{answer.method}-{answer.target}-{answer.show_anyway}"
            label = f"{METHODS[answer.method].title}, {class_label(answer.target)} (raw, {0.2 * most:.2g} to {most:.2g})"
            found.append(Overlay(identity, label, heat, (1.0, rows / heat.shape[1], columns / heat.shape[2]), most=most))
        mask = answer.lungs.mask[:, ::2, ::2]
        found.append(Overlay(f"lungs-{volume.sha256[:12]}", "lung field", mask, (1.0, rows / mask.shape[1], columns / mask.shape[2])))
    votes = opened.phantom.lesions if opened.phantom else opened.marks.votes if opened.marks else None
    if votes is not None and votes.any():
        spans = [np.flatnonzero(votes.any(tuple(other for other in range(3) if other != axis)))[[0, -1]] for axis in range(3)]
        box = tuple(slice(int(first), int(last) + 1) for first, last in spans)
        label = "lesions as drawn" if opened.phantom else "readers’ contours"
        origin = (float(box[0].start), float(box[1].start), float(box[2].start))
        found.append(
            Overlay(f"marks-{volume.sha256[:12]}", label, (votes[box] > 0).astype(np.uint8), (1.0, 1.0, 1.0), origin, READERS_COLOUR)
        )
    return found


def places_of(opened: Opened, answer: SeriesAnswer | None) -> list[Place]:
    """The network's positions, most suspicious first, then what is known to be there."""
    places = []
    for position in answer.positions if answer else ():
        text = f"{position.rank}. suspicion {position.suspicion:.0%}, slice {position.slice_index + 1}"
        places.append(Place(str(position.rank), text, (position.slice_index, position.row, position.column), PLACE_MM, NETWORK_COLOUR))
    ratings = {nodule.label: nodule.rating for nodule in opened.marks.nodules} if opened.marks else {}
    for label, middle, diameter in lesions_of(opened):
        text = f"{label}, {diameter:.0f} mm" + (f", {ratings[label]}" if label in ratings else "")
        places.append(Place("", text, opened.volume.voxel(middle), diameter, READERS_COLOUR))
    return places


def curve_of(answer: SeriesAnswer) -> Curve:
    """The suspicion of each slice read."""
    table = np.array([list(each.prediction.probabilities.values()) for each in answer.slices])
    hidden = [each.gate.is_declined and not answer.show_anyway for each in answer.slices]
    return Curve("suspicion", [each.index for each in answer.slices], suspicion_of(answer.card, table).tolist(), hidden)


def show_summary(opened: Opened, answer: SeriesAnswer) -> None:
    """The answer in a line, above the pictures; where there is none, which network may be asked instead."""
    if answer.prediction is None:
        st.markdown(f"**No answer**: the gate declines {answer.declined} of {len(answer.slices)} slices.")
        offer_others(_slice_networks(), answer.card.name, key="volume_network")
        return
    lesions = lesions_of(opened)
    n_hit = sum(hit.rank is not None for hit in hits(answer.positions, lesions))
    known = f" · {n_hit} of {len(lesions)} {'lesions' if opened.phantom else 'marked nodules'} found" if lesions else ""
    st.markdown(f"**{class_text(answer.prediction.label)} {answer.prediction.confidence:.1%}** over {len(answer.slices)} slices{known}")


def show_answer(opened: Opened, answer: SeriesAnswer) -> None:
    """Class and probability of the series, how it was pooled, what was hit, and the numbers as a file."""
    if answer.declined:
        st.toggle("Show what the gate declines", key=ANYWAY, help="Counts and draws the declined slices too; the result says so.")
    if answer.prediction is None:
        st.header("No answer", anchor=False)
    else:
        st.header(class_text(answer.prediction.label), anchor=False)
        kind = "calibrated probability" if answer.pooling.is_calibrated else "pooled probability, not calibrated for series"
        st.markdown(f"**{answer.prediction.confidence:.1%}** {kind}", help=literal(answer.pooling.how_chosen))
    st.caption(f"{len(answer.slices)} of {opened.volume.shape[0]} slices lie inside the lungs and were read; the answer is {answer.pooling.to_dict()['what']}. "
               + literal(answer.pooling.how_chosen))  # fmt: skip
    meant = "the highest probability of any class" if negative_class(answer.card) is None else "100 % less the probability of no finding"
    st.caption(f"Suspicion, in the curve and of the places: {meant}, slice by slice.")
    if answer.warnings:
        st.warning("  \n".join(map(literal, answer.warnings)), icon=":material/info:")
    _show_hits(opened, answer)
    result = answer.report(opened.volume)
    offer_series(opened, answer, lesions_of(opened))
    st.download_button(
        "Result (JSON)",
        json.dumps(result, indent=2),
        f"{answer.file_stem(opened.volume)}.json",
        "application/json",
        on_click="ignore",
        help="Every slice's probabilities, the pooled answer and the positions; no file name, no patient data.",
    )


def _show_hits(opened: Opened, answer: SeriesAnswer) -> None:
    lesions = lesions_of(opened)
    if not lesions or answer.prediction is None:
        return
    hits_by_lesion = hits(answer.positions, lesions)
    n_hit = sum(hit.rank is not None for hit in hits_by_lesion)
    whose = "lesions that were drawn" if opened.phantom else "nodules that readers marked"
    st.markdown(f"**{n_hit} of {len(hits_by_lesion)}** {whose} lie under one of the network’s {len(answer.positions)} positions.",
                help="A position hits a lesion when it lies within the lesion’s radius of its middle (LUNA16’s rule).")  # fmt: skip
    if opened.phantom:
        words = [f"{literal(hit.label)}: " + (f"hit by position {hit.rank}" if hit.rank else "missed") for hit in hits_by_lesion]
        st.caption(" · ".join(words))
