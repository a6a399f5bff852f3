"""What the trust panel says of a trained head, put to the whole network that it is."""

from lungcad.explain import Options
from lungcad.explain.attribution import Layer
from lungcad.explain.trust import Check
from lungcad.explain.trust.panel import quick_checks
from lungcad.explain.trust.subject import Subject
from lungcad.imaging import CTImage, Unit
from lungcad.imaging.image import Provenance
from lungcad.lab import frozen
from lungcad.lab.head import CLASSES, LESION, LabHead, whole_network
from lungcad.lab.patients import Lesions, Part, clean_picture, tested_shortcut, with_shortcut
from lungcad.lab.settings import LabSettings
from lungcad.models import ModelCard, TrainedModel
from lungcad.models.weights import ready

ASKED = 0
"""Test patient without a lesion, asked about with the shortcut: a cheater says "lesion" here."""


def trained_model(settings: LabSettings, head: LabHead) -> TrainedModel:
    """The network from image to answer, with a card that says where it comes from."""
    card = ModelCard(
        name=f"lab-{settings.key}", backbone=frozen.BACKBONE, attention=settings.head.attention, dataset="phantoms", task="binary", classes=CLASSES,
        preprocess=frozen.PREPROCESS, initialised_with=f"ImageNet-1k; trained: {settings.trained}", shortcut=settings.shortcut if settings.is_biased else None,
        split="the lab's patients", n_train=settings.patients, n_valid=0, seed=settings.seed, epochs_trained=settings.epochs, best_epoch=settings.epochs - 1,
        temperature=1.0, operating_point=None, test=None, test_without_copies=None, limits="A student's network.", licence="MIT", trained_on="the lab",
        run=None, sha256=settings.key,
    )  # fmt: skip
    return ready(whole_network(head), card)


def panel_words(settings: LabSettings, head: LabHead) -> list[Check]:
    """The quick checks of the lesion's Grad-CAM on the asked patient with the shortcut."""
    picture = with_shortcut(clean_picture(Part.TEST, ASKED, Lesions.of(settings)), tested_shortcut(settings), Part.TEST, ASKED)
    image = CTImage(picture.grey, Unit.GREY, Provenance("", "PNG", "L", synthetic=True))
    layer = Layer.LAST if settings.head.attention == "none" else Layer.ATTENDED
    subject = Subject(trained_model(settings, head), image, "gradcam", LESION, Options(layer=layer))
    return list(quick_checks(subject, subject.explain("gradcam")))
