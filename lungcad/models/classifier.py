"""Backbone × attention × head."""

from torch import Tensor, nn

from lungcad.errors import lookup
from lungcad.models.attention import ATTENTION, create_attention
from lungcad.models.backbones import create_backbone
from lungcad.models.card import Inputs
from lungcad.models.concept_head import ConceptHead


class Head(nn.Module):
    """Average pooling, dropout, one linear layer: (N, C, H, W) -> logits (N, K)."""

    def __init__(self, channels: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a feature map."""
        return self.of_pooled(self.dropout(x.mean((2, 3))))

    def of_pooled(self, pooled: Tensor) -> Tensor:
        """Logits of features averaged over positions (N, C)."""
        logits: Tensor = self.linear(pooled)
        return logits


class Classifier(nn.Module):
    """logits = head(attention(features(image))).

    ``target_layer`` names the submodule whose output Grad-CAM explains, ``attention_layer`` the one whose output is
    the network's own attention map (None for a baseline); both work with :meth:`torch.nn.Module.get_submodule`.
    concepts: what the head rates and sums up (:class:`~lungcad.models.concept_head.ConceptHead`, two classes); empty for a linear head.
    """

    target_layer = "features"

    def __init__(
        self,
        backbone: str,
        attention: str,
        num_classes: int,
        *,
        dropout: float = 0.2,
        inputs: Inputs = Inputs.SLICE,
        concepts: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.features = create_backbone(backbone, inputs, lookup(ATTENTION, attention, "attention").early)
        channels = self.features.channels
        self.head: Head | ConceptHead = ConceptHead(channels, concepts, dropout) if concepts else Head(channels, num_classes, dropout)
        # Last, so that under one seed a network with attention starts from the very weights of its baseline.
        self.attention = create_attention(attention, channels, self.features.early_channels)
        self.attention_layer = "attention.mask" if self.attention.has_mask else None

    def classify(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        """From what ``features`` made on: (logits (N, K), attention mask (N, 1, H, W) or None)."""
        attended, mask = self.attention(features)
        return self.head(attended), mask

    def forward(self, x: Tensor) -> Tensor:
        """Image (N, 3, H, W) -> logits (N, K)."""
        return self.classify(self.features(x))[0]


def create_model(
    backbone: str,
    attention: str = "none",
    num_classes: int = 4,
    *,
    dropout: float = 0.2,
    inputs: Inputs = Inputs.SLICE,
    concepts: tuple[str, ...] = (),
) -> Classifier:
    """A network with random weights. Raises :class:`~lungcad.errors.UnknownNameError` for names in no table."""
    return Classifier(backbone, attention, num_classes, dropout=dropout, inputs=inputs, concepts=concepts)
