"""Clients that are slow, broken or ill-meant, as many as a test wants, driven from one thread.

Each holds its connection for as long as the server lets it. Those that the server ends come again, as an
attacker's would.
"""

import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from time import monotonic
from typing import Final

from app.security import MOST_BYTES

TICK: Final = 0.5
"""Seconds between two bytes of a slow client."""
_HELLO: Final = bytes.fromhex("1603010200010001fc0303") + bytes(range(256)) * 2
_START: Final = b"%b %b HTTP/1.1\r\nHost: casebook.example\r\n"
_FORM: Final = b"Content-Type: application/x-www-form-urlencoded\r\n"


@dataclass
class Client:
    """One connection: what it says at once, what it drips, and what it does after."""

    says: bytes = b""
    drips: bytes = b""
    then: Callable[[socket.socket], None] | None = None
    reads: bool = True


def _half_close(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def slow_story(path: bytes) -> Client:
    """One who sends more at once than a short form has, to where long stories are heard, and then a bit."""
    head = _START % (b"POST", path) + _FORM + b"Content-Length: 1000000\r\n\r\nchilds_words="
    return Client(says=head + b"x" * (MOST_BYTES + 1000), drips=b"x" * 10)


def kinds(page: bytes, upload: bytes, large: bytes) -> Mapping[str, Client]:
    """Every kind of slow or broken client.

    `page` is an address to GET, `upload` one that takes a form from anybody, `large` the largest file.
    """
    get, post = _START % (b"GET", page), _START % (b"POST", upload)
    return {
        "says nothing": Client(),
        "drips headers": Client(says=get, drips=b"X-Slow: 1\r\n"),
        "drips a body": Client(says=post + _FORM + b"Content-Length: 100000\r\n\r\n", drips=b"a=1&"),
        "drips chunks": Client(
            says=post + _FORM + b"Transfer-Encoding: chunked\r\n\r\n", drips=b"1\r\na\r\n"
        ),
        "never sends its body": Client(says=post + _FORM + b"Content-Length: 100\r\n\r\n"),
        "half closes in its headers": Client(says=get, then=_half_close),
        "half closes in its body": Client(
            says=post + _FORM + b"Content-Length: 100\r\n\r\nuser_name=", then=_half_close
        ),
        "speaks TLS": Client(says=_HELLO),
        "speaks HTTP/2": Client(says=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)),
        "resets": Client(says=get + b"\r\n", then=_reset),
        "never reads": Client(says=(_START % (b"GET", large) + b"\r\n") * 40, reads=False),
        "keeps alive": Client(says=get + b"\r\n"),
        "sends nonsense": Client(says=b"\x00\xff\r\n\r\n" * 20),
        "lies about its length": Client(says=post + b"Content-Length: 5\r\nContent-Length: 50\r\n\r\nabc"),
    }


@dataclass
class Crowd:
    """So many of each kind at once against one port, until it is left. Use it as a context.

    Tells how many `came`, how many of those were `refused`, and the `most` that were there at once: whose
    time is up leave together, so how many are there at any one moment says little.
    """

    port: int
    kinds: Mapping[str, Client]
    each: int
    came: int = 0
    refused: int = 0
    most: int = 0
    _open: dict[socket.socket, str] = field(default_factory=dict)
    _unsaid: dict[socket.socket, bytes] = field(default_factory=dict)
    _stop: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self._thread = Thread(target=self._run, name="crowd")

    def __enter__(self) -> "Crowd":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            until = monotonic() + TICK
            missing = dict.fromkeys(self.kinds, self.each)
            for connection, kind in list(self._open.items()):
                if self._goes_on(connection, self.kinds[kind]):
                    missing[kind] -= 1
                else:
                    del self._open[connection]
                    self._unsaid.pop(connection, None)
                    connection.close()
            for kind, count in missing.items():
                for _ in range(count):
                    self._come(kind)
            self.most = max(self.most, len(self._open))
            self._stop.wait(max(0.0, until - monotonic()))
        for connection in self._open:
            connection.close()
        self._open.clear()

    def _come(self, kind: str) -> None:
        client, connection = self.kinds[kind], socket.socket()
        if not client.reads:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.settimeout(0.5)
        try:
            connection.connect(("127.0.0.1", self.port))
            connection.setblocking(False)
            self.came += 1
            self._says(connection, client.says)
            if client.then is not None:
                client.then(connection)
        except OSError:
            self.refused += 1
            connection.close()
            return
        if connection.fileno() >= 0:
            self._open[connection] = kind

    def _says(self, connection: socket.socket, words: bytes) -> None:
        """As much as the other side takes now; the rest at another time."""
        with suppress(BlockingIOError):
            while words:
                words = words[connection.send(words) :]
        if words:
            self._unsaid[connection] = words

    def _goes_on(self, connection: socket.socket, client: Client) -> bool:
        """Whether the server still keeps it."""
        try:
            if client.reads:
                with suppress(BlockingIOError):
                    while heard := connection.recv(65536):
                        del heard
                    return False
            self._says(connection, self._unsaid.pop(connection, b"") or client.drips)
        except OSError:
            return False
        return True
