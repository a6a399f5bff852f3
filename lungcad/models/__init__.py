"""Networks: backbone × attention × head, their weights and cards."""

from lungcad.models.attention import ATTENTION
from lungcad.models.backbones import BACKBONES, Inputs
from lungcad.models.card import ModelCard
from lungcad.models.classifier import Classifier, create_model
from lungcad.models.predict import Prediction, features, predict_batch
from lungcad.models.weights import TrainedModel, list_cards, load_model, load_state_dict_file

__all__ = [
    "ATTENTION", "BACKBONES", "Classifier", "Inputs", "ModelCard", "Prediction", "TrainedModel",
    "create_model", "features", "list_cards", "load_model", "load_state_dict_file", "predict_batch",
]  # fmt: skip
