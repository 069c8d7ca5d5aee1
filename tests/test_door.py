"""What comes in at the door of a web process, and what is sent away there."""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, TypeVar
from wsgiref.validate import validator

import pytest

from app.door import ASKS_NO_DATABASE, LONG_AT_ONCE, MOST_HEARD, Application, Door, Headers
from app.security import MOST_BYTES

Answer = TypeVar("Answer")


class Given(dict[str, list[str]]):
    """Granian's headers, as far as the door asks for them. What isn't plain text has a name and no value."""

    def get(self, name: str, default: Any = None) -> Any:
        return (self[name] or [default])[0] if name in self else default

    def get_all(self, name: str) -> list[str]:
        return self[name]


@dataclass
class Request:
    """One request as Granian hands it in."""

    method: str = "POST"
    path: str = "/é"
    query_string: str = "a=1"
    client: str = "[::1]:4711"
    server: str = "127.0.0.1:8000"
    scheme: str = "http"
    http_version: str = "1.1"
    authority: str | None = None
    headers: Given = field(default_factory=Given)


@dataclass
class Wire:
    """The client's end: pieces of a body, after which it says nothing more; then what it was answered."""

    pieces: Iterable[bytes] = ()
    stays: bool = False
    heard: list[tuple[int, Headers, bytes]] = field(default_factory=list)
    taken: int = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.taken += len(piece)
            yield piece
        if self.stays:
            await asyncio.Event().wait()

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        self.heard.append((status, headers, body))


def finished(work: Coroutine[Any, Any, Answer]) -> Answer:
    """What it gives. Where a browser was driven before, the main thread has a loop that never ends."""
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, work).result()


def asked(application: Application, request: Request, wire: Wire) -> tuple[int, bytes]:
    async def serve() -> None:
        door, loop = Door(application, 1, body_seconds=0.05), asyncio.get_running_loop()
        door.__rsgi_init__(loop)
        await door.__rsgi__(request, wire)
        door.__rsgi_del__(loop)

    finished(serve())
    [(status, _, body)] = wire.heard
    return status, body


def telling(seen: dict[str, Any]) -> Application:
    """An application that keeps what it was asked."""

    def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        seen.update(environ)
        seen["body"] = environ["wsgi.input"].read()
        start("200 OK", [("Content-Type", "text/plain")])
        return [b"one, ", b"two"]

    return application


def test_a_request_comes_in_as_wsgi_wants_it() -> None:
    seen: dict[str, Any] = {}
    headers = Given(
        {
            "content-type": ["text/plain"],
            "content-length": ["5"],
            "host": ["casebook.example"],
            "cookie": ["a=1", "b=2"],
            "accept": ["text/html", "*/*"],
            "idempotency-key": [],
        }
    )
    request = Request(headers=headers)

    assert asked(telling(seen), request, Wire([b"ab", b"cde"])) == (200, b"one, two")
    assert seen["body"] == b"abcde"
    assert seen["PATH_INFO"].encode("latin-1").decode() == "/é"
    assert (seen["CONTENT_TYPE"], seen["CONTENT_LENGTH"]) == ("text/plain", "5")
    assert (seen["HTTP_COOKIE"], seen["HTTP_ACCEPT"]) == ("a=1; b=2", "text/html,*/*")
    assert (seen["HTTP_IDEMPOTENCY_KEY"], seen["HTTP_HOST"]) == ("", "casebook.example")
    assert (seen["REMOTE_ADDR"], seen["SERVER_PORT"]) == ("::1", "8000")


def test_the_standards_own_checker_finds_nothing_wrong() -> None:
    def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        return [environ["wsgi.input"].read(3)]

    headers = Given({"content-length": ["3"], "content-type": ["text/plain"]})
    assert asked(validator(application), Request(headers=headers), Wire([b"abc"])) == (200, b"abc")


def test_a_body_that_does_not_say_its_length_gets_one() -> None:
    seen: dict[str, Any] = {}
    request = Request(headers=Given({"transfer-encoding": ["chunked"]}))
    assert asked(telling(seen), request, Wire([b"abc"]))[0] == 200
    assert (seen["CONTENT_LENGTH"], seen["body"]) == ("3", b"abc")


def test_a_form_that_does_not_say_its_length_may_have_broken_off_and_is_refused() -> None:
    seen: dict[str, Any] = {}
    headers = Given(
        {
            "transfer-encoding": ["chunked"],
            "content-type": ["application/x-www-form-urlencoded; charset=utf-8"],
        }
    )
    assert asked(telling(seen), Request(headers=headers), Wire([b"a=1"]))[0] == 411
    assert not seen


def test_who_sends_no_body_is_not_waited_for() -> None:
    assert asked(telling({}), Request(method="GET"), Wire(stays=True))[0] == 200


@pytest.mark.parametrize(
    ("wire", "status"), [(Wire([b"a"], stays=True), 408), (Wire(stays=True), 408), (Wire([b"a"]), 400)]
)
def test_what_never_came_whole_reaches_nobody(wire: Wire, status: int) -> None:
    seen: dict[str, Any] = {}
    assert asked(telling(seen), Request(headers=Given({"content-length": ["5"]})), wire)[0] == status
    assert not seen


def test_of_too_much_no_more_is_kept_than_may_be_used() -> None:
    seen: dict[str, Any] = {}
    wire = Wire(b"x" * 65536 for _ in range(1000))
    assert asked(telling(seen), Request(headers=Given({"content-length": ["65536000"]})), wire)[0] == 200
    assert len(seen["body"]) == MOST_BYTES + 1
    assert MOST_HEARD < wire.taken <= MOST_HEARD + 65536


def test_a_long_story_comes_in_whole() -> None:
    seen: dict[str, Any] = {}
    headers = Given({"content-length": [str(5 * 2**20)]})
    wire = Wire(b"x" * 65536 for _ in range(80))
    assert asked(telling(seen), Request(path="/worried", headers=headers), wire)[0] == 200
    assert len(seen["body"]) == 5 * 2**20


def test_no_more_long_stories_are_held_at_once_than_fit() -> None:
    piece, held = b"x" * (MOST_BYTES + 1), []

    class Slow(Wire):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield piece
            held.append(self)
            await asyncio.sleep(0.01)
            held.remove(self)
            assert len(held) < LONG_AT_ONCE

    async def serve() -> list[Slow]:
        door, wires = Door(telling({}), 1), [Slow() for _ in range(3 * LONG_AT_ONCE)]
        headers = Given({"content-length": [str(len(piece))]})
        request = Request(path="/worried", headers=headers)
        await asyncio.gather(*(door.__rsgi__(request, wire) for wire in wires))
        door.__rsgi_del__(asyncio.get_running_loop())
        return wires

    assert [wire.heard[0][0] for wire in finished(serve())] == [200] * 3 * LONG_AT_ONCE


def test_what_asks_no_database_is_answered_while_every_thread_waits_for_one() -> None:
    database_is_back = Event()

    def application(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(ASKS_NO_DATABASE):
            assert database_is_back.wait(20)
        start("200 OK", [])
        return [environ["PATH_INFO"].encode()]

    async def serve() -> None:
        door, waiting = Door(application, 2), [Wire() for _ in range(5)]
        others = [asyncio.create_task(door.__rsgi__(Request("GET", "/"), wire)) for wire in waiting]
        await asyncio.sleep(0)
        try:
            for path in ("/healthz", "/static/casebook.css"):
                wire = Wire()
                await asyncio.wait_for(door.__rsgi__(Request("GET", path), wire), 10)
                assert wire.heard == [(200, [], path.encode())]
            assert not any(wire.heard for wire in waiting)
        finally:
            database_is_back.set()
        await asyncio.gather(*others)
        door.__rsgi_del__(asyncio.get_running_loop())

    finished(serve())


def test_an_application_that_breaks_is_answered_for(caplog: pytest.LogCaptureFixture) -> None:
    def application(_environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        raise LookupError("words that nobody should read")

    status, body = asked(application, Request(method="GET"), Wire())
    assert status == 500
    assert b"words" not in body


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists what a process holds open")
def test_opening_the_door_leaves_nothing_open(tmp_path: Path) -> None:
    held = Path("/proc/self/fd")
    with (tmp_path / "a file that is no socket").open("w"):
        before = len(list(held.iterdir()))
        answered, _ = asked(telling({}), Request(method="GET"), Wire())
        assert answered == 200
        assert len(list(held.iterdir())) == before
