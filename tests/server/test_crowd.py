"""A thousand slow or broken connections at once don't keep anybody else out."""

import http.client
import re
import resource
import socket
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from time import monotonic, perf_counter, sleep
from urllib.parse import urlencode, urlsplit

import pytest

from app.door import LONG_AT_ONCE
from app.security import MOST_BYTES
from tests.kill.servers import children
from tests.server.conftest import open_address
from tests.server.crowd import Crowd, kinds, slow_story
from tests.server.yard import Yard

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("server")]
CLIENTS = 1000
TIMES = 60
NOBODY_NOTICES = 1.0
"""Seconds that an answer may take longer than before: a crowd of this machine takes its processors too."""
SETTLING_SECONDS = 30
"""While the crowd comes, and whatever else this machine does at the moment. Nobody ever waits ten."""


@pytest.fixture
def many_files() -> Iterator[None]:
    """Enough open files for a crowd."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * CLIENTS if hard == resource.RLIM_INFINITY else min(4 * CLIENTS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def quiet_ones(server: Yard) -> Iterator[list[socket.socket]]:
    """One who never said anything, and one who got an answer and says nothing more."""
    silent, idle = (socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(2))
    idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: casebook.example\r\n\r\n")
    assert idle.recv(4096).startswith(b"HTTP/1.1 200 ")
    yield [silent, idle]
    silent.close()
    idle.close()


def slow_ones(server: Yard, path: str, **headers: str) -> float:
    """The 95th percentile of so many answers, each on a connection of its own, in seconds."""
    took = []
    for _ in range(TIMES):
        began = perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        took.append(perf_counter() - began)
        assert answer.status == 200, path
    return sorted(took)[int(TIMES * 0.95)]


def unnoticed(now: tuple[float, float], before: tuple[float, float]) -> bool:
    return all(late < early + NOBODY_NOTICES for late, early in zip(now, before, strict=True))


def settled(server: Yard, before: tuple[float, float], path: str, cookie: str) -> tuple[float, float]:
    """How long answers take once nobody notices the crowd, or when it has been there for long."""
    until = monotonic() + SETTLING_SECONDS
    while True:
        now = slow_ones(server, "/healthz"), slow_ones(server, path, Cookie=cookie)
        if unnoticed(now, before) or monotonic() > until:
            return now


def at_work(server: Yard) -> list[int]:
    """The processes of the web service."""
    [web] = [service for service in server.running if service.name == "web"]
    found = [web.process.pid]
    for pid in found:
        found += children(pid)
    return found


def files(server: Yard) -> int:
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in at_work(server))


def megabytes(server: Yard) -> float:
    said = [Path(f"/proc/{pid}/status").read_text() for pid in at_work(server)]
    return sum(int(found[1]) / 1024 for text in said if (found := re.search(r"VmRSS:\s+(\d+)", text)))


def wait_until(happened: Callable[[], bool], seconds: float, what: str) -> None:
    until = monotonic() + seconds
    while not happened():
        assert monotonic() < until, what
        sleep(0.1)


def added(server: Yard, name: str, role: str) -> str:
    """A new account's password."""
    said = server.run("web", "casebook", "staff", "add", name, "--role", role)
    found = re.search(r"Password \(shown this once\): (\S+)", said.stdout)
    assert found, said.stderr
    return found[1]


def signed_in(server: Yard, name: str, password: str) -> tuple[str, str]:
    """The first page of somebody, and the cookies that open it."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    form = urlencode({"user_name": name, "password": password}).encode()
    with browser.open(f"{server.address}/sign-in", form, timeout=10) as page:
        path = urlsplit(page.url).path
    return path, "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


@pytest.mark.usefixtures("many_files", "quiet_ones")
def test_a_thousand_slow_or_broken_clients_keep_nobody_out(server: Yard) -> None:
    path, cookie = signed_in(server, "Ms Crowd", added(server, "Ms Crowd", "coordinator"))
    token = server.run("web", "casebook", "token", "Ms Crowd").stdout.strip()
    before = slow_ones(server, "/healthz"), slow_ones(server, path, Cookie=cookie)
    had_files, had_megabytes = files(server), megabytes(server)
    every = kinds(b"/sign-in", b"/sign-in", b"/static/casebook.css")
    each = CLIENTS // len(every) + 1
    with Crowd(server.port, every, each) as crowd:
        wait_until(lambda: crowd.came >= CLIENTS, 20, "the crowd didn't come")
        during = settled(server, before, path, cookie)
        told = open_address(
            f"{server.address}/api/v1/concerns", token, b'{"facts": "Seen while others shouted."}'
        )
        assert crowd.most > CLIENTS // 2, "most of them wait for an end"
        assert crowd.refused < crowd.came / 10
        assert megabytes(server) < had_megabytes + 400
        assert files(server) < had_files + 2 * CLIENTS
    assert told[0] == 201, "whoever tells is heard in any crowd"
    assert unnoticed(during, before), (before, during)
    wait_until(lambda: files(server) < had_files + 20, 30, "places stay taken")
    assert megabytes(server) < had_megabytes + 200


def sent_story(server: Yard, words: int, seconds: float) -> bytes | None:
    """The answer to a story of so many words by nobody who is signed in; None when none comes in time."""
    form = urlencode({"childs_words": "x" * words}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=seconds)
    try:
        connection.request("POST", "/worried", form, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        assert answer.status == 401, "nobody is signed in: the words come back"
        return answer.read()
    except TimeoutError:
        return None
    finally:
        connection.close()


def test_who_takes_every_place_for_long_stories_keeps_no_other_story_out(server: Yard) -> None:
    path, cookie = signed_in(server, "Ms Long", added(server, "Ms Long", "coordinator"))
    token = server.run("web", "casebook", "token", "Ms Long").stdout.strip()
    before = slow_ones(server, "/healthz"), slow_ones(server, path, Cookie=cookie)
    # The server's processes have as many places each, and who comes doesn't choose a process.
    with Crowd(server.port, {"tells slowly": slow_story(b"/worried")}, 10 * LONG_AT_ONCE) as crowd:
        wait_until(
            lambda: sent_story(server, 2 * MOST_BYTES, 0.5) is None and crowd.most > 9 * LONG_AT_ONCE,
            20,
            "the places for long stories weren't taken",
        )
        during = slow_ones(server, "/healthz"), slow_ones(server, path, Cookie=cookie)
        assert sent_story(server, MOST_BYTES // 2, 10), "a story as long as a child writes is heard at once"
        body = b'{"facts": "Seen while others told for long."}'
        assert open_address(f"{server.address}/api/v1/concerns", token, body)[0] == 201
        assert crowd.refused == 0
    assert unnoticed(during, before), (before, during)
    # The places are free again, each for a whole long story.
    for _ in range(2 * LONG_AT_ONCE):
        story = sent_story(server, 2 * MOST_BYTES, 30)
        assert story
        assert story.count(b"x") > 2 * MOST_BYTES


def test_who_says_nothing_for_long_loses_the_place(quiet_ones: list[socket.socket]) -> None:
    for connection in quiet_ones:
        while connection.recv(4096):
            pass


@pytest.mark.parametrize("path", ["/api/v1/concerns", "/sign-in"])
def test_a_refusal_arrives_although_too_much_was_sent(server: Yard, path: str) -> None:
    body = b"x=" + b"x" * MOST_BYTES * 6
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})
    assert connection.getresponse().status == (401 if path.startswith("/api") else 413)
    connection.close()


def test_a_long_story_arrives_whole(server: Yard) -> None:
    form = urlencode({"childs_words": "x" * MOST_BYTES * 8}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", "/worried", form, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    page = answer.read()
    connection.close()
    assert answer.status == 401, "nobody is signed in: the words come back"
    assert page.count(b"x") > MOST_BYTES * 8


def test_a_form_that_breaks_off_is_never_taken_for_a_whole_one(server: Yard) -> None:
    for headers, body in (
        (b"Content-Length: 100\r\n", b"user_name=Ms+Crowd&password="),
        (b"Transfer-Encoding: chunked\r\n", b"9\r\nuser_name\r\n5\r\n=Ms"),
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            form = b"Content-Type: application/x-www-form-urlencoded\r\n"
            connection.sendall(b"POST /sign-in HTTP/1.1\r\nHost: casebook.example\r\n" + form + headers)
            connection.sendall(b"\r\n" + body)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(4096).partition(b"\r\n")[0] in (
                b"HTTP/1.1 400 Bad Request",
                b"HTTP/1.1 411 Length Required",
            )
