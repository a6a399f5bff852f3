"""What follows a training: temperature and operating points, chosen on validation, and the one test."""

import numpy as np
import pandas as pd
import scipy.special
import torch

from lungcad.datasets import Split, Task
from lungcad.evaluate.calibration import fit_temperature, prior_bias
from lungcad.evaluate.metric_table import summarise
from lungcad.evaluate.stores.runs import prediction_table
from lungcad.evaluate.thresholds import sensitive_point, youden_point
from lungcad.models.card import ModelCard
from lungcad.models.predict import features
from lungcad.models.weights import TrainedModel
from lungcad.preprocess import normalise
from lungcad.train.data import Part, Parts


def calibrate_and_test(model: TrainedModel, parts: Parts, task: Task, *, restore_prior: bool) -> tuple[ModelCard, pd.DataFrame]:
    """On the float16 weights as shipped: temperature and operating points on validation, then the test part once.

    restore_prior: training saw every class equally often; put the classes' prior back.
    """
    card = model.card

    def logits_of(part: Part) -> np.ndarray:
        with torch.no_grad():
            batches = [
                model.network.classify(features(model, normalise(grey.float() / 255, card.preprocess)))[0] for grey in part.grey.split(32)
            ]
        return torch.cat(batches).cpu().numpy()

    valid_logits, test_logits = logits_of(parts.valid), logits_of(parts.test)
    valid_labels, test_labels = parts.valid.labels.numpy(), parts.test.labels.numpy()
    bias = prior_bias(parts.train.labels.numpy(), len(card.classes)) if restore_prior else np.zeros(len(card.classes))
    temperature = fit_temperature(valid_logits, valid_labels, bias)
    valid, test = (scipy.special.softmax(each / temperature + bias, axis=1) for each in (valid_logits, test_logits))
    kept, groups = ~parts.test.copies, np.array([case.group for case in parts.test.cases])
    without = None
    if kept.any() and not kept.all():
        without = summarise(test_labels[kept], test[kept], card.classes, groups=groups[kept])
    card = card.model_copy(
        update={
            "temperature": temperature,
            "bias": tuple(bias.tolist()) if restore_prior else None,
            "operating_point": youden_point(valid_labels, valid, card.classes, task.negative),
            "sensitive_point": sensitive_point(valid_labels, valid, card.classes, task.negative),
            "test": summarise(test_labels, test, card.classes, groups=groups),
            "test_without_copies": without,
        }
    )
    table = pd.concat(
        prediction_table(part.cases, name, probabilities, card.classes, part.copies)
        for name, part, probabilities in ((Split.VALID, parts.valid, valid), (Split.TEST, parts.test, test))
    )
    return card, table.reset_index(drop=True)
