"""What every answer of the app's server carries, and what it does not answer: the HTTP interface has its own in :mod:`lungcad.api.guard`."""

import base64
import hashlib
import re
from pathlib import Path

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def _inline_scripts() -> str:
    """Those that Streamlit's own page holds, by their SHA-256: no other one is run, whatever text a file or a link brings into the page."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
    digests = [hashlib.sha256(script.encode()).digest() for script in re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


HEADERS = {
    # blob: and data: are what the page makes itself: the scripts of lungcad's drawings, thumbnails
    "Content-Security-Policy": f"default-src 'self'; script-src 'self' {_inline_scripts()} 'wasm-unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
CLOSED = ("/_stcore/metrics",)
"""How many sessions there are, and what is cached, is nobody's business who merely reaches the port."""


class Guard:
    """ASGI middleware around Streamlit's own server."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        app = PlainTextResponse("Not Found", 404) if scope["path"].rstrip("/") in CLOSED else self.app
        await app(scope, receive, send_guarded)


MIDDLEWARE = [Middleware(Guard)]
