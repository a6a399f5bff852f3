"""One network to one file: written aside, read back, compared with torch, and only then put in its place."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lungcad.errors import ModelError, lookup
from lungcad.export.agreement import TOLERANCE, Agreement, measure_agreement
from lungcad.export.format import FORMATS
from lungcad.export.network import ExportedNetwork, facts_of, input_shape
from lungcad.files import write_whole
from lungcad.imaging import CTImage
from lungcad.models import TrainedModel


@dataclass(frozen=True)
class Exported:
    """files: what was written, the named one last. facts: what is stored inside."""

    files: tuple[Path, ...]
    agreement: Agreement
    facts: dict[str, Any]


def export_network(model: TrainedModel, format_name: str, out: Path, images: Sequence[CTImage]) -> Exported:
    """Write the network as ``out`` and check it on the images.

    Raises :class:`ModelError`, and leaves nothing, where a package is missing or the file's probabilities differ from torch's by more than
    :data:`~lungcad.export.agreement.TOLERANCE`.
    """
    export_format = lookup(FORMATS, format_name, "format")
    export_format.check_installed()
    if out.suffix != export_format.suffix:
        raise ModelError(f"A file of the format {format_name} ends in {export_format.suffix}; name it so.")
    network, facts = ExportedNetwork(model).eval(), facts_of(model.card, export_format.batch)
    text = json.dumps(facts, ensure_ascii=False)
    example = torch.rand(2, *input_shape(model.card), generator=torch.Generator().manual_seed(0))
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / out.name
        export_format.write(network, example, text, written)
        runner = export_format.read(written)
        if runner.facts != text:
            raise ModelError(f"The facts in the file are not those that were written; the file was not kept ({format_name}).")
        agreement = measure_agreement(runner.run, model, network, images)
        if not agreement.holds:
            raise ModelError(
                f"The file differs from the network by up to {agreement.largest_difference:.2g} in a probability (at most {TOLERANCE} is allowed), "
                f"with {agreement.same_class} of {agreement.n} classes the same; it was not kept."
            )
        made = sorted(Path(folder).iterdir(), key=lambda path: path == written)
        for path in made:
            write_whole(out.parent / path.name, path.read_bytes())
    return Exported(tuple(out.parent / path.name for path in made), agreement, facts)
