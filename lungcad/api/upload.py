"""A multipart request read into memory, never onto the disk, and never more of it than is allowed."""

from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import TypeVar

import pydantic
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from lungcad.api.forms import IMAGE
from lungcad.api.problems import Problem, of_validation, unusable
from lungcad.schema import Schema

F = TypeVar("F", bound=Schema)

FIELDS_BYTES = 64 * 1024
"""What a form may hold beside its image."""


class _InMemoryParser(MultiPartParser):
    """Starlette's parser moves files above 1 MiB to the disk; this one moves none."""

    spool_max_size = 2**40
    is_whole = False

    def on_end(self) -> None:
        """The last boundary was read."""
        self.is_whole = True


class UploadBudget:
    """Bytes of all uploads that are in memory at the same time; used on the event loop only."""

    def __init__(self, largest_upload: int, at_once: int) -> None:
        self.largest_upload, self.at_once, self.taken = largest_upload, at_once, 0

    def too_large(self) -> Problem:
        """413, with the limit."""
        limit = f"{self.largest_upload / 2**20:.4g} MiB"
        return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "The upload is too large", f"It may have at most {limit}.")


class Upload:
    """The bytes of one request while it is answered. ``with`` gives them back to the budget."""

    def __init__(self, budget: UploadBudget) -> None:
        self._budget, self._taken = budget, 0

    def __enter__(self) -> "Upload":
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()

    def give_back(self) -> None:
        """On the event loop, like all else here."""
        self._budget.taken -= self._taken
        self._taken = 0

    async def read(self, request: Request, form: type[F]) -> tuple[F, bytes]:
        """(the fields, the image). Raises :class:`Problem`: 400 not multipart as it should be, 413 too large, 415 something else, 422 a field, 503."""
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "multipart/form-data":
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "not-multipart",
                "Not multipart/form-data",
                f"Send the image as the part {IMAGE!r} of multipart/form-data.",
            )
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > self._budget.largest_upload + FIELDS_BYTES:
            raise self._budget.too_large()
        parser = _InMemoryParser(request.headers, self._counted(request), max_files=1, max_fields=40, max_part_size=4096)
        try:
            parts = (await parser.parse()).multi_items()
        except MultiPartException as error:
            raise Problem(HTTPStatus.BAD_REQUEST, "malformed", "Malformed multipart/form-data", f"{error.message.rstrip('.')}.") from None
        if not parser.is_whole:
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                "malformed",
                "Malformed multipart/form-data",
                "The body was cut short: its closing boundary is missing, so a part of it may be, too; send it again.",
            )
        names = [name for name, _ in parts]
        if len(set(names)) < len(names):
            raise unusable("A field is given more than once; give each once.")
        fields = {name: value for name, value in parts if not isinstance(value, UploadFile)}
        image = dict(parts).get(IMAGE)
        if not isinstance(image, UploadFile):
            raise unusable(
                f"The part {IMAGE!r} is missing or is no file; send the image with a file name, as curl's -F {IMAGE}=@FILE does."
            )
        data = await image.read()
        await image.close()
        if len(data) > self._budget.largest_upload:
            raise self._budget.too_large()
        try:
            return form.model_validate(fields), data
        except pydantic.ValidationError as error:
            raise of_validation(error.errors(include_url=False, include_context=False, include_input=False)) from None

    async def _counted(self, request: Request) -> AsyncGenerator[bytes, None]:
        """The body as it comes, until it is more than is allowed."""
        try:
            async for chunk in request.stream():
                self._taken += len(chunk)
                self._budget.taken += len(chunk)
                if self._taken > self._budget.largest_upload + FIELDS_BYTES:
                    raise self._budget.too_large()
                if self._budget.taken > self._budget.at_once:
                    raise Problem(
                        HTTPStatus.SERVICE_UNAVAILABLE,
                        "overloaded",
                        "Too busy",
                        "Too many uploads at once; try again.",
                        headers={"Retry-After": "2"},
                    )
                yield chunk
        except ClientDisconnect:
            raise Problem(HTTPStatus.BAD_REQUEST, "disconnected", "Disconnected", "The upload broke off.") from None
