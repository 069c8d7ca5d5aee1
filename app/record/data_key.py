"""The key of one aggregate, and what follows from it for each of its versions.

HKDF (RFC 5869) is written out here because two thirds of it are the same for every version.
"""

import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring as _encode_text
from struct import Struct
from typing import Any, NamedTuple
from uuid import UUID

from app.record.base64url import to_base64url

# HMAC's two masks (RFC 2104).
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
# A version as HKDF has it, with the number of the block that follows.
_VERSION = Struct("!QB").pack
_START = b'{"alg":"dir","enc":"A256GCM","typ":"%b","kid":"%b","kc":"%b","agg":"%b","ver":%d,"topic":%b,"pub":'


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one aggregate or account: 32 secret bytes, and the 16 bytes by which envelopes name it."""

    kid: bytes
    key: bytes = field(repr=False)
    kid_text: str = field(init=False, repr=False, compare=False)
    _begun: tuple[Any, Any] = field(init=False, repr=False, compare=False)
    _last: "Stream | None" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.kid) != 16 or len(self.key) != 32:
            raise ValueError("A data key has 16 bytes of name and 32 bytes of key.")
        object.__setattr__(self, "kid_text", to_base64url(self.kid).decode("ascii"))
        # HKDF's first half, and the beginnings of the HMAC that is its second, depend on the key alone.
        extracted = hmac.digest(b"", self.key, "sha256").ljust(64, b"\0")
        begun = sha256(extracted.translate(_INNER)), sha256(extracted.translate(_OUTER))
        object.__setattr__(self, "_begun", begun)
        object.__setattr__(self, "_last", None)

    def content_key(self, agg: UUID, ver: int) -> bytes:
        """The 32 bytes that seal one version of one aggregate, and nothing else (HKDF-SHA256)."""
        return self.stream(agg).content_key(ver)

    def stream(self, agg: UUID) -> "Stream":
        """What all versions of one aggregate have in common: a key has one, so that the last is at hand."""
        known = self._last
        if known is None or (known.agg is not agg and known.agg != agg):
            inner, outer = self._begun[0].copy(), self._begun[1]
            inner.update(b"casebook-cek/1\n" + agg.bytes)
            known = Stream(agg, inner, outer, self.kid_text.encode(), str(agg).encode())
            object.__setattr__(self, "_last", known)
        return known


class Stream(NamedTuple):
    """One aggregate under its key: the beginnings of HKDF's HMAC, and what its headers have in common."""

    agg: UUID
    inner: Any
    outer: Any
    kid: bytes
    agg_text: bytes

    def content_key(self, ver: int) -> bytes:
        """The 32 bytes that seal one version."""
        inner, outer = self.inner.copy(), self.outer.copy()
        inner.update(_VERSION(ver, 1))
        outer.update(inner.digest())
        return bytes(outer.digest())

    def start(self, cek: bytes, ver: int, topic: str, typ: str) -> bytes:
        """The header up to its readable fields: what it is, under which key, and where it belongs."""
        return _START % (typ.encode(), self.kid, commitment(cek), self.agg_text, ver, _topic(topic))


def commitment(cek: bytes) -> bytes:
    """What an envelope says of its content key, so that it opens under no other."""
    return to_base64url(sha256(b"casebook-kc/1\n" + cek).digest())


@lru_cache(maxsize=1024)
def _topic(topic: str) -> bytes:
    return _encode_text(topic).encode()
