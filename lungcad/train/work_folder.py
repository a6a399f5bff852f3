"""The work folder of a training: it belongs to one recipe and one set of data, and holds the checkpoints that a second call goes on from.

A checkpoint is found by its name in the folder that is resumed, never by a path inside a file: Lightning's own state names the folder it
was written in, which after a copy or a move is another training's.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins import TorchCheckpointIO
from pytorch_lightning.callbacks import ModelCheckpoint

from lungcad.errors import RecipeError
from lungcad.files import whole_file, write_whole
from lungcad.models.weights import load_model
from lungcad.stored_json import read_json
from lungcad.train.data import Parts
from lungcad.train.recipe import Recipe

NOTE = "training.json"
BEST, LAST = "best.ckpt", "last.ckpt"
MOST_EPOCHS = 1_000_000
"""No training is longer."""
_REMAINS = (BEST, LAST, "study.db", "recipe.json", "run")
"""What a training leaves beside its note; where one of them lies without it, nobody knows whose it is."""


def data_sha256(parts: Parts) -> str:
    """Of every part's case ids, groups, labels, marks of copies, pixels as the network sees them, contours that teach it and outlines of lungs, in order."""
    digest = hashlib.sha256(json.dumps([parts.classes, parts.split.description]).encode())
    between = [("unclassed", parts.unclassed)] if parts.unclassed else []
    for split, part in (*parts.by_split.items(), *between):
        rows = [[case.id, case.group, case.label, bool(copy)] for case, copy in zip(part.cases, part.copies, strict=True)]
        digest.update(json.dumps([split, list(part.grey.shape), rows]).encode("utf-8", "surrogatepass"))
        for tensor in (part.grey, part.contours, part.lungs, part.votes, part.ratings):
            digest.update(tensor.numpy().tobytes() if tensor is not None else b"")
    return digest.hexdigest()


@dataclass(frozen=True)
class Resumed:
    """checkpoint: where the training goes on, None at its beginning. note: a sentence where an epoch was lost."""

    checkpoint: Path | None = None
    note: str | None = None


@dataclass(frozen=True)
class WorkFolder:
    """identity: of the recipe, the data and the weights it starts from together; every checkpoint carries it."""

    path: Path
    identity: str

    @classmethod
    def refuse_other_recipe(cls, path: Path, recipe: Recipe) -> None:
        """Before the images are read. Raises :class:`RecipeError` where the folder is not this recipe's."""
        if _read_note(path).get("recipe", _stored_recipe(recipe)) != _stored_recipe(recipe):
            raise RecipeError(f"The folder {str(path)!r} holds a training by another recipe; delete it or name another one with --work.")

    @classmethod
    def bind(cls, path: Path, recipe: Recipe, parts: Parts) -> "WorkFolder":
        """Make ``path`` the folder of this training.

        Raises :class:`RecipeError` where it is another one's, by its recipe, by its data or by the weights it starts from.
        """
        cls.refuse_other_recipe(path, recipe)
        identity_facts = {"recipe": _stored_recipe(recipe), "data_sha256": data_sha256(parts)}
        if recipe.start_from is not None:
            identity_facts["start_sha256"] = load_model(recipe.start_from).card.sha256
        note = _read_note(path)
        if note and note["data_sha256"] != identity_facts["data_sha256"]:
            raise RecipeError(
                f"The folder {str(path)!r} holds a training on other images or another split; delete it or name another one with --work."
            )
        if note and note.get("start_sha256") != identity_facts.get("start_sha256"):
            raise RecipeError(
                f"The folder {str(path)!r} holds a training that began with other weights of {recipe.start_from}; delete it or name another one with --work."
            )
        if not note:
            path.mkdir(parents=True, exist_ok=True)
            write_whole(path / NOTE, json.dumps(identity_facts, indent=2))
        return cls(path, hashlib.sha256(json.dumps(identity_facts, sort_keys=True).encode()).hexdigest())

    def resume(self) -> Resumed:
        """The last epoch; the best one where the last is damaged. Raises :class:`RecipeError` where the best weights so far are lost."""
        last, best = self._state(LAST), self._state(BEST)
        if last is None and best is None and not (self.path / LAST).exists() and not (self.path / BEST).exists():
            return Resumed()
        if best is None:
            raise RecipeError(
                f"{BEST} in {str(self.path)!r} is missing or damaged, and with it the best weights so far; restore it from a copy, "
                "or delete the folder to train from the beginning."
            )
        if last is not None:
            return Resumed(self.path / LAST)
        return Resumed(
            self.path / BEST,
            f"{LAST} in {str(self.path)!r} is missing or damaged; the training goes on from the best epoch, {int(best['epoch'])}, "
            "and the epochs after it are trained again.",
        )

    def refuse_other_network(self, checkpoint: Path, weights: Mapping[str, torch.Tensor]) -> None:
        """Raises :class:`RecipeError` where the checkpoint's weights have other names or shapes than the network's."""
        state = self._state(checkpoint.name)
        if state is None or {name: each.shape for name, each in state["state_dict"].items()} != {
            name: each.shape for name, each in weights.items()
        }:
            raise RecipeError(
                f"{checkpoint.name} in {str(self.path)!r} holds the weights of another network; restore it from a copy or delete the folder "
                "and train again."
            )

    def best(self) -> dict[str, Any]:
        """The checkpoint that was best on validation. Raises :class:`RecipeError` where it is missing or damaged."""
        state = self._state(BEST)
        if state is None:
            raise RecipeError(
                f"{BEST} in {str(self.path)!r} is missing or damaged; restore it from a copy or delete the folder and train again."
            )
        return state

    def _state(self, name: str) -> dict[str, Any] | None:
        """None for a file that is missing or damaged; :class:`RecipeError` for another training's. No code in it is run."""
        path = self.path / name
        try:
            with zipfile.ZipFile(path) as archive:
                if archive.testzip() is not None:  # torch itself does not look at the check sums
                    return None
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            identity, is_whole = state["training"], _is_whole(state, name)
        except Exception:  # zipfile and torch raise many types on a damaged file
            return None
        if identity != self.identity:
            raise RecipeError(
                f"{name} in {str(self.path)!r} is the checkpoint of another training; delete the folder or name another one with --work."
            )
        return state if is_whole else None


def _is_whole(state: dict[str, Any], name: str) -> bool:
    """Whether a checkpoint is what was written as the file ``name``: an epoch, weights that are numbers, what the callbacks remember."""
    epoch, weights = state["epoch"], state["state_dict"]
    return (
        state.get("file", name) == name  # the last epoch, copied into the best one's place, is not the best
        and isinstance(epoch, int)
        and 0 <= epoch < MOST_EPOCHS
        and isinstance(state["callbacks"], dict)
        and len(weights) > 0
        and all(bool(tensor.isfinite().all()) for tensor in weights.values())
    )


class FolderCheckpoint(ModelCheckpoint):
    """Keeps ``NAME.ckpt`` in the work folder, marked with the folder's identity, and takes no path out of a checkpoint's state."""

    def __init__(self, folder: WorkFolder, name: str, **kwargs: Any) -> None:
        super().__init__(folder.path, filename=Path(name).stem, save_on_train_epoch_end=True, enable_version_counter=False, **kwargs)
        self.folder, self.name = folder, name

    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Mark the file with whose it is."""
        checkpoint["training"] = self.folder.identity

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Scores and counters out of the state; paths from the folder that is resumed."""
        path = str(self.folder.path.resolve() / self.name)
        own_state: dict[str, Any] = {
            "dirpath": self.dirpath,
            "best_model_path": path if Path(path).exists() else "",
            "kth_best_model_path": "",
            "last_model_path": "",
        }
        if self.monitor is not None:
            # the score of the file that lies there: a stop between the two files leaves the best one an epoch ahead
            score = self.folder.best()["callbacks"][self.state_key]["best_model_score"]
            own_state |= {"best_model_score": score, "kth_best_model_path": path, "kth_value": score, "best_k_models": {path: score}}
        super().load_state_dict(state_dict | own_state)


class WholeCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its place and renames it.

    Lightning's own writes into the system's temporary folder first, and where that is another file system the move is a copy over the old file: a kill
    in the middle of it would cost the best weights so far.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Raises :class:`~lungcad.errors.OutputError` in one sentence."""
        buffer = io.BytesIO()
        torch.save(checkpoint | {"file": Path(path).name}, buffer)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(buffer.getbuffer())


def _stored_recipe(recipe: Recipe) -> dict[str, Any]:
    return recipe.model_dump(mode="json", exclude={"selection_note"})


def _read_note(path: Path) -> dict[str, Any]:
    """{} for a folder that is new or empty."""
    file = path / NOTE
    try:
        has_note = file.exists()
    except PermissionError:
        raise RecipeError(f"The folder {str(path)!r} may not be entered; check its permissions, or name another one with --work.") from None
    if not has_note:
        if remains := [name for name in _REMAINS if (path / name).exists()]:
            raise RecipeError(
                f"The folder {str(path)!r} holds {remains[0]} but no {NOTE} that says whose it is; delete the folder or name "
                "another one with --work."
            )
        return {}
    try:
        note = read_json(file)
        return {"recipe": dict(note["recipe"]), "data_sha256": str(note["data_sha256"]), "start_sha256": note.get("start_sha256")}
    except (OSError, ValueError, LookupError, TypeError):
        raise RecipeError(f"{NOTE} in {str(path)!r} is damaged; delete the folder or name another one with --work.") from None
