"""What a student chooses: a preset, or every setting by itself. All of it stands in the page's link."""

import streamlit as st

from lungcad.app import url
from lungcad.app.components.literal import literal
from lungcad.lab.presets import PRESETS
from lungcad.lab.settings import (
    LARGEST_MM,
    LEAST_PATIENTS,
    MOST_PATIENTS,
    SHORTCUT_CHOICES,
    SMALLEST_MM,
    HeadKind,
    LabSettings,
    TrainedPart,
)

USUAL = LabSettings()
TITLES = {
    "shortcut": "Shortcut planted in training", "share": "Share of lesions that carry it, %", "patients": "Patients to train on",
    "smallest_mm": "Smallest lesion, mm", "largest_mm": "Largest lesion, mm", "opacity": "Lesion's opacity", "head": "Head",
    "trained": "What is trained", "epochs": "Epochs", "seed": "Seed",
}  # fmt: skip
"""Setting -> its control's label."""


def follow_link() -> None:
    """A link that names a preset sets every control, before they are drawn."""
    wanted = url.taken("preset")
    if wanted is not None and wanted not in PRESETS:
        st.info(f"The link names an unknown preset, “{literal(wanted, 40)}”; these are the ones there are.")
    elif wanted is not None:
        _apply(wanted)


def show_presets(chosen: str | None) -> None:
    """A row of links in effect: each sets every control, and so the page's link. The chosen one is marked."""
    row = st.container(horizontal=True)
    for name, preset in PRESETS.items():
        row.button(
            name[:1].upper() + name[1:], key=f"preset_{name.replace(' ', '_')}", on_click=_apply, args=(name,), help=preset.look_at,
            icon=":material/check:" if name == chosen else None,
        )  # fmt: skip


def preset_of(settings: LabSettings) -> str | None:
    """The preset that these settings are."""
    return next((name for name, preset in PRESETS.items() if preset.settings == settings), None)


def pick_settings() -> LabSettings:
    """Raises an error in one sentence where they do not fit together."""
    shortcut = url.selectbox(
        TITLES["shortcut"], SHORTCUT_CHOICES, key="shortcut", default=USUAL.shortcut,
        help="A mark that has nothing to do with a lesion. With “none” the network can only look for the lesion.",
    )  # fmt: skip
    share = url.steps(
        TITLES["share"], range(50, 101, 5), round(100 * USUAL.share), key="share", disabled=shortcut == "none",
        help="At 95 %, 95 of 100 slices with a lesion carry it and 5 of 100 without. At 50 % it tells nothing.",
    )  # fmt: skip
    head = url.selectbox(
        TITLES["head"], [str(kind) for kind in HeadKind], key="head", default=str(USUAL.head),
        help="Plain: the features' mean and one linear layer. Soft attention and gate weigh positions first. A taught gate is also shown the lesions' contours.",
    )  # fmt: skip
    trained = url.selectbox(
        TITLES["trained"], [str(part) for part in TrainedPart], key="trained", default=str(USUAL.trained),
        help="The head alone stands on features that ImageNet taught, and takes seconds. With the last stage every epoch takes longer.",
    )  # fmt: skip
    patients = url.steps(
        TITLES["patients"], range(LEAST_PATIENTS, MOST_PATIENTS + 1, 50), USUAL.patients, key="patients",
        help="Half of them with a lesion. Few patients are learnt by heart.",
    )  # fmt: skip
    with st.expander("Lesions, epochs, seed"):
        smallest = url.number(
            TITLES["smallest_mm"], SMALLEST_MM, LARGEST_MM, USUAL.smallest_mm, 1, key="smallest_mm",
            help="Diameters are drawn between both. Other lesions than the usual ones have to be drawn first, which takes a minute or two.",
        )  # fmt: skip
        largest = url.number(TITLES["largest_mm"], SMALLEST_MM, LARGEST_MM, USUAL.largest_mm, 1, key="largest_mm", help="Of the diameters.")
        opacity = url.slider(
            TITLES["opacity"],
            0.25,
            1.0,
            USUAL.opacity,
            0.05,
            key="opacity",
            help="The lesion's contrast: 1 is solid, 0.25 faint ground glass.",
        )
        epochs = url.number(TITLES["epochs"], 1, 100, USUAL.epochs, 1, key="epochs", help="How often training sees every patient.")
        seed = url.number(TITLES["seed"], 0, 9999, USUAL.seed, 1, key="seed", help="Of all chance: another one shows how much is luck.")
    values = {
        "shortcut": shortcut, "share": share / 100, "patients": patients, "smallest_mm": smallest, "largest_mm": largest,
        "opacity": round(opacity, 2), "head": head, "trained": trained, "epochs": epochs, "seed": seed,
    }  # fmt: skip
    return LabSettings.checked(values)


def _apply(name: str) -> None:
    values = PRESETS[name].settings.model_dump(mode="json")
    st.session_state.update(values | {"share": round(100 * values["share"])})
