"""Content-free e-mail: through a mail server, or into a folder where there is none."""

import smtplib
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

from app.settings import Settings

TIMEOUT_SECONDS: Final = 10.0


class NotSent(Exception):
    """The alert didn't leave the house. Its text holds no address."""


class Post(Protocol):
    """A way to send e-mail; `channel` is how the record calls it."""

    channel: str

    def send(self, to: Sequence[str], text: str, subject: str) -> set[str]:
        """Send one message to each address. Gives those that it left for; raises NotSent if there is none."""


def post_of(settings: Settings) -> Post:
    """E-mail where a server is set. Without one a demo's are kept as files and a school's stay unsent."""
    where = settings.smtp_url or ("file:outbox" if settings.demo else None)
    if where is None:
        return Nowhere()
    if where.startswith("file:"):
        return Outbox(settings.data_dir / where.removeprefix("file:"))
    return Smtp(where)


def _message(sender: str, to: str, text: str, subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"Casebook <{sender}>", to, subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


class Smtp:
    """A mail server: smtp://[user:password@]host[:port][?from=address]; smtps:// for TLS from the start."""

    channel = "e-mail"

    def __init__(self, url: str) -> None:
        where = urlsplit(url)
        self._tls = where.scheme == "smtps"
        self._host = where.hostname or "localhost"
        self._port = where.port or (465 if self._tls else 587 if where.username else 25)
        self._user = unquote(where.username) if where.username else None
        self._password = unquote(where.password or "")
        self._sender = parse_qs(where.query).get("from", [f"casebook@{self._host}"])[0]

    def send(self, to: Sequence[str], text: str, subject: str) -> set[str]:
        """One message each, so that no recipient sees another's address."""
        reached = set()
        try:
            with self._connect() as server:
                for address in to:
                    try:
                        server.send_message(_message(self._sender, address, text, subject))
                    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, ValueError):
                        continue
                    reached.add(address)
        except (OSError, smtplib.SMTPException) as fault:
            if not reached:
                raise NotSent(type(fault).__name__) from None
        if not reached:
            raise NotSent("The mail server refused every address.")
        return reached

    def _connect(self) -> smtplib.SMTP:
        if self._tls:
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_SECONDS)
        try:
            server.ehlo_or_helo_if_needed()
            if self._user:
                if not self._tls:
                    # A password never leaves in clear, nor to a stranger: without good TLS this raises.
                    server.starttls(context=ssl.create_default_context())
                server.login(self._user, self._password)
            elif not self._tls and server.has_extn("starttls"):
                server.starttls()
        except BaseException:
            server.close()
            raise
        return server


class Nowhere:
    """No mail server was named: nothing leaves, and nobody may be recorded as alerted."""

    channel = "none"

    def send(self, to: Sequence[str], text: str, subject: str) -> set[str]:
        """Send nothing. Raises NotSent."""
        raise NotSent("No mail server is set: CASEBOOK_SMTP_URL.")


class Outbox:
    """A folder, file:PATH, in place of a mail server: each message is a file that a person can open."""

    channel = "outbox"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, to: Sequence[str], text: str, subject: str) -> set[str]:
        """Write one file for each address, whole or not at all."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for address in to:
                name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"
                unfinished = self._folder / f"{name}.unfinished"
                unfinished.write_bytes(bytes(_message("casebook@localhost", address, text, subject)))
                unfinished.rename(self._folder / f"{name}.eml")
        except OSError as fault:
            raise NotSent(type(fault).__name__) from None
        return set(to)
