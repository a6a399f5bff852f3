"""A training while it waits, draws and trains, and its button."""

import streamlit as st

from lungcad.app.components.chart import chart_with_csv
from lungcad.app.components.layout import place_for
from lungcad.app.components.literal import literal
from lungcad.app.lab import trainings
from lungcad.app.lab.curves import curves_figure
from lungcad.app.lab.pictures import show_pictures
from lungcad.app.lab.trainings import Training
from lungcad.lab.feature_store import n_missing, seconds_to_draw
from lungcad.lab.sentences import warning
from lungcad.lab.settings import LabSettings


def train_button(settings: LabSettings) -> None:
    """Train, or Stop; and what must be known before."""
    training = trainings.find(settings)
    if training is not None and training.is_running:
        trainings.watch(training)  # after a reload, or in a second tab
        st.button("Stop", key="lab_stop", on_click=trainings.leave, args=(training,), icon=":material/stop:", width="stretch",
                  help="Ends the training, unless it is watched elsewhere too; patients that were drawn stay drawn.")  # fmt: skip
        return
    done = training is not None and training.results is not None
    watched = training is not None and done and trainings.is_watching(training)
    if watched:
        st.info("This training is finished: the result is below. Change a setting, the seed for instance, to watch another training.")
    elif done:
        st.info("Trained already, in another session: its result is below. Train does the same again before your eyes.")
    st.button(
        "Train", type="primary", key="lab_train", on_click=_begin, args=(settings,), icon=":material/play_arrow:", width="stretch", disabled=watched,
        help="This training is finished: its result is on the page. Change a setting for another one." if watched else
        "Trains the head in a process of its own; a few seconds where the patients are drawn already.",
    )  # fmt: skip
    if not watched and (before := trainings.n_before(settings)):
        st.caption(f"Trainings run one at a time, and {before} run or wait now: yours would begin after that, and see its place.")
    if text := warning(settings):
        st.info(text)
    if not done and (missing := n_missing(settings)):
        st.caption(
            f"{missing} patients have to be drawn first for these settings, once: about {max(round(seconds_to_draw(settings) / 60), 1)} min."
        )
    if training is not None and not done and training.job is not None:
        _say_how_it_ended(training)


def _begin(settings: LabSettings) -> None:
    trainings.begin(settings)


def _say_how_it_ended(training: Training) -> None:
    error = training.job and training.job.error
    if error:
        st.error(literal(error), icon=":material/error:")
    elif training.epochs:
        st.info(f"Stopped after epoch {len(training.epochs)} of {training.settings.epochs}: its curves stand, and nothing was tested.")
    elif training.done:
        st.info(f"Stopped while patients were drawn: {training.done} of {training.total} are ready and stay so. Nothing was trained.")
    else:
        st.info("Stopped before it began. Nothing was trained.")


def show_training(settings: LabSettings) -> None:
    """Pictures and curves: as they are, or anew after each epoch while the training runs."""
    training = trainings.find(settings)
    with place_for(settings.key, key="lab_live"):
        if training is not None and training.is_running:
            _watch(settings)
        else:
            _draw(settings, training)


@st.fragment(run_every=0.5)
def _watch(settings: LabSettings) -> None:
    training = trainings.find(settings)
    if training is None or not training.is_running:
        st.rerun()
    _draw(settings, training)


def _draw(settings: LabSettings, training: Training | None) -> None:
    epochs = list(training.epochs) if training else []
    pictures, curves = st.columns(2)
    with pictures:
        show_pictures(settings, epochs[-1]["maps"], epochs[-1]["probabilities"]) if epochs else show_pictures(settings)
        st.caption(
            "Unseen patients. Orange: the lesion’s outline; blue: the shortcut’s. Yellow and green: where the network finds evidence for a lesion."
        )
    with curves:
        if training is not None and training.is_running:
            _progress(training)
        if epochs:
            chart_with_csv(
                curves_figure(epochs, settings.epochs), key=f"lab_curves_{settings.key}",
                alt=f"Loss and area under the ROC curve after {len(epochs)} of {settings.epochs} epochs.",
            )  # fmt: skip
            st.caption("AUC on 100 unseen patients: 0.5 (dashed) is chance, 1 is perfect.")
        elif training is None or not training.is_running:
            st.markdown("*Press Train: the curves grow here, and the maps on the pictures are drawn anew after each epoch.*")


def _progress(training: Training) -> None:
    if training.place:
        st.progress(0.0, text=f"Waiting: place {training.place} in the queue. Trainings run one at a time.")
    elif training.epochs:
        st.progress(len(training.epochs) / training.settings.epochs, text=f"Epoch {len(training.epochs)} of {training.settings.epochs}")
    elif training.total and training.done < training.total:
        st.progress(training.done / training.total, text=f"Patients and their frozen features: {training.done} of {training.total}")
    else:
        st.progress(0.0, text="Starting …")
