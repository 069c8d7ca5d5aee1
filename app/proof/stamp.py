"""A time stamp (RFC 3161) under a checkpoint, by an authority that has nothing to do with the school.

An extra: it says when, on a stranger's word. What leaves the house is the digest of a checkpoint.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from app.proof.checkpoints import READS_SUFFIX
from app.proof.verifier import Checkpoint, Note
from app.whole_file import write_whole

TIMEOUT_SECONDS: Final = 20.0
MOST_BYTES: Final = 256 * 1024


class NotStamped(Exception):
    """There is no time stamp; the text says why."""


@dataclass(frozen=True)
class Stamp:
    """A time stamp as it was kept: the authority's answer, what it is of, and the time that it gives."""

    answer: Path
    note: Path
    at: datetime


def stamp(note: bytes, address: str, folder: Path, authority: Path | None = None) -> Stamp:
    """Have a note stamped, and keep note and answer beside each other in `folder`.

    `authority` is a PEM file with the authority's own root certificate: with it the signature is checked.
    Raises NotStamped and OSError.
    """
    try:
        from rfc3161_client import (
            HashAlgorithm,
            TimestampRequestBuilder,
            VerificationError,
            VerifierBuilder,
            decode_timestamp_response,
        )
    except ModuleNotFoundError:
        raise NotStamped("Time stamps are an extra: pip install 'casebook[stamp]'.") from None
    from cryptography.x509 import load_pem_x509_certificates

    asked = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256).build()
    raw = _answered(address, asked.as_bytes())
    try:
        answer = decode_timestamp_response(raw)
        info = answer.tst_info if answer.status in (0, 1) else None
    except ValueError:
        raise NotStamped("The authority's answer isn't a time stamp.") from None
    if info is None:
        raise NotStamped(f"The authority refused: status {answer.status}.")
    if info.message_imprint.message != sha256(note).digest() or info.nonce != asked.nonce:
        raise NotStamped("The authority's answer is for something else than what was sent.")
    if authority is not None:
        builder = VerifierBuilder.from_request(asked)
        for certificate in load_pem_x509_certificates(authority.read_bytes()):
            builder = builder.add_root_certificate(certificate)
        try:
            builder.build().verify_message(answer, note)
        except (VerificationError, ValueError):
            raise NotStamped(f"The time stamp isn't signed by an authority of {authority}.") from None
    checkpoint = Checkpoint.parse(Note.parse(note).text)
    log = "-reads" if checkpoint.origin.endswith(READS_SUFFIX) else ""
    kept = folder / f"checkpoint{log}-{checkpoint.size}.tsr"
    write_whole(kept.with_suffix(".txt"), note)
    write_whole(kept, raw)
    return Stamp(kept, kept.with_suffix(".txt"), info.gen_time.astimezone(UTC))


def _answered(address: str, asked: bytes) -> bytes:
    if urlsplit(address).scheme not in ("http", "https"):
        raise NotStamped("Give the authority's address, with http:// or https://.")
    headers = {"Content-Type": "application/timestamp-query"}
    try:
        with urlopen(Request(address, asked, headers), timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - checked
            raw = bytes(answer.read(MOST_BYTES + 1))
    except (URLError, HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise NotStamped(f"The authority can't be reached ({type(reason).__name__}).") from None
    if len(raw) > MOST_BYTES:
        raise NotStamped("The authority's answer is far too long.")
    return raw
