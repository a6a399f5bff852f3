"""A training of the lab that has ended, without the seconds that it takes."""

import safetensors.torch

from lungcad.app.lab.trainings import Training
from lungcad.estimate import Estimate
from lungcad.lab.head import LabHead
from lungcad.lab.results import Results
from lungcad.lab.run import CLEAN_CURVE
from lungcad.lab.settings import LabSettings

SHARE = Estimate(value=0.5, low=0.4, high=0.6)
RESULTS = Results(SHARE, SHARE, Estimate(value=0.1, low=0.05, high=0.2), SHARE, SHARE, SHARE, SHARE, n=300)


def an_epoch(number: int = 1) -> dict:
    """As the lab's process tells it."""
    return {"number": number, "loss": 0.7, "auc": {CLEAN_CURVE: 0.6}, "maps": [[[0.1] * 8] * 8] * 4, "probabilities": [0.5] * 4}


def weights_of(settings: LabSettings) -> bytes:
    return safetensors.torch.save(LabHead(settings.head).state_dict())


def a_training(settings: LabSettings) -> Training:
    """With results of a cheater."""
    return Training(settings, epochs=[an_epoch(1), an_epoch(2)], results=RESULTS, head=weights_of(settings))
