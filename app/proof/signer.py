"""Packs that are made on a page are signed by the anchor, so that the web needs no log key.

The anchor listens in a network that only Casebook is in, and signs nothing but the manifest of a pack for a
checkpoint that it signed before: never a checkpoint. Whoever takes over the web can have packs signed, as
everybody who may make them can, and no other history.
"""

import hmac
import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

from app.proof.checkpoints import CheckpointFile, TornFile
from app.proof.note import SigningKey
from app.proof.verifier import NotVerified, VerifierKey

LONGEST: Final = 256 * 1024
"""Bytes of a manifest: a line for each file, and what was asked for."""
SECONDS: Final = 10.0


class NotSigned(Exception):
    """The anchor can't be reached or refuses. The message is a sentence, and holds nothing of the pack."""


class RemoteKey:
    """The log key as it can be used from elsewhere: `url` is the signer's, `token` what both of them know.

    Raises NotSigned where the anchor doesn't answer.
    """

    def __init__(self, url: str, token: str) -> None:
        self._where = urlsplit(url)
        self._token = token
        try:
            self.verifier_key = VerifierKey.parse(self._ask("GET", "/key"))
        except NotVerified:
            raise NotSigned("The anchor doesn't answer as it should.") from None
        self.name = self.verifier_key.name

    def sign(self, text: str) -> str:
        """A signature line for a pack's manifest."""
        return self._ask("POST", "/sign", text.encode())

    def _ask(self, method: str, path: str, body: bytes | None = None) -> str:
        connection = http.client.HTTPConnection(
            self._where.hostname or "", self._where.port or 80, timeout=SECONDS
        )
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {self._token}"})
            answer = connection.getresponse()
            said = answer.read(LONGEST).decode()
        except (OSError, http.client.HTTPException, UnicodeDecodeError):
            raise NotSigned("The anchor, which signs packs, can't be reached just now.") from None
        finally:
            connection.close()
        if answer.status != 200:
            raise NotSigned("The anchor refused to sign this pack.")
        return said


@contextmanager
def signing_for_others(
    host: str, port: int, key: SigningKey, file: CheckpointFile, token: str
) -> Iterator[int]:
    """Sign manifests for whoever knows the token, as long as this lasts. Gives the port. Raises OSError."""
    server = ThreadingHTTPServer((host, port), _handler(key, file, token))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.1,), name="signer")
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def may_be_signed(text: str, file: CheckpointFile) -> bool:
    """Whether this is the manifest of a pack for a checkpoint that stands in the anchor's file."""
    lines = text.split("\n")
    if len(lines) < 5 or lines[0] != "casebook-evidence/1" or lines[-1]:
        return False
    try:
        return file.has(lines[1], lines[2])
    except TornFile:
        return False


def _handler(key: SigningKey, file: CheckpointFile, token: str) -> type[BaseHTTPRequestHandler]:
    expected = f"Bearer {token}".encode()

    class Handler(BaseHTTPRequestHandler):
        timeout = SECONDS
        server_version = "casebook"
        sys_version = ""

        def do_GET(self) -> None:
            self._answer(200 if self._known() and self.path == "/key" else 404, str(key.verifier_key))

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not self._known() or self.path != "/sign":
                self._answer(404)
            elif not length.isdecimal() or len(length) > 7 or int(length) > LONGEST:
                self._answer(413)
            else:
                text = self.rfile.read(int(length)).decode("utf-8", "replace")
                allowed = may_be_signed(text, file)
                self._answer(200 if allowed else 403, key.sign(text) if allowed else "")

        def _known(self) -> bool:
            return hmac.compare_digest(self.headers.get("Authorization", "").encode(), expected)

        def _answer(self, status: int, text: str = "") -> None:
            body = text.encode() if status == 200 else b""
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Says nothing: what is asked for belongs in no log."""

    return Handler
