"""Every reader of what somebody else may have made: a function of bytes that gives something or raises a LungcadError, and whole inputs to begin with."""

import functools
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import torch
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from lungcad.datasets import DATASETS, stored_audits
from lungcad.evaluate.stores.runs import read_run, write_run
from lungcad.explain.neighbours import Index
from lungcad.gate.stored import FittedGate
from lungcad.imaging import read_image
from lungcad.imaging.phantom_volume import make_phantom_volume, write_series
from lungcad.imaging.volume import load, study_in_memory
from lungcad.lab.settings import LabSettings
from lungcad.models import list_cards
from lungcad.models.card import ModelCard
from lungcad.models.weights import load_state_dict_file
from lungcad.paths import GATE, INDEX, WEIGHTS
from lungcad.train.recipe import Recipe
from lungcad.unpack import Limits, read_zip
from tests.evaluate.sample_runs import prediction_table
from tests.fuzz import folders, links
from tests.imaging.encodings import GREY, HU, encode, enhanced, saved, slice_, tiff

LIMITS = Limits(total=16 << 20, files=200, seconds=10)
AUDITED = "iq-oth-nccd"


@dataclass(frozen=True)
class Reader:
    """read: raises a LungcadError for what it cannot use, and nothing else. seeds: whole inputs, which it reads. n: changed ones that the suite tries, some
    tenths of a second."""

    read: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    n: int


@functools.cache
def folder() -> Path:
    """In memory where that can be had; gone with the process."""
    base = Path("/dev/shm")  # noqa: S108
    made = tempfile.TemporaryDirectory(prefix="lungcad-fuzz-", dir=base if base.is_dir() else None)
    folder.keep = made
    return Path(made.name)


def on_disk(read: Callable[[Path], object], name: str) -> Callable[[bytes], object]:
    """A reader of paths as one of bytes."""

    def read_bytes(data: bytes) -> object:
        path = folder() / name
        path.write_bytes(data)
        return read(path)

    return read_bytes


def pictures() -> list[bytes]:
    sixteen = (HU + 1024).astype(np.uint16)
    pillow = [encode(GREY[:40, :40], name) for name in ("PNG", "JPEG", "BMP", "WEBP", "JPEG2000", "PPM", "TIFF", "AVIF")]
    rgb = np.repeat(GREY[:24, :24, None], 3, 2)
    return [
        *pillow,
        encode(rgb, "PNG"),
        encode(sixteen[:32, :32], "PNG"),
        tiff(HU[:32, :32].astype(np.int16)),
        tiff(HU[:32, :32].astype(np.float32), compression="zlib"),
        tiff(sixteen[:48, :48], tile=(16, 16), compression="zlib"),
        tiff(GREY[:32, :32], rowsperstrip=8, byteorder=">"),
    ]


def dicoms() -> list[bytes]:
    small = slice_((HU[::3, ::3] + 1024), signed=0)
    made = [saved(small), saved(slice_((HU[::3, ::3]), bits=16, signed=1, RescaleIntercept=0))]
    for syntax in (RLELossless, JPEGLSLossless, JPEG2000Lossless):
        dataset = slice_(HU[::3, ::3] + 1024)
        dataset.compress(syntax)
        made.append(saved(dataset))
    for syntax in (ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        dataset = slice_(HU[::3, ::3] + 1024)
        dataset.file_meta.TransferSyntaxUID = syntax
        buffer = io.BytesIO()
        pydicom.dcmwrite(buffer, dataset, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
        made.append(buffer.getvalue())
    return made


def series_zips() -> list[bytes]:
    place = folder() / "series"
    place.mkdir(exist_ok=True)
    write_series(make_phantom_volume(3, size=24, spacing_mm=50).volume, place)
    whole, other = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(place.iterdir()):
            archive.write(path, path.name)
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a/b.txt", "x" * 50)
        archive.writestr("c.nii", niftis()[0])
    return [whole.getvalue(), other.getvalue(), saved(enhanced(3))]


@functools.cache
def niftis() -> list[bytes]:
    import nibabel

    values = make_phantom_volume(3, size=16, spacing_mm=50).volume.hu.T
    made = []
    for kind, dtype in ((nibabel.Nifti1Image, np.int16), (nibabel.Nifti2Image, np.float32)):
        image = kind(values.astype(dtype), np.diag([20.0, 20, 50, 1]))
        made.append(image.to_bytes())
    import gzip

    return [*made, gzip.compress(made[0], mtime=0)]


def read_series(data: bytes) -> object:
    """Every series of it, each by itself."""
    study = study_in_memory(data, LIMITS)
    return [load(study, series) for series in study.series[:3]]


def run_read(data: bytes) -> object:
    """The first byte says which file of a whole run is exchanged."""
    place, names = folder() / "run", ("run.json", "predictions.parquet", "baselines.parquet", "history.csv")
    for name in names[2:]:
        (place / name).unlink(missing_ok=True)
    folders.one_file_exchanged(whole_run(), place, names, data)
    return read_run("run", folder())


@functools.cache
def whole_run() -> Path:
    write_run(folder() / "whole", {"classes": ["benign", "malignant"], "recipe": "r", "protocol": "published"}, prediction_table())
    return folder() / "whole"


def runs() -> list[bytes]:
    whole = whole_run()
    return [
        b"\0" + (whole / "run.json").read_bytes(),
        b"\1" + (whole / "predictions.parquet").read_bytes(),
        b"\3epoch,loss\n0,1.5\n",
    ]


def whole_files(*names: str) -> list[bytes]:
    return [(WEIGHTS / name).read_bytes() for name in names]


@functools.cache
def card() -> ModelCard:
    return next(card for card in list_cards() if card.name == "chest-resnet18")


def small_index() -> list[bytes]:
    """A stored index of two training and two test cases, three components and four channels."""
    with np.load(INDEX / f"{card().name}.npz", allow_pickle=False) as whole:
        arrays = {name: whole[name][:2] if whole[name].ndim else whole[name] for name in whole.files}
        arrays |= {"components": whole["components"][:3, :4], "mean": whole["mean"][:4], "umap": whole["umap"][:4]}
        arrays |= {name: whole[name][:2, :3] for name in ("vectors", "test_vectors")}
    return [_packed(arrays)]


def small_gate() -> list[bytes]:
    """A stored gate that looks at four numbers, and keeps three components of an embedding of four."""
    with np.load(GATE / f"{card().name}.npz", allow_pickle=False) as whole:
        arrays = {name: whole[name] for name in whole.files}
    arrays |= {name: arrays[name][..., :4] for name in ("kind:mean", "kind:scale", "kind:weights", "mean", "components")}
    arrays |= {"components": arrays["components"][:3]} | {name: arrays[name][..., :3] for name in ("distance:means", "distance:whitening")}
    return [_packed(arrays | {"distance:whitening": arrays["distance:whitening"][:3]})]


def _packed(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def npz_reader(kind: type) -> Callable[[bytes], object]:
    return on_disk(lambda path: kind.read(card(), path.parent), f"{card().name}.npz")


def weights_read(data: bytes) -> object:
    """The first byte: a safetensors file or torch's own."""
    path = folder() / ("own.safetensors" if (data or b"\0")[0] % 2 else "own.pth")
    path.write_bytes(data[1:])
    return load_state_dict_file(path, "custom_cnn", "none", card())


def own_weights() -> list[bytes]:
    import safetensors.torch

    state, buffer = {"a": torch.zeros(2, 2), "head.linear.bias": torch.ones(3)}, io.BytesIO()
    torch.save(state, buffer)
    return [b"\1" + safetensors.torch.save(state), b"\0" + buffer.getvalue()]


def audit_read(data: bytes) -> object:
    """In the place of a data set's stored audit."""
    (folder() / f"{AUDITED}.json").write_bytes(data)
    honest, stored_audits.AUDITS = stored_audits.AUDITS, folder()
    try:
        return stored_audits.read_stored_audit(DATASETS[AUDITED])
    finally:
        stored_audits.AUDITS = honest


def small_audit() -> list[bytes]:
    """The shipped one, its lists cut after two."""
    whole = json.loads((stored_audits.AUDITS / f"{AUDITED}.json").read_text("utf-8"))
    whole["audit"] = {key: value[:2] if isinstance(value, list) else value for key, value in whole["audit"].items()}
    return [json.dumps(whole).encode()]


READERS = {
    "image": Reader(read_image, pictures, 200),
    "dicom": Reader(read_image, dicoms, 70),
    "nifti": Reader(read_series, niftis, 200),
    "series": Reader(read_series, series_zips, 100),
    "zip": Reader(lambda data: read_zip(io.BytesIO(data), limits=LIMITS), series_zips, 1000),
    "recipe": Reader(on_disk(Recipe.read, "recipe.yaml"), lambda: whole_files("phantom-hidden-cheat.yaml", "lidc-efficientnet-lite0-concepts.yaml"), 30),
    "settings": Reader(on_disk(LabSettings.read, "settings.yaml"), lambda: [LabSettings().to_yaml().encode()], 200),
    "card": Reader(on_disk(ModelCard.read, "card.json"), lambda: whole_files("phantom-honest.json", "lidc-efficientnet-lite0-concepts.json"), 500),
    "run": Reader(run_read, runs, 30),
    "index": Reader(npz_reader(Index), small_index, 100),
    "gate": Reader(npz_reader(FittedGate), small_gate, 100),
    "weights": Reader(weights_read, own_weights, 200),
    "link": Reader(links.link_read, links.good_and_bad, 500),
    "trust run": Reader(lambda data: folders.trust_read(folder(), data), lambda: folders.trust_files(folder()), 60),
    "batch": Reader(lambda data: folders.batch_read(folder(), data), lambda: folders.batch_files(folder()), 100),
    "list": Reader(on_disk(folders.list_read, "list.parquet"), folders.image_lists, 200),
    "checkpoint": Reader(lambda data: folders.checkpoint_read(folder(), data), folders.checkpoints, 100),
    "audit": Reader(audit_read, small_audit, 100),
}  # fmt: skip


def facts_of(error: BaseException) -> str:
    """What it was and where, without its text: faults of one cause are one."""
    frames = []
    traceback = error.__traceback__
    while traceback:
        frames.append(f"{Path(traceback.tb_frame.f_code.co_filename).name}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return f"{type(error).__name__} at {' > '.join(frames[-3:])}"
