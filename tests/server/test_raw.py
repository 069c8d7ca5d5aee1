"""Bytes that no library would send, to the running server: an answer or an end, and no failure."""

import json
import re
import socket
from typing import Final

import pytest

from tests.server.conftest import status_of
from tests.server.yard import Yard

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("server")]


def asks(
    *headers: bytes, start: bytes = b"GET /sign-in HTTP/1.1", host: bytes = b"Host: casebook.example"
) -> bytes:
    """A request from its lines."""
    return b"\r\n".join([start, *filter(None, [host]), *headers, b"", b""])


def sends(*headers: bytes, body: bytes = b"") -> bytes:
    """A form to sign in by."""
    return asks(*headers, start=b"POST /sign-in HTTP/1.1") + body


def gets(address: bytes, *headers: bytes) -> bytes:
    return asks(*headers, start=b"GET " + address + b" HTTP/1.1")


JSON: Final = b"Content-Type: application/json"
CHUNKED: Final = b"Transfer-Encoding: chunked"
NO_BODY: Final = b"Content-Length: 0"
REQUESTS: Final = {
    "a header that isn't text": asks(b"Cookie: \xff\xfe=\x80", b"Origin: \xe9"),
    "a header with a null": asks(b"X: a\x00b"),
    "a folded header": asks(b"X: a\r\n b"),
    "many headers": asks(*(b"X-%d: 1" % n for n in range(500))),
    "a huge header": asks(b"X: " + b"a" * 200_000),
    "a token that isn't text": gets(b"/api/v1/me", b"Authorization: Bearer \xff"),
    "no host": asks(host=b""),
    "two hosts": asks(b"Host: b"),
    "a host that can't be one": asks(host=b"Host: a..b"),
    "another host in the address": gets(b"http://other.example/sign-in"),
    "an address of no server": gets(b"*"),
    "a line break in the address": gets(b"//x%0d%0aSet-Cookie:%20a=1/../"),
    "an address that isn't text": gets(b"/%ff%fe/%00"),
    "bytes in the address": gets(b"/\xc3\xa9//\xff"),
    "half a percent": gets(b"/cases/%?next=%&%zz"),
    "slashes": gets(b"/" * 3000),
    "a long address": gets(b"/sign-in?next=/" + b"a" * 30_000),
    "a range beyond": gets(b"/static/casebook.css", b"Range: bytes=99999999-"),
    "a range of nonsense": gets(b"/static/casebook.css", b"Range: bytes=-,\xb2-1"),
    "a tunnel": asks(start=b"CONNECT casebook.example:443 HTTP/1.1"),
    "a method of nobody": asks(start=b"N0NSENSE! /sign-in HTTP/1.1"),
    "a trace": asks(start=b"TRACE / HTTP/1.1"),
    "a head": asks(start=b"HEAD /static/casebook.css HTTP/1.1"),
    "an old version": asks(start=b"GET /sign-in HTTP/1.0", host=b""),
    "no version": asks(start=b"GET /sign-in", host=b""),
    "a version to come": asks(start=b"GET /sign-in HTTP/9.9"),
    "an upgrade": asks(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: AA=="),
    "two lengths": sends(b"Content-Length: 3", b"Content-Length: 4", body=b"a=1"),
    "length and pieces": sends(JSON, b"Content-Length: 3", CHUNKED, body=b"0\r\n\r\n"),
    "a length below nothing": sends(b"Content-Length: -1"),
    "a length beyond counting": sends(b"Content-Length: " + b"9" * 30),
    "pieces of nonsense": sends(JSON, CHUNKED, body=b"zz\r\n"),
    "a piece beyond counting": sends(JSON, CHUNKED, body=b"ffffffffffffffffff\r\n"),
    "an encoding of nobody": sends(JSON, b"Transfer-Encoding: gzip"),
    "an expectation": sends(b"Expect: 100-continue", NO_BODY),
    "an odd origin": sends(b"Origin: http://[", NO_BODY),
    "nothing but an end": b"\r\n\r\n\r\n\r\n",
}


@pytest.mark.parametrize("what", sorted(REQUESTS))
def test_it_is_answered_or_ended(server: Yard, what: str) -> None:
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        try:
            connection.sendall(REQUESTS[what])
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                answer += piece
        except OSError:
            pass  # the server may end it before it has heard everything
    statuses = re.findall(rb"^HTTP/1\.[01] (\d{3}) ", answer, re.MULTILINE)
    assert all(status < b"500" for status in statuses), answer[:300]
    assert b"Set-Cookie: a=1" not in answer
    assert b"Traceback" not in answer


def test_none_of_it_was_a_failure(server: Yard) -> None:
    assert status_of(f"{server.address}/healthz") == 200
    log = server.log_of("web").read_text()
    assert "panicked" not in log
    said = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [line for line in said if line["level"] == "error"] == []
