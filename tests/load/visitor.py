"""A browser's part of Streamlit's protocol: protobuf over ``/_stcore/stream``, uploads by PUT, and DELETE of those that are taken away."""

import asyncio
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs, UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

XSRF = "_streamlit_xsrf"
BOUNDARY = "lungcad-load"


@dataclass(frozen=True)
class Arrived:
    """An element, seconds after the visitor's click. kind: as protobuf names it ("html", "selectbox" …)."""

    kind: str
    element: Any
    seconds: float


@dataclass
class Visitor:
    """One open tab. widgets: id -> its state, sent with every click, as a browser does. seen: (kind, label) -> the newest such element."""

    base: str
    socket: Any
    token: str
    page: str
    query: str
    session: str = ""
    widgets: dict[str, WidgetState] = field(default_factory=dict)
    seen: dict[tuple[str, str], Any] = field(default_factory=dict)

    async def rerun(self) -> AsyncIterator[Arrived]:
        """Send the widgets' states; every element of the run that this begins, until it has finished.

        Left early, the tab asks for its next run while this one computes, and the server ends it.
        """
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = self.page
        if link := self.seen.get(("page_link", self.page)):
            message.rerun_script.page_script_hash = link.page_script_hash
        message.rerun_script.widget_states.widgets.extend(self.widgets.values())
        begun, is_ours = time.perf_counter(), False
        await self.socket.send(message.SerializeToString())
        async for answer in self._messages():
            if answer.HasField("new_session"):
                is_ours = True  # what came before belongs to the run that the click ended
            elif is_ours and answer.HasField("delta") and answer.delta.HasField("new_element"):
                element = answer.delta.new_element
                kind = element.WhichOneof("type")
                body = getattr(element, kind)
                if label := getattr(body, "label", ""):
                    self.seen[kind, label] = body
                yield Arrived(kind, body, time.perf_counter() - begun)
            elif is_ours and answer.HasField("delta") and answer.delta.HasField("add_block"):
                block = answer.delta.add_block
                yield Arrived("block", block, time.perf_counter() - begun)
            elif is_ours and answer.HasField("script_finished") and answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return

    async def upload(self, label: str, data: bytes) -> None:
        """Drop a file on the uploader of that label; the one before is taken away."""
        uploader = self.seen["file_uploader", label]
        request = BackMsg()
        request.file_urls_request.request_id = "upload"
        request.file_urls_request.session_id = self.session
        request.file_urls_request.file_names.append("slice.png")
        await self.socket.send(request.SerializeToString())
        async for answer in self._messages():
            if answer.HasField("file_urls_response"):
                urls = answer.file_urls_response.file_urls[0]
                break
        else:
            raise ConnectionError("The server closed the connection before the upload.")
        await asyncio.to_thread(self._put, urls.upload_url, data)
        if before := self.widgets.get(uploader.id):
            for file in before.file_uploader_state_value.uploaded_file_info:
                await asyncio.to_thread(self._send, "DELETE", file.file_urls.delete_url, None, {})
        info = UploadedFileInfo(name="slice.png", size=len(data), file_id=urls.file_id)
        info.file_urls.CopyFrom(FileURLs(file_id=urls.file_id, upload_url=urls.upload_url, delete_url=urls.delete_url))
        state = WidgetState(id=uploader.id)
        state.file_uploader_state_value.uploaded_file_info.append(info)
        self.widgets[uploader.id] = state

    def choose(self, label: str, wanted: str) -> None:
        """Pick an option of a select box."""
        box = self.seen["selectbox", label]
        if wanted not in box.options:
            raise LookupError(f"The page offers no {wanted!r} as {label}: {list(box.options)}")
        self.widgets[box.id] = WidgetState(id=box.id, string_value=wanted)

    def get(self, path: str) -> bytes:
        """A file that the page offers."""
        with urllib.request.urlopen(f"{self.base}{path}", timeout=60) as answer:
            return bytes(answer.read())

    async def _messages(self) -> AsyncIterator[ForwardMsg]:
        async for data in self.socket:
            message = ForwardMsg()
            message.ParseFromString(data)
            if message.HasField("new_session"):
                self.session = message.new_session.initialize.session_id or self.session
            yield message

    def _put(self, path: str, data: bytes) -> None:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="slice.png"\r\nContent-Type: image/png\r\n\r\n'
        body = head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
        self._send("PUT", path, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> None:
        headers |= {"Cookie": f"{XSRF}={self.token}", "X-Xsrftoken": self.token}
        request = urllib.request.Request(f"{self.base}{path}", body, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()


@asynccontextmanager
async def visiting(base: str, page: str, query: str) -> AsyncIterator[Visitor]:
    """A tab on a page. base: http://HOST:PORT."""
    token = await asyncio.to_thread(_token, base)
    address = f"{base.replace('http', 'ws', 1)}/_stcore/stream"
    headers = {"Origin": base, "Cookie": f"{XSRF}={token}"}
    connection = websockets.connect(
        address, additional_headers=headers, subprotocols=["streamlit", token], max_size=None, ping_timeout=None, open_timeout=60
    )
    async with connection as socket:
        yield Visitor(base, socket, token, page, query)


def _token(base: str) -> str:
    with urllib.request.urlopen(f"{base}/_stcore/health", timeout=60) as answer:
        cookies = answer.headers.get_all("Set-Cookie") or []
    found = next(cookie for cookie in cookies if cookie.startswith(XSRF))
    return str(found.split(";")[0].partition("=")[2])
