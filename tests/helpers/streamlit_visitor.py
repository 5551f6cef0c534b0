"""A visitor of a running app without a browser: its WebSocket messages and its uploads."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

RUN_TIMEOUT_S = 30.0
BOUNDARY = "boundary"
STORAGE = "emojify_browser_storage"


class StreamlitVisitor:
    """One open page of the app at ``url``.

    Example:
        >>> with open_page("http://localhost:8501") as visitor:  # doctest: +SKIP
        ...     messages = visitor.run(BackMsg())
        ...     status = visitor.upload(b"a file")
    """

    def __init__(self, url: str, socket: ClientConnection) -> None:
        self.address = urlsplit(url).netloc
        self._socket = socket
        self.session_id = ""

    def run(self, message: BackMsg) -> list[ForwardMsg]:
        """Send a message that starts a run of the page; return what the server sends until the run has ended."""
        self.send(message)
        messages = []
        while True:
            received = ForwardMsg.FromString(bytes(self._socket.recv(RUN_TIMEOUT_S, decode=False)))
            messages.append(received)
            if received.WhichOneof("type") == "new_session":
                self.session_id = received.new_session.initialize.session_id
            if received.WhichOneof("type") == "script_finished":
                return messages

    def send(self, message: BackMsg) -> None:
        self._socket.send(message.SerializeToString())

    def begin_upload(self, content: bytes, length: int | None = None, file: str = "file") -> http.client.HTTPConnection:
        """Send the start of an upload of ``length`` bytes; all of it by default."""
        cookie = self._xsrf_cookie()
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="f.png"\r\n\r\n'.encode()
        tail = f"\r\n--{BOUNDARY}--\r\n".encode()
        connection = http.client.HTTPConnection(self.address, timeout=RUN_TIMEOUT_S)
        connection.putrequest("PUT", f"/_stcore/upload_file/{self.session_id}/{file}")
        connection.putheader("Cookie", f"_streamlit_xsrf={cookie}")
        connection.putheader("X-Xsrftoken", cookie)
        connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
        connection.putheader("Content-Length", str(len(head) + (length or len(content)) + len(tail)))
        connection.endheaders()
        connection.send(head + content + (tail if length is None else b""))
        return connection

    def upload(self, content: bytes, file: str = "file") -> tuple[int, str]:
        """Upload a file; return the status and the text of the answer."""
        response = self.begin_upload(content, file=file).getresponse()
        return response.status, response.read().decode()

    def _xsrf_cookie(self) -> str:
        connection = http.client.HTTPConnection(self.address, timeout=RUN_TIMEOUT_S)
        connection.request("GET", "/_stcore/health")
        header = connection.getresponse().getheader("Set-Cookie") or ""
        return header.partition("=")[2].partition(";")[0]


def stored_component(message: ForwardMsg) -> str:
    """Return the id of the component that asks the browser for what it has stored, if this message shows it."""
    component = message.delta.new_element.bidi_component
    return component.id if component.component_name == STORAGE else ""


def answer_of_storage(component_id: str) -> WidgetState:
    """Return the answer of a browser that has stored nothing. The live page shows its widgets only then."""
    answer = json.dumps([{"event": "stored", "value": ""}])
    return WidgetState(id=f"{STREAMLIT_INTERNAL_KEY_PREFIX}_{component_id}__events", json_trigger_value=answer)


@contextmanager
def open_page(url: str) -> Iterator[StreamlitVisitor]:
    """Open the page that the app shows first, and wait until it is there."""
    stream = f"{url.replace('http', 'ws')}/_stcore/stream"
    with connect(stream, subprotocols=[Subprotocol("streamlit")], max_size=None) as socket:
        visitor = StreamlitVisitor(url, socket)
        first = BackMsg()
        first.rerun_script.query_string = ""
        shown = visitor.run(first)
        components = [found for message in shown if (found := stored_component(message))]
        if components:
            answer = BackMsg()
            answer.rerun_script.page_script_hash = next(
                message.navigation.page_script_hash for message in shown if message.WhichOneof("type") == "navigation"
            )
            answer.rerun_script.widget_states.widgets.append(answer_of_storage(components[0]))
            visitor.run(answer)
        yield visitor
