import pytest

from lungcad.models.attention import ATTENTION
from lungcad.models.backbones import BACKBONES
from lungcad.models.card import list_cards
from lungcad.models.complexity import complexity


def test_counts_of_resnet18_are_those_of_the_literature():
    """He et al., 2016: 1.8 G multiply-adds at 224×224, which are 3.6 GFLOPs; 11.7 M parameters with 1,000 classes."""
    counted = complexity("resnet18", "none", 1000, (224, 224))
    assert counted.flops == pytest.approx(3.63e9, rel=0.01) and counted.parameters == pytest.approx(11.69e6, rel=0.001)
    assert counted.added_parameters == counted.added_flops == 0


@pytest.mark.parametrize("attention", [name for name in ATTENTION if name != "none"])
def test_attention_adds_a_share_of_both(attention):
    counted = complexity("efficientnet_lite0", attention, 3, (96, 96))
    assert 0 < counted.added_parameters < 0.2 and 0 < counted.added_flops < 0.2


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone_can_be_counted(backbone):
    assert complexity(backbone, "none", 3, (64, 64)).flops > 1e6


@pytest.mark.parametrize("card", list_cards(), ids=lambda card: card.name)
def test_every_card_says_what_is_counted(card):
    counted = complexity(card.backbone, card.attention, len(card.classes), card.preprocess.size, card.inputs, card.concepts)
    assert card.complexity == counted
