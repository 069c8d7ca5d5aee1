"""The school's Casebook as a witness reaches it: over TLS, with a token, believing nothing of the answers."""

import json
from http.client import HTTPException, HTTPMessage
from time import monotonic, sleep
from typing import IO, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from app.proof.checkpoints import READS_SUFFIX
from app.proof.verifier import Checkpoint
from app.proof.witness import WitnessRefused, proof_in

TIMEOUT_SECONDS: Final = 20.0
MOST_BYTES: Final = 256 * 1024
PROOF_SECONDS: Final = 300.0
"""How long a school may take for its proof: it reads the whole record once."""
_HERE: Final = ("localhost", "127.0.0.1", "::1")


class Unreached(Exception):
    """The school didn't answer, or not as Casebook does. It says nothing about the record."""


class _Stays(HTTPRedirectHandler):
    """Follows nothing: the token mustn't go elsewhere."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Go nowhere."""


class School:
    """One school. `address` is what people type into a browser. Raises Unreached from every call."""

    def __init__(self, address: str, token: str) -> None:
        where = urlsplit(address)
        if where.scheme != "https" and not (where.scheme == "http" and where.hostname in _HERE):
            raise Unreached("Give the school's address with https://: the token mustn't leave in clear.")
        self._address = f"{address.rstrip('/').removesuffix('/api/v1')}/api/v1/checkpoints"
        self._token = token.strip()
        self._opener = build_opener(_Stays)

    def latest(self, log: str) -> bytes | None:
        """The newest checkpoint of a log, "events" or "reads", or None when there is none."""
        status, said = self._ask(f"/latest?{urlencode({'log': log})}")
        return None if status == 404 else self._good(status, said)

    def proof(self, seen: Checkpoint, found: Checkpoint) -> list[bytes]:
        """What the school gives to show that its log only grew: nothing, when that is no proof at all."""
        log = "reads" if found.origin.endswith(READS_SUFFIX) else "events"
        path = f"/proof?{urlencode({'log': log, 'from': seen.size, 'to': found.size})}"
        until = monotonic() + PROOF_SECONDS
        while (answer := self._ask(path))[0] == 503 and monotonic() < until:
            sleep(1)
        status, said = answer
        try:
            return [] if status == 404 else proof_in(self._good(status, said).decode("ascii", "replace"))
        except WitnessRefused:
            return []

    def send(self, note: str) -> None:
        """Bring the witness's signature."""
        status, said = self._ask("/cosignatures", json.dumps({"note": note}).encode())
        if status in (403, 409):
            raise Unreached(
                "The school didn't take the signature: either its list of witnesses (CASEBOOK_WITNESS_KEYS) "
                "lacks your key, or this account may not bring one. Send them the line."
            )
        self._good(status, said)

    def _good(self, status: int, said: bytes) -> bytes:
        if status == 401:
            raise Unreached("The school doesn't know the token, or it has ended. Ask for a new one.")
        if status != 200:
            raise Unreached(f"The school's Casebook answered with {status}. Try again later.")
        return said

    def _ask(self, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            request = Request(self._address + path, body, headers)  # noqa: S310 - the scheme was checked
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return answer.status, _bounded(answer)
        except HTTPError as refused:
            with refused:
                return refused.code, b""
        except (URLError, HTTPException, OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise Unreached(f"The school's Casebook can't be reached ({type(reason).__name__}).") from None


def _bounded(answer: Any) -> bytes:
    said = bytes(answer.read(MOST_BYTES + 1))
    if len(said) > MOST_BYTES:
        raise Unreached("The school's answer is far too long.")
    return said
