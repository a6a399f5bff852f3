"""Where a training reads and writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lungcad.datasets import Case, Dataset, Split
from lungcad.train.recipe import Recipe


@dataclass(frozen=True)
class TrainingPaths:
    """data: folder laid out as the recipe's data set. work: checkpoints and logs; a second call with the same folder resumes after the last
    finished epoch, and the folder belongs to one recipe and its data. weights: where ``NAME.safetensors`` and ``NAME.json`` go, None to keep them in
    ``work``. runs: where ``NAME/`` goes. parts: folder -> part, for names that lungcad does not know (:func:`~lungcad.datasets.parts.parse_parts`).
    """

    data: Path
    work: Path
    weights: Path | None
    runs: Path
    parts: Mapping[str, Split] | None = None

    def cases(self, dataset: Dataset, recipe: Recipe) -> list[Case]:
        """The cases of the recipe's task in the data's folder; by votes, also those between its classes."""
        return dataset.read_folder(self.data, recipe.task, self.parts, with_unclassed=recipe.votes).cases
