from .attention import ATTENTION
from .backbones import BACKBONES
from .card import Inputs, ModelCard, list_cards
from .classifier import Classifier, create_model
from .predict import Prediction, features, predict_batch
from .weights import TrainedModel, load_model, load_state_dict_file

__all__ = [
    "ATTENTION", "BACKBONES", "Classifier", "Inputs", "ModelCard", "Prediction", "TrainedModel",
    "create_model", "features", "list_cards", "load_model", "load_state_dict_file", "predict_batch",
]  # fmt: skip
