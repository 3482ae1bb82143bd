"""A small HTTP server in a thread of its own: GET only, one answer for each connection, then closed.

Connections cost no thread each and are bounded in number and time, so that idle ones exhaust nothing. Its
own event loop answers even where the service's loop is frozen.
"""

import asyncio
import socket
from collections.abc import Callable
from http import HTTPStatus
from threading import Thread
from typing import NamedTuple

MAX_CONNECTIONS = 64
"""Open at once. One more closes the one that has been open longest: whoever asks at once is answered."""
REQUEST_SECONDS = 5.0
"""For the whole exchange; then the connection is closed."""
MAX_REQUEST_BYTES = 8 * 1024


class Response(NamedTuple):
    status: int
    content_type: str
    body: bytes


class HttpThread:
    def __init__(self, host: str, port: int, respond: Callable[[str], Response]) -> None:
        """`respond` is given the path without its query. Raises OSError where the port is taken; 0: any."""
        self._respond = respond
        self._socket = socket.create_server((host, port), backlog=MAX_CONNECTIONS)
        self.port = int(self._socket.getsockname()[1])
        self._open: dict[asyncio.StreamWriter, None] = {}
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
        else:
            self._loop.close()
        self._socket.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, sock=self._socket, limit=MAX_REQUEST_BYTES)
        async with server:
            await self._stopping.wait()
            for writer in self._open:
                writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = None
        if len(self._open) > MAX_CONNECTIONS:
            longest = next(iter(self._open))
            del self._open[longest]
            longest.transport.abort()
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                writer.write(self._answer(await reader.readuntil(b"\r\n\r\n")))
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # gone, too slow or too long: nobody to be told
        finally:
            self._open.pop(writer, None)
            writer.transport.abort()

    def _answer(self, request: bytes) -> bytes:
        method, _, rest = request.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        response = self._respond(path) if method == "GET" else Response(405, "text/plain", b"only GET\n")
        head = (
            f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}\r\n"
            f"Content-Type: {response.content_type}\r\n"
            f"Content-Length: {len(response.body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        return head.encode() + response.body
