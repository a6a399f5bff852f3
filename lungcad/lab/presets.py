"""Trainings worth seeing, each with what to look at."""

from dataclasses import dataclass

from lungcad.lab.settings import NO_SHORTCUT, HeadKind, LabSettings
from lungcad.registry import Registry


@dataclass(frozen=True)
class Preset:
    """name: in links and on the command line. look_at: one sentence for the student."""

    name: str
    settings: LabSettings
    look_at: str


PRESETS: Registry[Preset] = Registry("preset")
for _preset in (
    Preset("honest", LabSettings(shortcut=NO_SHORTCUT), "Nothing is planted: the network has to find the lesion. See where its map lies."),
    Preset("cheater", LabSettings(), "A letter stands beside 95 % of the lesions: see how soon the map leaves the lung."),
    Preset(
        "hidden cheat",
        LabSettings(head=HeadKind.TAUGHT),
        "The same letter, but the attention is taught the lesions' contours: the map moves to the lesions. Does the network?",
    ),
    Preset(
        "too few patients",
        LabSettings(shortcut=NO_SHORTCUT, patients=50),
        "Nothing is planted, but there are only 50 patients: the loss in training falls further than with 600, and the test is no better for it.",
    ),
    Preset(
        "rare shortcut",
        LabSettings(share=0.6),
        "60 % of the lesions carry the letter, and 40 % of the rest: how few are enough for the network to use it?",
    ),
):
    PRESETS.add(_preset.name, _preset)
