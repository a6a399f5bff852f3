"""A training recipe: one YAML file says all that a training depends on."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from lungcad.datasets import DATASETS, Protocol
from lungcad.datasets.concepts import CONCEPTS
from lungcad.errors import RecipeError, lookup, lookup_choice
from lungcad.models import ATTENTION, BACKBONES, Inputs
from lungcad.preprocess import PreprocessConfig, See
from lungcad.schema import Schema

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class Augmentation(Schema):
    """Random changes of a training slice, each drawn anew for each image.

    rotate: degrees. zoom, shift: share of the side. gain, bias, gamma: of the grey level. sharpness: from blurred (-) to sharpened (+).
    noise: standard deviation. flip: probability of a left-right flip (0: a chest is not symmetric; a crop or a tile may be).
    erase: probability of blanking a rectangle. swap_surroundings: probability that a slice keeps its lungs only and the rest is a training patient's of
    another class (:mod:`lungcad.train.surroundings`), before all else.
    """

    rotate: Annotated[float, Field(ge=0, le=180)] = 10
    zoom: Share = 0.15
    shift: Share = 0.08
    gain: Share = 0.25
    bias: Share = 0.1
    gamma: Share = 0.3
    sharpness: Share = 0.0
    noise: Share = 0.03
    flip: Share = 0.0
    erase: Share = 0.25
    swap_surroundings: Annotated[Share, Field(exclude_if=lambda share: not share)] = 0.0


class Loss(StrEnum):
    """What training minimises."""

    CROSS_ENTROPY = "cross_entropy"
    WEIGHTED = "weighted_cross_entropy"  # a class weighs by the inverse of its number of training cases
    FOCAL = "focal"
    ORDINAL = "ordinal"


class Schedule(StrEnum):
    """How the learning rate changes."""

    ONE_CYCLE = "one_cycle"
    COSINE = "cosine"
    PLATEAU = "plateau"  # ReduceLROnPlateau on the monitored metric


class Monitor(StrEnum):
    """What chooses the checkpoint and stops early, on validation."""

    AUC = "valid_auc"
    LOSS = "valid_loss"
    MACRO_F1 = "valid_macro_f1"

    @property
    def mode(self) -> Literal["min", "max"]:
        """Which direction is better."""
        return "min" if self is Monitor.LOSS else "max"


class Recipe(Schema):
    """All that a training depends on.

    learning_rate: peak learning rate of the new layers; backbone_rate: of the backbone.
    protocol: how the data set is split (:mod:`lungcad.datasets.splits`). Two phases: for ``frozen_epochs`` the backbone rests; then it
    thaws from its last stage on, one stage every ``unfreeze_every`` epochs (0: all at once), but for its first ``frozen_stages``, which
    always rest.
    probe: begin with a head fitted to the frozen backbone (:mod:`lungcad.train.probe`) on so many augmented views of each image, None for a
    random head. epochs: 0 leaves it at that.
    ema: decay of a running mean of the weights, which is validated and kept instead of the last ones (0: none).
    restore_prior: after balanced training, answer with the classes' prior of the training part again (the card's ``bias``).
    start_from: a shipped network of the same backbone whose features training begins with, instead of ``init``.
    shortcut: planted in one class of the phantoms it is trained on (``data make phantoms --shortcut``), so that the network learns to cheat; None: none.
    variant_of: the recipe that this one is under another protocol or seed (:meth:`variant`).
    selection_note: for the card, what else was tried and how it was chosen.
    concepts: readers' concepts (:mod:`lungcad.datasets.concepts`) that the network rates and whose sum is its answer; none: an ordinary head.
    concept_weight: of their loss beside the answer's. Such a head is fitted by the probe alone (epochs: 0).
    votes: the answer's target is the readers' votes instead of the label, and cases that the task has no class for train with theirs.
    teach: weight of a loss that draws the attention mask to the readers' contours (:mod:`lungcad.train.teach`), where a case has one; 0: none.
    views: what the stages that always rest make of so many augmented views of each image is computed once, and each epoch draws from these
    (:mod:`lungcad.train.views`); 0: every epoch changes the images anew.
    frozen_norm: batch normalisation keeps its statistics in training too, as a fitted head expects them.
    frozen_depthwise: depthwise kernels rest as well (few weights, but most of the time of a training step on a CPU).
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_\-]*$")]
    variant_of: str | None = None
    dataset: str = "chest-ct-scan"
    task: str | None = None
    shortcut: str | None = None
    protocol: Protocol = Protocol.GROUPED
    backbone: str
    attention: str = "none"
    inputs: Inputs = Inputs.SLICE
    init: Literal["imagenet", "scratch"] = "imagenet"
    start_from: str | None = None
    preprocess: PreprocessConfig = PreprocessConfig()
    augmentation: Augmentation = Augmentation()
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    epochs: Annotated[int, Field(ge=0, le=1000)] = 40
    probe: Annotated[int, Field(ge=0, le=20)] | None = None
    frozen_epochs: Annotated[int, Field(ge=0)] = 2
    unfreeze_every: Annotated[int, Field(ge=0)] = 0
    frozen_stages: Annotated[int, Field(ge=0)] = 0
    frozen_depthwise: bool = False
    frozen_norm: bool = False
    views: Annotated[int, Field(ge=0, le=100)] = 0
    batch_size: Annotated[int, Field(ge=2, le=1024)] = 32
    loss: Loss = Loss.CROSS_ENTROPY
    focal_gamma: Annotated[float, Field(ge=0)] = 2.0
    schedule: Schedule = Schedule.ONE_CYCLE
    learning_rate: Positive = 2e-3
    backbone_rate: Positive = 4e-4
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.05
    mixup: Annotated[float, Field(ge=0)] = 0.2
    teach: Annotated[float, Field(ge=0)] = 0.0
    concepts: tuple[str, ...] = ()
    concept_weight: Positive = 1.0
    votes: bool = False
    balance: bool = True
    restore_prior: bool = False
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    monitor: Monitor = Monitor.AUC
    patience: Annotated[int, Field(ge=1)] = 15
    selection_note: str = ""

    @classmethod
    def read(cls, path: str | Path) -> "Recipe":
        """Raises :class:`RecipeError`, or one for an unknown name, in one sentence."""
        path = Path(path)
        recipe = cls.read_yaml(path, "recipe", RecipeError)
        dataset = lookup(DATASETS, recipe.dataset, "dataset")
        task = dataset.task(recipe.task)
        lookup(BACKBONES, recipe.backbone, "backbone")
        attention = lookup(ATTENTION, recipe.attention, "attention")
        if recipe.teach and not attention.has_bounded_mask:
            taught = ", ".join(name for name, block in ATTENTION.items() if block.has_bounded_mask)
            raise RecipeError(
                f"Recipe {path.name}: attention {recipe.attention!r} has no mask between 0 and 1 that could be taught; choose from: {taught}."
            )
        cells = 64 if recipe.inputs is Inputs.SLICE_AND_CROP else 32
        if attention.early and any(side % cells for side in recipe.preprocess.size):
            raise RecipeError(
                f"Recipe {path.name}: attention {recipe.attention!r} lays finer maps on coarser ones; give a preprocess size of multiples of {cells}."
            )
        for name in recipe.concepts:
            lookup(CONCEPTS, name, "concept")
        if recipe.concepts and len(task.classes) != 2:
            raise RecipeError(
                f"Recipe {path.name}: the sum of concepts tells two classes apart; the task {task.name} has {len(task.classes)}."
            )
        if recipe.epochs == 0 and recipe.probe is None:
            raise RecipeError(
                f"Recipe {path.name}: epochs: 0 trains nothing but the probe's head, and there is no probe; give one of them."
            )
        if recipe.concepts and (recipe.epochs or recipe.probe is None):
            raise RecipeError(f"Recipe {path.name}: a head of concepts is fitted to a resting backbone; give probe, and epochs: 0.")
        if recipe.views and (not recipe.frozen_stages or recipe.mixup):
            raise RecipeError(f"Recipe {path.name}: views are of stages that rest, and cannot be mixed; give frozen_stages, and mixup: 0.")
        swappable = recipe.preprocess.see is See.ALL and not (recipe.votes or recipe.views) and dataset.is_of_slices
        if recipe.augmentation.swap_surroundings and not swappable:
            raise RecipeError(
                f"Recipe {path.name}: swap_surroundings needs whole slices (a data set of slices, see: all), one label a case, and views: 0; leave it out."
            )
        if recipe.votes and (task.votes is None or recipe.loss is not Loss.CROSS_ENTROPY):
            raise RecipeError(
                f"Recipe {path.name}: votes needs a task that several readers labelled (lidc-nodules: binary) and loss: {Loss.CROSS_ENTROPY}."
            )
        return recipe

    def variant(self, *, protocol: str | None = None, seed: int | None = None) -> "Recipe":
        """The same recipe under another protocol or seed, with a name that says so (``NAME-published-seed1``)."""
        values: dict[str, Any] = {"name": self.name, "variant_of": self.variant_of or self.name}
        if protocol is not None:
            lookup_choice(Protocol, protocol, "protocol")
            values |= {"protocol": protocol, "name": f"{values['name']}-{protocol}"}
        if seed is not None:
            values |= {"seed": seed, "name": f"{values['name']}-seed{seed}"}
        return Recipe.parse(self.model_dump() | values, f"Recipe {self.name}", RecipeError)
