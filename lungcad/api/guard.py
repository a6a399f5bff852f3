"""What stands before every route: names of this server, headers, the log, and an end to whatever was raised."""

import asyncio
import contextlib
import hmac
import json
import logging
import secrets
import time
import traceback
from http import HTTPStatus
from typing import Any

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lungcad.api.problems import Problem, internal

LOG = logging.getLogger("lungcad.api")

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
KEY_HEADER = "X-API-Key"
SHORT_BODY, SHORT_BODY_SECONDS = 1 << 20, 1.0
"""Bytes of a body that is read to its end, and thrown away, before an early answer, and the longest that this may take: who still sends when the connection
is closed would see it broken, and not the answer.
"""


class Guard:
    """ASGI middleware, the outermost.

    Refuses a Host that is not this server's (so that no web page reaches it by a name of its own), sets :data:`HEADERS`, writes one JSON line a
    request, and answers a fault of lungcad as a problem. Neither the log nor an answer holds a path with parameters, a query, an address, a file
    name or the text of an exception: only the route's pattern, and where in lungcad's code a fault arose.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, request_id, status = time.perf_counter(), secrets.token_hex(8), 0
        has_more = scope["method"] in _WITH_BODY

        async def receive_counted() -> Message:
            nonlocal has_more
            message = await receive()
            has_more = has_more and message["type"] == "http.request" and message.get("more_body", False)
            return message

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update({**HEADERS, "X-Request-ID": request_id})
                length = Headers(scope=scope).get("content-length", "")
                if has_more and length.isdecimal() and int(length[:20]) <= SHORT_BODY:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(SHORT_BODY_SECONDS):
                            while has_more:
                                await receive_counted()
                if has_more:  # what is still on its way is not read, however much it is
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        fault = None
        try:
            if self._is_addressed(Headers(scope=scope).get("host", "")):
                await self.app(scope, receive_counted, send_guarded)
            else:
                await _unknown_host().response()(scope, receive, send_guarded)
        except Exception as error:  # whatever a route or a library raises is answered here, or its text would reach the server's own log
            fault = where(error)
            if not status:
                await internal().response()(scope, receive, send_guarded)
        entry = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "request": request_id,
            "method": scope["method"] if scope["method"] in _METHODS else "other",
            "route": getattr(scope.get("route"), "path", "none"),
            "status": status,
            "seconds": round(time.perf_counter() - begun, 4),
            **({"fault": fault} if fault else {}),
        }
        LOG.log(logging.ERROR if fault else logging.INFO, json.dumps(entry))

    def _is_addressed(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
        return "*" in self.hosts or name.lower() in self.hosts


_WITH_BODY = {"POST", "PUT", "PATCH"}
_METHODS = _WITH_BODY | {"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"}


def _unknown_host() -> Problem:
    detail = "This server is not known by the name in the Host header; whoever runs it names it with --allow-host."
    return Problem(HTTPStatus.MISDIRECTED_REQUEST, "unknown-host", "Unknown host", detail)


def where(error: BaseException) -> str:
    """The kind of an exception and the line of lungcad it came from; never its message, which may quote what was uploaded."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "lungcad" in frame.filename] or traceback.extract_tb(
        error.__traceback__
    )
    last = frames[-1] if frames else None
    place = f" at {last.filename.rpartition('lungcad/')[2]}:{last.lineno}" if last else ""
    return f"{type(error).__name__}{place}"


def asks_for_key(api_key: str | None) -> list[Any]:
    """Dependencies of a route that refuse whoever does not send the key; compared in a time that does not tell how much of it was right."""
    if api_key is None:
        return []

    def check(request: Request) -> None:
        if not hmac.compare_digest(request.headers.get(KEY_HEADER, "").encode("latin-1"), api_key.encode()):
            detail = f"Send the key of this server in the header {KEY_HEADER}."
            raise Problem(HTTPStatus.UNAUTHORIZED, "unauthorised", "No valid key", detail, headers={"WWW-Authenticate": "ApiKey"})

    return [Depends(APIKeyHeader(name=KEY_HEADER, auto_error=False)), Depends(check)]
