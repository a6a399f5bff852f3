"""From a form and the bytes of an image to an answer, by :mod:`lungcad.analysis`; runs in the threads of a desk."""

import io
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import numpy as np

from lungcad.analysis import Analysis, analyse, slow_trust_checks, trust_checks
from lungcad.api.batching import Batcher
from lungcad.api.forms import ExplainForm, Form, MapForm, Output, PredictForm, TrustForm, VolumeForm
from lungcad.api.problems import Problem
from lungcad.api.volume_jobs import ProgressOf, Stage
from lungcad.backends import with_backend
from lungcad.ensemble_answer import answer_together
from lungcad.errors import DatasetError, LungcadError, ModelError, UnknownNameError, lookup
from lungcad.evaluate.run_summary import headline_values, run_summary
from lungcad.evaluate.stores.runs import list_runs, read_run
from lungcad.explain import METHODS
from lungcad.imaging import CTImage, read_image
from lungcad.imaging.volume import load, study_in_memory
from lungcad.models import ModelCard, TrainedModel, list_cards, load_model
from lungcad.models.ensemble import Ensemble
from lungcad.models.partner import partner_of
from lungcad.names import printable
from lungcad.paths import RUNS
from lungcad.progress import Progress
from lungcad.series.answer import analyse_volume, check_can_read
from lungcad.unpack import Limits

NETWORKS_IN_MEMORY = 12
MAX_FILES = 10_000
"""In the zip of a series."""


def predict(form: PredictForm, data: bytes, batcher: Batcher) -> dict[str, Any]:
    """As ``predict --json``."""
    image = _image(form, data)
    if "," in form.model:
        members = Ensemble(tuple(network(name.strip()) for name in form.model.split(",")))
        together = answer_together(image, members, show_anyway=form.show_anyway, set_level=form.set_level)
        return together.prediction_to_dict(form.model)
    model = network(form.model)
    result = analyse(
        image, model, methods=(), show_anyway=form.show_anyway, set_level=form.set_level, prepared=batcher.prepare(model, image)
    )
    return result.prediction_to_dict(form.model)


def explain(form: ExplainForm, data: bytes, on_progress: Progress) -> dict[str, Any] | bytes:
    """As ``explain --json``, or the picture or array that it writes. Raises :class:`Problem` 422 where these are asked of a hidden answer."""
    if form.output is not Output.JSON:
        lookup(METHODS, form.method, "heat map")
    result = _analysis(form, data, on_progress)
    if form.output is Output.JSON:
        return result.to_dict()
    if result.is_hidden:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "declined", "The gate declined the image", result.gate.reason or "",
            gate=result.gate.to_dict(show_anyway=False),
        )  # fmt: skip
    if form.output is Output.PNG:
        return result.overlay_png(form.method)
    file = io.BytesIO()
    np.save(file, result.values_in_file(form.method))
    return file.getvalue()


def trust(form: TrustForm, data: bytes, on_progress: Progress) -> dict[str, Any]:
    """The explanation with its checks."""
    lookup(METHODS, form.method, "heat map")
    result = _analysis(form, data, on_progress)
    checks = []
    if not result.is_hidden:
        model = network(form.model)
        partner = partner_of(model.card, cards())
        for check in trust_checks(
            result.image, model, result, form.method, form.options, partner=network(partner.name) if partner else None
        ):
            checks.append(check)
            on_progress(len(checks), len(checks) + 1)
        if form.slow:
            checks += slow_trust_checks(result.image, model, result, form.method, form.options, on_progress)
    return {**result.to_dict(), "method": form.method, "checks": [check.to_dict() for check in checks]}


def check_volume(form: VolumeForm) -> None:
    """Raises :class:`LungcadError` for a network, a method or a class that cannot be asked about a series: before minutes of work."""
    model = network(form.model)
    check_can_read(model.card, form.method)
    if form.target is not None:
        model.class_index(form.target)


def volume(form: VolumeForm, data: bytes, max_unpacked_bytes: int, progress_of: ProgressOf) -> dict[str, Any]:
    """As ``volume --json``, without what readers marked. The file is unpacked in memory."""
    study = study_in_memory(data, Limits(total=max_unpacked_bytes, files=MAX_FILES), progress_of(Stage.HEADERS))
    read = load(study, study.choose(form.series), progress_of(Stage.SLICES))
    del study
    answer = analyse_volume(
        read,
        network(form.model),
        target=form.target,
        method=form.method,
        show_anyway=form.show_anyway,
        on_progress=progress_of(Stage.NETWORK),
    )
    return answer.report(read)


def runs() -> dict[str, Any]:
    """As ``runs list --json``, with a sentence for each run that cannot be read."""
    summaries, faults = [], []
    for name in list_runs(RUNS):
        try:
            summaries.append(_summary(name, _changed(name)))
        except LungcadError as error:
            faults.append(str(error))
    return {"runs": summaries, "faults": faults}


def _changed(name: str) -> tuple[int, int, int]:
    """Of ``run.json``, whatever the clock said when it was written. Raises :class:`DatasetError` where the run has gone since it was listed."""
    try:
        state = (RUNS / name / "run.json").stat()
    except OSError:
        raise DatasetError(f"The run {printable(name)} cannot be read any more; was it removed?") from None
    return state.st_ino, state.st_mtime_ns, state.st_size


@lru_cache(maxsize=1000)
def _summary(name: str, _state: tuple[int, int, int]) -> dict[str, Any]:
    run = read_run(name, RUNS)
    return run_summary(run, headline_values(run))


def network(name: str) -> TrainedModel:
    """Shared by all requests. Raises :class:`UnknownNameError`, or :class:`Problem` 500 where an installed network cannot be loaded."""
    known = {card.name: card for card in cards()}
    if name not in known:
        raise UnknownNameError("model", name[:200], known)
    try:
        return _network(name, known[name].sha256)
    except ModelError as error:
        raise Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "network-damaged", "The network cannot be loaded", str(error)) from None


@lru_cache(maxsize=NETWORKS_IN_MEMORY)
def _network(name: str, _sha256: str) -> TrainedModel:
    return with_backend(load_model(name))


def cards() -> list[ModelCard]:
    """Of every installed network. Raises :class:`Problem` 500 where one cannot be read."""
    try:
        return list_cards()
    except ModelError as error:
        raise Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "network-damaged", "A model card cannot be read", str(error)) from None


def _image(form: Form, data: bytes) -> CTImage:
    return read_image(data, frame=form.frame, scale=form.scale)


def _analysis(form: MapForm, data: bytes, on_progress: Progress) -> Analysis:
    return analyse(
        _image(form, data), network(form.model), methods=[form.method], target=form.target, options=form.options, on_progress=on_progress,
        show_anyway=form.show_anyway, set_level=form.set_level,
    )  # fmt: skip
