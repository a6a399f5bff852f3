"""What the resting stages make of augmented views, computed once: on a CPU most of a training step is spent where nothing is learnt.

The maps lie on disk beside the work folders of trainings, named by all that they depend on, so that trainings which differ in attention, seed or rates
share them. The folder is safe to delete.
"""

import hashlib
import json
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor
from torch.utils.data import DataLoader, RandomSampler, TensorDataset, WeightedRandomSampler

from lungcad.device import best_device
from lungcad.files import write_whole
from lungcad.models import Classifier
from lungcad.preprocess import normalise
from lungcad.train.augment import augment_with_contours
from lungcad.train.data import Parts
from lungcad.train.recipe import Recipe

FOLDER = "resting-maps"
"""Beside the work folders."""
SEED = 0
"""Of the views: the same for all seeds of a recipe, which differ in new weights and in what is drawn when."""
_BATCH = 32

Batches = DataLoader[tuple[Tensor, ...]]


def view_loaders(network: Classifier, parts: Parts, recipe: Recipe, work: Path) -> tuple[Batches, Batches]:
    """(training, validation): batches as of :meth:`~lungcad.train.data.Part.loader`, with maps (N, c, h, w) of the resting stages in place of images.

    An epoch draws as many views as there are training images, at random or balanced by the recipe.
    """
    tensors = parts.train.training_tensors(parts.unclassed)
    grey, targets, contours = tensors[0], tensors[1], tensors[2] if len(tensors) > 2 else None
    maps, seen = _views(network, grey, contours, recipe, work.parent / FOLDER)
    columns = [maps, torch.cat([targets] * recipe.views), *([] if seen is None else [seen])]
    generator = torch.Generator().manual_seed(recipe.seed)
    weights = parts.train.balancing_weights(targets) if recipe.balance else None
    data = TensorDataset(*columns)
    sampler = (
        RandomSampler(data, num_samples=len(grey), generator=generator)
        if weights is None
        else WeightedRandomSampler(weights.repeat(recipe.views).tolist(), len(grey), generator=generator)
    )
    training: Batches = DataLoader(data, recipe.batch_size, sampler=sampler, generator=generator, drop_last=len(grey) > recipe.batch_size)
    return training, DataLoader(TensorDataset(_maps(network, parts.valid.grey, recipe), parts.valid.labels), recipe.batch_size)


def _views(network: Classifier, grey: Tensor, contours: Tensor | None, recipe: Recipe, folder: Path) -> tuple[Tensor, Tensor | None]:
    """(maps float16 (views × n, c, h, w), contours uint8 (views × n, H, W) that moved with them, or None): view after view."""
    path = folder / f"{_key(network, grey, recipe)}.safetensors"
    stored = _stored(path)
    if stored is not None and contours is None:
        return stored, None
    maps, moved = [], []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        for _ in range(recipe.views):
            for start in range(0, len(grey), _BATCH):
                part = slice(start, start + _BATCH)
                view, of_view = augment_with_contours(
                    grey[part].float() / 255, contours[part].float() if contours is not None else None, recipe.augmentation
                )
                if stored is None:
                    maps.append(_until(network, view, recipe))
                if of_view is not None:
                    moved.append((of_view * 255).round().to(torch.uint8))
    if stored is None:
        stored = torch.cat(maps)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, safetensors.torch.save({"maps": stored}))
    return stored, torch.cat(moved) if moved else None


def _maps(network: Classifier, grey: Tensor, recipe: Recipe) -> Tensor:
    return torch.cat([_until(network, part.float() / 255, recipe) for part in grey.split(_BATCH)])


@torch.no_grad()
def _until(network: Classifier, grey: Tensor, recipe: Recipe) -> Tensor:
    device = best_device()
    device.put(network.eval())
    with device.features_context():
        maps = network.features.until(device.put_inputs(normalise(grey, recipe.preprocess)), recipe.frozen_stages)
    return maps.half().cpu().contiguous()


def _key(network: Classifier, grey: Tensor, recipe: Recipe) -> str:
    digest = hashlib.sha256()
    chosen = recipe.model_dump(mode="json", include={"augmentation", "views", "frozen_stages", "preprocess", "inputs", "backbone"})
    digest.update(
        json.dumps([chosen, list(grey.shape), str(best_device().precision), network.features.early_channels], sort_keys=True).encode()
    )
    for stage in network.features.stages()[: recipe.frozen_stages]:
        for name, tensor in stage.state_dict().items():
            digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    digest.update(grey.numpy().tobytes())
    return digest.hexdigest()[:24]


def _stored(path: Path) -> Tensor | None:
    """None where they were not computed yet, or the file is damaged."""
    try:
        return safetensors.torch.load_file(path)["maps"]
    except (OSError, KeyError, safetensors.SafetensorError):
        return None
