"""Errors as RFC 9457 problem details: every answer that is no success has this one shape."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from lungcad.errors import LungcadError

MEDIA_TYPE = "application/problem+json"


class ProblemDetails(BaseModel):
    """The body of every error (RFC 9457). type: what kind of problem, stable; detail: one sentence for a person."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:lungcad:problem:unusable-input"])
    title: str
    status: int
    detail: str


class Problem(Exception):
    """Raised anywhere in a route; becomes the answer."""

    def __init__(
        self, status: HTTPStatus, kind: str, title: str, detail: str, *, headers: Mapping[str, str] | None = None, **extensions: Any
    ) -> None:
        super().__init__(title)
        self.status, self.headers = status, dict(headers or {})
        self.body = {"type": f"urn:lungcad:problem:{kind}", "title": title, "status": int(status), "detail": detail, **extensions}

    def response(self) -> JSONResponse:
        """As an answer."""
        return JSONResponse(self.body, int(self.status), self.headers, media_type=MEDIA_TYPE)


def unusable(detail: str) -> Problem:
    """The request is well formed, but something in it cannot be used."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "unusable-input", "The input cannot be used", detail)


def internal() -> Problem:
    """A fault of lungcad; what it was stands in the log only, since messages of libraries may quote what was uploaded."""
    detail = "Internal error; please report it with the request's X-Request-ID."
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)


def of_validation(errors: Any) -> Problem:
    """The first fault of a form, its field named; the value is not repeated."""
    first = errors[0]
    field = ".".join(str(part) for part in first["loc"] if part != "body") or "the form"
    return unusable(f"{field}: {first['msg']}.")


def add_handlers(app: FastAPI) -> None:
    """Whatever is raised in a route is answered as a problem."""

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> JSONResponse:
        return error.response()

    @app.exception_handler(LungcadError)
    async def bad_input(_: Request, error: LungcadError) -> JSONResponse:
        return unusable(str(error)).response()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return of_validation(error.errors()).response()

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        kind = status.phrase.lower().replace(" ", "-")
        return Problem(status, kind, status.phrase, f"{status.description or status.phrase}.", headers=error.headers).response()


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """What a route can answer beside success, for OpenAPI."""
    return {
        int(status): {"description": status.phrase, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}}
        for status in statuses
    }
