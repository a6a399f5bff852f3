"""The addresses: each reads its form, lets a desk compute, and answers."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from http import HTTPStatus as S
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response

from lungcad import __version__
from lungcad.api import service
from lungcad.api.answers import Explanation, Health, Prediction, Runs, Trust, VolumeAnswer
from lungcad.api.batching import Batcher
from lungcad.api.desk import Desk
from lungcad.api.forms import SERIES, ExplainForm, Form, Output, PredictForm, TrustForm, VolumeForm, request_body
from lungcad.api.guard import asks_for_key
from lungcad.api.problems import documented
from lungcad.api.settings import Settings
from lungcad.api.upload import Upload, UploadBudget
from lungcad.api.volume_jobs import VolumeJobs
from lungcad.models import ModelCard
from lungcad.progress import Progress

F = TypeVar("F", bound=Form)
ASKED = (
    S.BAD_REQUEST, S.UNAUTHORIZED, S.REQUEST_ENTITY_TOO_LARGE, S.UNSUPPORTED_MEDIA_TYPE, S.MISDIRECTED_REQUEST, S.UNPROCESSABLE_ENTITY,
    S.INTERNAL_SERVER_ERROR, S.SERVICE_UNAVAILABLE, S.GATEWAY_TIMEOUT,
)  # fmt: skip
LISTED = (S.UNAUTHORIZED, S.MISDIRECTED_REQUEST, S.INTERNAL_SERVER_ERROR, S.SERVICE_UNAVAILABLE, S.GATEWAY_TIMEOUT)
MEDIA = {Output.PNG: "image/png", Output.NPY: "application/x-npy"}


class Server:
    """What the routes share: desks, the batcher, the budget of uploads."""

    def __init__(self, settings: Settings) -> None:
        self.batcher = Batcher(settings.batch)
        # as many threads as a batch holds: they wait for it together
        self.answers = Desk("answers", places=settings.predictions_at_once, threads=settings.batch, seconds=settings.seconds)
        self.maps = Desk("maps", places=settings.explanations_at_once, threads=settings.slow_threads, seconds=settings.seconds)
        self.budget = UploadBudget(settings.max_upload_bytes, settings.max_bytes_at_once)
        self.series_desk = Desk("series", places=settings.volumes_at_once, threads=1, seconds=settings.seconds)  # while they are sent
        self.series_budget = UploadBudget(settings.max_series_bytes, settings.max_series_bytes_at_once)
        self.volumes = VolumeJobs(most=settings.volumes_at_once, seconds=settings.volume_seconds, kept_seconds=settings.volume_kept_seconds)
        self.max_unpacked_bytes = settings.max_unpacked_bytes

    def close(self) -> None:
        """Take no more work."""
        self.answers.close()
        self.maps.close()
        self.series_desk.close()
        self.volumes.close()
        self.batcher.stop()

    async def ask(self, request: Request, desk: Desk, form: type[F], compute: Callable[[F, bytes, Progress], Any]) -> tuple[F, Any]:
        """(the form, what was computed of it and the image)."""
        async with desk.place() as place:
            with Upload(self.budget) as upload:
                fields, data = await upload.read(request, form)
                return fields, await place.work(request, partial(compute, fields, data))

    async def take_series(self, request: Request) -> str:
        """The name of the job that reads it. Its bytes count until the job lets go of them."""
        self.volumes.check_room()
        async with self.series_desk.place() as place:
            upload, loop = Upload(self.series_budget), asyncio.get_running_loop()

            def released() -> None:
                with contextlib.suppress(RuntimeError):  # the server has ended
                    loop.call_soon_threadsafe(upload.give_back)

            try:
                form, data = await upload.read(request, VolumeForm)
                await place.work(request, lambda _: service.check_volume(form))
                return self.volumes.start(partial(service.volume, form, data, self.max_unpacked_bytes), released).name
            except BaseException:
                upload.give_back()
                raise


def routes(server: Server, settings: Settings) -> APIRouter:
    """All of them; with a key set, all but /health and the schema ask for it."""
    router, v1 = APIRouter(), APIRouter(prefix="/v1", dependencies=asks_for_key(settings.api_key))

    @v1.post("/predict", response_model=Prediction, responses=documented(*ASKED), openapi_extra=request_body(PredictForm), tags=["images"])
    async def predict(request: Request) -> Any:
        """Class, calibrated probabilities and set of classes of one slice; what the gate declines is hidden unless show_anyway asks for it."""
        _, answer = await server.ask(
            request, server.answers, PredictForm, lambda form, data, _: service.predict(form, data, server.batcher)
        )
        return answer

    @v1.post(
        "/explain", response_model=Explanation, response_model_exclude_unset=True, openapi_extra=request_body(ExplainForm), tags=["images"],
        responses={200: {"content": {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA.values()}}, **documented(*ASKED)},
    )  # fmt: skip
    async def explain(request: Request) -> Any:
        """Where the network looked: facts of the heat map, its overlay, or its values."""
        form, answer = await server.ask(request, server.maps, ExplainForm, service.explain)
        return answer if form.output is Output.JSON else Response(answer, media_type=MEDIA[form.output])

    @v1.post(
        "/trust",
        response_model=Trust,
        response_model_exclude_unset=True,
        responses=documented(*ASKED),
        openapi_extra=request_body(TrustForm),
        tags=["images"],
    )
    async def trust(request: Request) -> Any:
        """The checks of one heat map, each beside its control."""
        return (await server.ask(request, server.maps, TrustForm, service.trust))[1]

    @v1.post(
        "/volume", response_model=VolumeAnswer, status_code=S.ACCEPTED, openapi_extra=request_body(VolumeForm, SERIES), tags=["series"],
        responses={**documented(*ASKED), 202: {"headers": {"Location": {"description": "Where it is asked about.", "schema": {"type": "string"}}}}},
    )  # fmt: skip
    async def volume(request: Request, response: Response) -> Any:
        """Hand in a series: the answer names the job, which goes on by itself. Whoever knows its name may ask about it and stop it."""
        name = await server.take_series(request)
        response.headers["Location"] = f"/v1/volume/{name}"
        return server.volumes.find(name)

    @v1.get("/volume/{job}", response_model=VolumeAnswer, responses=documented(*LISTED, S.NOT_FOUND), tags=["series"])
    async def volume_job(job: str) -> Any:
        """How far a series is, and its answer once it is done."""
        return server.volumes.find(job)

    @v1.delete("/volume/{job}", status_code=S.NO_CONTENT, responses=documented(*LISTED, S.NOT_FOUND), tags=["series"])
    async def stop_volume(job: str) -> None:
        """Stop it, and forget its answer."""
        server.volumes.forget(job)

    @v1.get("/models", response_model=list[ModelCard], responses=documented(*LISTED), tags=["lists"])
    def models() -> Any:
        """The cards of the installed networks."""
        return service.cards()

    @v1.get("/runs", response_model=Runs, responses=documented(*LISTED), tags=["lists"])
    async def runs(request: Request) -> Any:
        """The evaluation runs with their headline numbers and intervals."""
        async with server.maps.place() as place:
            return await place.work(request, lambda _: service.runs())

    @router.get("/health", response_model=Health, responses=documented(S.MISDIRECTED_REQUEST, S.INTERNAL_SERVER_ERROR), tags=["server"])
    def health() -> Any:
        """Whether the server answers."""
        return {"status": "ok", "version": __version__, "networks": len(service.cards())}

    router.include_router(v1)
    return router
