"""The application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from prometheus_fastapi_instrumentator import Instrumentator

from lungcad import __version__
from lungcad.api.forms import component_schemas
from lungcad.api.guard import Guard, asks_for_key
from lungcad.api.problems import ProblemDetails, add_handlers, documented
from lungcad.api.routes import Server, routes
from lungcad.api.settings import Settings

ABOUT = "Look behind a lung-CT classifier's answer. Research software, not a medical device. Uploads stay in memory and are forgotten with the answer."


def create_app(settings: Settings = Settings()) -> FastAPI:
    """Routes, guard and metrics; no interactive documentation, which would load scripts from elsewhere, and no CORS."""
    server = Server(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        server.close()

    app = FastAPI(
        title="lungcad", version=__version__, description=ABOUT, docs_url=None, redoc_url=None, lifespan=lifespan, redirect_slashes=False
    )
    add_handlers(app)
    app.include_router(routes(server, settings))
    _add_metrics(app, server, settings)
    app.add_middleware(Guard, hosts=settings.hosts)  # last, so outermost
    _complete_schema(app)
    return app


def _add_metrics(app: FastAPI, server: Server, settings: Settings) -> None:
    """``/metrics`` in Prometheus' format: requests by route and status, how many are being answered, the size of the last batches."""
    registry = CollectorRegistry()
    Instrumentator(registry=registry, should_instrument_requests_inprogress=False, excluded_handlers=["/metrics", "/health"]).instrument(
        app
    )
    admitted = Gauge("lungcad_admitted_requests", "Requests that hold a place, by desk.", ["desk"], registry=registry)
    admitted.labels("answers").set_function(lambda: server.answers.taken)
    admitted.labels("maps").set_function(lambda: server.maps.taken)
    Gauge("lungcad_upload_bytes", "Bytes of uploads in memory.", registry=registry).set_function(
        lambda: server.budget.taken + server.series_budget.taken
    )
    Gauge("lungcad_volume_jobs", "Series that wait or are read.", registry=registry).set_function(lambda: server.volumes.unfinished)
    Gauge("lungcad_mean_batch", "Images a forward pass, over the last 1000.", registry=registry).set_function(
        lambda: sum(server.batcher.sizes) / max(len(server.batcher.sizes), 1)
    )

    @app.get(
        "/metrics", dependencies=asks_for_key(settings.api_key), tags=["server"], response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **documented(HTTPStatus.UNAUTHORIZED, HTTPStatus.MISDIRECTED_REQUEST)},
    )  # fmt: skip
    def metrics() -> Response:
        """For Prometheus."""
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _complete_schema(app: FastAPI) -> None:
    """What FastAPI cannot see: the forms, which are read without it, and the shape of problems."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        schema = original()
        components = schema.setdefault("components", {}).setdefault("schemas", {})
        components |= component_schemas()
        components["ProblemDetails"] = ProblemDetails.model_json_schema()
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
