"""One school's server for all tests of this folder, and a mail server that it sends alerts to."""

import email
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.server.yard import Yard


class Mailbox:
    """A mail server on loopback that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Message]] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.got += [(address, email.message_from_bytes(content)) for address in envelope.rcpt_tos]
        return "250 OK"


@pytest.fixture(scope="package")
def mailbox() -> Iterator[Mailbox]:
    """Where alerts arrive."""
    box = Mailbox()
    box.controller.start()
    yield box
    box.controller.stop()


@pytest.fixture(scope="package")
def yard(mailbox: Mailbox) -> Iterator[Yard]:
    """Secrets made, both databases running, nothing else yet."""
    with TemporaryDirectory(prefix="casebook-yard-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        made = Yard(Path(folder), mailbox.port)
        made.make_secrets()
        made.start_databases()
        yield made
        made.end()


@pytest.fixture(scope="package")
def migrated(yard: Yard) -> Yard:
    """Both databases as the migrations leave them."""
    done = yard.start("migrate")
    assert done.process.wait(60) == 0, done.log.read_text()
    return yard


@pytest.fixture(scope="module")
def server(migrated: Yard) -> Yard:
    """The server as `docker compose up` leaves it: migrated, web, projector and anchor running.

    What an earlier file's tests have ended is started again.
    """
    yard = migrated
    yard.running = [one for one in yard.running if one.process.poll() is None]
    there = {one.name for one in yard.running}
    for name in (one for one in ("web", "projector", "anchor") if one not in there):
        yard.start(name)
    until = monotonic() + 60
    while status_of(f"{yard.address}/readyz") != 200 or '"ok"' not in text_of(f"{yard.address}/readyz"):
        assert monotonic() < until, yard.log_of("web").read_text() + yard.log_of("projector").read_text()
        sleep(0.1)
    return yard


def status_of(address: str, token: str | None = None) -> int:
    """The status of a GET; 0 when nobody answers."""
    try:
        return open_address(address, token)[0]
    except OSError:
        return 0


def text_of(address: str, token: str | None = None) -> str:
    """What a GET gives."""
    return open_address(address, token)[1]


def open_address(
    address: str, token: str | None = None, body: bytes | None = None, **headers: str
) -> tuple[int, str]:
    """Status and text of a GET, or of a POST of JSON."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    if body is not None:
        sent.setdefault("Content-Type", "application/json")
    request = urllib.request.Request(address, body, sent)  # noqa: S310 - a server of this test
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
