"""A mail server for tests, on loopback."""

import email
import socket
from email.message import Message

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import Envelope, Session


class Mailbox:
    """A mail server on loopback; addresses in `refused` are turned away."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Message]] = []
        self.refused: set[str] = set()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self._port)

    async def handle_RCPT(
        self, _server: Server, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Server, _session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.got += [(address, email.message_from_bytes(content)) for address in envelope.rcpt_tos]
        return "250 OK"

    @property
    def address(self) -> str:
        """Where it is, or will be once it opens."""
        return f"smtp://127.0.0.1:{self._port}?from=casebook@school.example"

    def open(self) -> str:
        self._controller.start()
        return self.address

    def close(self) -> None:
        if self._controller.server is not None:
            self._controller.stop()

    @property
    def addresses(self) -> list[str]:
        return [address for address, _ in self.got]
