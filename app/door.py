"""The door of a web process: each request is heard to its end before one of the few threads takes it up.

Between Granian (RSGI) and the application (WSGI). A client that sends its words slowly, or never, costs a
place at the door; if threads waited for it, eight such clients would keep everybody else out. In the same way
eight who wait for a database that is gone must not keep out what asks none.
"""

import asyncio
import logging
import socket
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Protocol

from app.security import LONG_STORIES, MOST_BYTES, MOST_OF_A_STORY

BODY_SECONDS: Final = 60.0
"""How long a client may take to send a body, from its first byte to its last."""
MOST_HEARD: Final = MOST_OF_A_STORY + MOST_BYTES
"""Bytes of a body that are heard although most of them are thrown away, so that its refusal arrives."""
LONG_AT_ONCE: Final = 8
"""How many bodies of more than MOST_BYTES come in at the same time; others wait for their turn."""
UNREAD_SECONDS: Final = 60
"""How long a client may leave its answer unread."""
ASKS_NO_DATABASE: Final = ("/healthz", "/static/")
"""Where addresses begin that have threads of their own, so that nobody else's waiting delays them: whoever
watches this process would take it for dead, and a page that says what is wrong would come without its style.
"""
_THREADS_ASIDE: Final = 2
_FORM: Final = "application/x-www-form-urlencoded"
_UNHEARD: Final = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")]

Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Scope(Protocol):
    """What Granian says of a request."""

    method: str
    path: str
    query_string: str
    client: str
    server: str
    scheme: str
    http_version: str
    authority: str | None
    headers: Any


class Connection(Protocol):
    """How Granian gives a request's body and takes its answer."""

    def __aiter__(self) -> Any:
        """The pieces of the body as they come."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer."""


class Unheard(Exception):
    """The body didn't come: `status` says why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Door:
    """Serves a WSGI application with `threads` threads, and two more for what asks no database.

    Granian calls the three methods with underscores.
    """

    def __init__(self, application: Application, threads: int, *, body_seconds: float = BODY_SECONDS) -> None:
        self._application = application
        self._body_seconds = body_seconds
        self._long = asyncio.Semaphore(LONG_AT_ONCE)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._aside = ThreadPoolExecutor(_THREADS_ASIDE, thread_name_prefix="aside")

    def __rsgi_init__(self, loop: AbstractEventLoop) -> None:
        """Begin. The loop starts when Granian listens."""
        loop.call_soon(_let_go_of_the_deaf)

    def __rsgi_del__(self, _loop: AbstractEventLoop) -> None:
        """End when everything that was begun is answered."""
        self._threads.shutdown()
        self._aside.shutdown()

    async def __rsgi__(self, scope: Scope, connection: Connection) -> None:
        """Answer one request."""
        try:
            body, length = await self._hear(scope, connection)
        except Unheard as unheard:
            connection.response_bytes(unheard.status, _UNHEARD, f"{unheard}\n".encode())
            return
        environ = _environ(scope, body, length)
        threads = self._aside if scope.path.startswith(ASKS_NO_DATABASE) else self._threads
        await asyncio.get_running_loop().run_in_executor(threads, self._answer, environ, connection)

    async def _hear(self, scope: Scope, connection: Connection) -> tuple[bytes, int]:
        """The body, no more of it than may be used, and its full length. Raises Unheard."""
        said = scope.headers.get("content-length")
        if not said and "transfer-encoding" not in scope.headers:
            return b"", 0
        if not said and scope.headers.get("content-type", "").startswith(_FORM):
            # Granian doesn't tell the end of such a body from its breaking off, and half a form still is one.
            raise Unheard(411, "A form has to say how long it is. Send it with Content-Length.")
        try:
            async with asyncio.timeout(self._body_seconds), AsyncExitStack() as place:
                kept, heard = await self._pieces(scope, connection, place)
        except TimeoutError:
            raise Unheard(408, "The request took too long to arrive. Send it again.") from None
        if said and heard < min(int(said), MOST_HEARD):
            raise Unheard(400, "The request broke off. Send it again.")
        return kept, heard

    async def _pieces(self, scope: Scope, connection: Connection, place: AsyncExitStack) -> tuple[bytes, int]:
        kept, heard, most, is_long = bytearray(), 0, MOST_BYTES, False
        async for piece in connection:
            heard += len(piece)
            if heard > MOST_BYTES and not is_long and scope.path in LONG_STORIES:
                # While it waits for its turn, no more of it is taken from the network.
                await place.enter_async_context(self._long)
                is_long, most = True, MOST_OF_A_STORY
            kept += piece[: max(0, most + 1 - len(kept))]
            if heard > MOST_HEARD:
                break
        return bytes(kept), heard

    def _answer(self, environ: dict[str, Any], connection: Connection) -> None:
        # From here, not from the loop: the way back through it would take as long again.
        connection.response_bytes(*self._ask(environ))

    def _ask(self, environ: dict[str, Any]) -> Answer:
        begun: list[Any] = []

        def start(status: str, headers: Headers, _failure: object = None) -> None:
            begun[:] = int(status.split(" ", 1)[0]), headers

        try:
            pieces = self._application(environ, start)
            try:
                body = b"".join(pieces)
            finally:
                if hasattr(pieces, "close"):
                    pieces.close()
            return begun[0], begun[1], body
        except Exception:
            logging.getLogger("casebook").exception("door_failed")
            return 500, _UNHEARD, b"Something went wrong on our side.\n"


def _environ(scope: Scope, body: bytes, length: int) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333)."""
    server, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "HTTP_HOST": scope.authority or "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name in scope.headers:
        # What isn't plain text comes empty: whoever asks for the header learns that it was there.
        values = scope.headers.get_all(name) or [""]
        environ["HTTP_" + name.upper().replace("-", "_")] = ("; " if name == "cookie" else ",").join(values)
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ["CONTENT_LENGTH"] = str(length) if length else ""
    environ.pop("HTTP_CONTENT_LENGTH", None)
    return environ


def _let_go_of_the_deaf() -> None:
    """Have the kernel end a connection whose client reads nothing; Granian has no time limit for that.

    What is set on a listening socket holds for all that it accepts.
    """
    if sys.platform != "linux":
        return
    # A socket made of what isn't one leaves its copy open for good.
    sockets = [entry for entry in Path("/proc/self/fd").iterdir() if entry.is_socket()]
    for entry in sockets:
        with suppress(OSError), socket.fromfd(int(entry.name), socket.AF_INET, socket.SOCK_STREAM) as one:
            if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
