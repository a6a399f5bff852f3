"""What a finished training is worth: a table, sentences, and the files to take home; beside a training that was kept, with what differs in red."""

import pandas as pd
import streamlit as st

from lungcad.app.components.layout import markdown_table
from lungcad.app.lab.controls import TITLES
from lungcad.app.lab.trainings import Training
from lungcad.datasets.phantoms import SHORTCUTS
from lungcad.lab.patients import REGION_TESTED, tested_shortcut
from lungcad.lab.results import Results
from lungcad.lab.sentences import sentences
from lungcad.lab.settings import LabSettings

ROWS = {
    "clean": "right without the shortcut",
    "planted": "right with the shortcut as in training",
    "swapped": "right with the shortcut on the other class",
    "no_lungs": "right as in training, both lungs painted over",
    "lungs": "right as in training, shown the lungs alone",
    "on_lesion": "map peaks on the lesion",
    "on_shortcut": "map peaks on the shortcut",
    "random": "a random map peaks on the lesion",
    "centre": "a blob in the middle peaks on the lesion",
}


def show_result(training: Training, kept: Training | None) -> None:
    """kept: another finished training, to stand beside it."""
    st.subheader("Result", anchor=False)
    if kept is None or kept is training:
        _show_one(training)
    else:
        for column, one, other in zip(st.columns(2), (kept, training), (training, kept), strict=True):
            with column:
                st.markdown(differences(one.settings, other.settings))
                _show_one(one, beside=True)
        if len(differing(training.settings, kept.settings)) > 1:
            st.info("The two differ in more than one setting, so a difference in the results has no single cause.")


def differing(first: LabSettings, second: LabSettings) -> list[str]:
    """Names of the settings that are not the same."""
    one, other = first.model_dump(), second.model_dump()
    return [name for name in one if one[name] != other[name]]


def differences(settings: LabSettings, other: LabSettings) -> str:
    """The settings as Markdown, those that differ from the other's in red."""
    words = []
    for name in differing(settings, other):
        value = getattr(settings, name)
        words.append(f":red[**{TITLES[name]}: {f'{100 * value:.0f}' if name == 'share' else value}**]")
    return " · ".join(words) or "The same settings."


def _show_one(training: Training, *, beside: bool = False) -> None:
    """The table, and what it says: side by side where there is room."""
    settings, results = training.settings, training.results
    if results is None:
        return
    table, words = (st.container(), st.container()) if beside else st.columns([2, 3])
    with table:
        markdown_table({title: {"share of unseen patients": str(getattr(results, name))} for name, title in ROWS.items()})
    with words:
        st.markdown("\n".join(f"- {sentence}" for sentence in sentences(settings, results)))
        st.caption(
            f"{results.n} test patients, half with a lesion; [95 % bootstrap interval over patients]. Shortcut: {SHORTCUTS[tested_shortcut(settings)].title}. "
            f"Lungs painted over and alone: on the first {REGION_TESTED}, each in one grey. "
            "A peak within one cell of the map (32 pixels) counts. The last two rows are controls: an uninformative map's values."
        )
        row = st.container(horizontal=True)
        for label, data, name, mime, help in (
            (
                "Settings",
                settings.to_yaml(),
                "settings.yaml",
                "application/yaml",
                "`python -m lungcad train FILE` repeats this training.",
            ),
            ("Table", table_csv(results), "table.csv", "text/csv", "The table with the ends of its intervals."),
        ):
            row.download_button(
                label, data, f"lungcad-lab-{settings.key}-{name}", mime, key=f"lab_{name}_{settings.key}", icon=":material/download:", type="tertiary",
                on_click="ignore", help=help,
            )  # fmt: skip


def table_csv(results: Results) -> str:
    values = {name: getattr(results, name) for name in ROWS}
    rows = [
        {"measure": ROWS[name], "value": each.value, "low": each.low, "high": each.high, "n": results.n} for name, each in values.items()
    ]
    return pd.DataFrame(rows).to_csv(index=False)
