"""The voxels on their way to the browser: over HTTP, straight from the array. A message of Streamlit's would be copied some eight times."""

import re
import secrets
from collections.abc import AsyncIterator
from weakref import WeakValueDictionary

import numpy as np
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from lungcad.app.volume.payload import Payload

FOLDER = "lungcad-voxels"
CHUNK = 1 << 20
_payloads: WeakValueDictionary[str, Payload] = WeakValueDictionary()
"""By tokens that only the owner's page is told; a payload is gone with the session that holds it."""


def offer(payload: Payload) -> str:
    """The address, relative to the page, at which the payload's values can be fetched for as long as somebody holds it."""
    token = secrets.token_urlsafe(32)
    _payloads[token] = payload
    return f"{FOLDER}/{token}"


class VoxelServer:
    """ASGI middleware: answers the addresses of :func:`offer`, and passes on everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] == "http" and re.search(rf"/{FOLDER}/([^/]*)$", scope["path"])  # whatever stands before it: a base path
        await (_answer(_payloads.get(asked[1])) if asked else self.app)(scope, receive, send)


def _answer(payload: Payload | None) -> Response:
    """int16, little-endian, as it lies in the array; in pieces, so that no second copy of it waits for a slow browser."""
    if payload is None:
        return PlainTextResponse("Not Found", 404)
    values = np.ascontiguousarray(payload.hu, dtype="<i2").data.cast("B")

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(values), CHUNK):
            yield bytes(values[start : start + CHUNK])

    headers = {"Content-Length": str(len(values)), "Cache-Control": "no-store"}
    return StreamingResponse(pieces(), media_type="application/octet-stream", headers=headers)


MIDDLEWARE = [Middleware(VoxelServer)]
