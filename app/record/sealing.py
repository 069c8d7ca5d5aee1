"""Seal a fact into one JWE (RFC 7516, `alg=dir, enc=A256GCM`) and open it again.

The envelope is a published standard because these records outlive this software; tests/vectors.json fixes
each byte by example. It is written out by hand, on `cryptography`'s AES-GCM, for speed: opening a long
history must not be slower than fetching it.

What stays readable (`pub`) and what is sealed (`priv`) are JSON objects of plain values: text, whole numbers,
true, false, null, lists and objects of these. The names of their fields are plain words.
"""

import hmac
import json
from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from json.encoder import encode_basestring as _encode_text
from os import urandom
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

EVENT = "casebook-event/1"
"""The type of envelope that a fact is sealed in."""
READ = "casebook-read/1"
"""The type of envelope that an entry of the log of reads is sealed in."""

_HEADER_NAMES = ("alg", "enc", "typ", "kid", "kc", "agg", "ver", "topic", "pub", "priv")
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
# What belongs to other alphabets must not pass as ours: it becomes a character that no alphabet has.
_FROM_URL_SAFE = bytes.maketrans(b"-_+/=", b"+/***")
_SCALARS = frozenset({str, int, bool, type(None)})


class NotSealable(ValueError):
    """What was handed in can't be kept: a float, a type that JSON lacks, text that isn't Unicode.

    Its message names the field at most, never what it holds.
    """


class SealBroken(ValueError):
    """The sealed bytes aren't what was sealed for this place with this key. Never says what they hold."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one aggregate or account: 32 secret bytes, and the 16 bytes by which envelopes name it."""

    kid: bytes
    key: bytes = field(repr=False)
    kid_text: str = field(init=False, repr=False, compare=False)
    extracted: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.kid) != 16 or len(self.key) != 32:
            raise ValueError("A data key has 16 bytes of name and 32 bytes of key.")
        object.__setattr__(self, "kid_text", _to_base64(self.kid).decode("ascii"))
        # HKDF's first half depends on the key alone, so that one envelope costs its second half only.
        object.__setattr__(self, "extracted", hmac.digest(b"", self.key, "sha256"))

    def content_key(self, agg: UUID, ver: int) -> bytes:
        """The 32 bytes that seal one version of one aggregate, and nothing else (HKDF-SHA256)."""
        info = b"casebook-cek/1\n" + agg.bytes + ver.to_bytes(8, "big")
        return hmac.digest(self.extracted, info + b"\x01", "sha256")


def seal(
    key: DataKey,
    agg: UUID,
    ver: int,
    topic: str,
    pub: Mapping[str, Any],
    priv: Mapping[str, Any],
    *,
    iv: bytes | None = None,
    typ: str = EVENT,
) -> bytes:
    """Seal one fact for its place: version `ver` of aggregate `agg`, named `topic`.

    `pub` stays readable for ever, `priv` only as long as the key exists. `iv` is for checking against known
    bytes; otherwise 12 random bytes. Raises NotSealable.
    """
    if not pub.keys().isdisjoint(priv):
        raise NotSealable("A field is either kept readable or sealed, not both.")
    payload = _encode_object(priv)
    names = ",".join([f'"{name}"' for name in sorted(priv)])
    cek = key.content_key(agg, ver)
    header = (
        f'{{"alg":"dir","enc":"A256GCM","typ":"{typ}","kid":"{key.kid_text}","kc":"{_commitment(cek)}",'
        f'"agg":"{agg}","ver":{ver},"topic":{_encode_text(topic)},"pub":{_encode_object(pub)},'
        f'"priv":[{names}]}}'
    )
    if iv is None:
        iv = urandom(12)
    try:
        protected = _to_base64(header.encode())
        plain = payload.encode()
    except UnicodeEncodeError:
        # Its own message would carry the text.
        raise NotSealable("The text holds half of a character (a lone surrogate).") from None
    sealed = AESGCM(cek).encrypt(iv, plain, protected)
    return b"%b..%b.%b.%b" % (protected, _to_base64(iv), _to_base64(sealed[:-16]), _to_base64(sealed[-16:]))


def unseal(
    key: DataKey, agg: UUID, ver: int, topic: str, state: bytes, *, typ: str = EVENT
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Open what was sealed for exactly this place; gives what is readable and what was sealed.

    Raises SealBroken when any byte differs from what was sealed, or it was sealed for another place or key.
    """
    envelope = _parse(state, typ)
    header = envelope.header
    _check_place(header, agg, ver, topic)
    if header["kid"] != key.kid_text:
        raise SealBroken("The envelope names another key.")
    cek = key.content_key(agg, ver)
    # AES-GCM alone doesn't commit to its key: one ciphertext can be built that opens to two stories.
    if header["kc"] != _commitment(cek):
        raise SealBroken("The envelope commits to another key.")
    try:
        payload = AESGCM(cek).decrypt(envelope.iv, envelope.sealed, envelope.protected)
    except InvalidTag:
        raise SealBroken("The envelope was altered.") from None
    priv = _decode_object(payload)
    if sorted(priv) != header["priv"]:
        raise SealBroken("The envelope doesn't hold the fields that it names.")
    return header["pub"], priv


def read_public(
    state: bytes, place: tuple[UUID, int, str] | None = None, *, typ: str = EVENT
) -> tuple[dict[str, Any], list[str]]:
    """What can be read without the key: the readable fields, and the names of the sealed ones.

    Nothing vouches for them but the ledger. With `place` (aggregate, version, topic) an envelope that was
    moved is refused. Raises SealBroken when it isn't an envelope of this kind.
    """
    header = _parse(state, typ).header
    if place is not None:
        _check_place(header, *place)
    return header["pub"], header["priv"]


def sealed_version(state: bytes, *, typ: str) -> int:
    """The version that an envelope names: needed where its place doesn't tell it. Raises SealBroken."""
    version = _parse(state, typ).header["ver"]
    if type(version) is not int:
        raise SealBroken("The envelope's fields are of the wrong kind.")
    return version


class _Envelope(NamedTuple):
    protected: bytes
    header: dict[str, Any]
    iv: bytes
    sealed: bytes


def _parse(state: bytes, typ: str) -> _Envelope:
    try:
        protected, encrypted_key, iv, ciphertext, tag = bytes(state).split(b".")
    except ValueError:
        raise SealBroken("This isn't an envelope.") from None
    header = _decode_object(_from_base64(protected))
    # `crit`, `zip`, and whatever else is unknown, asks a reader for something that this one doesn't do.
    if encrypted_key or tuple(header) != _HEADER_NAMES:
        raise SealBroken("The envelope has fields that don't belong there.")
    if (header["alg"], header["enc"], header["typ"]) != ("dir", "A256GCM", typ):
        raise SealBroken("The envelope is of another kind.")
    pub, priv = header["pub"], header["priv"]
    if type(pub) is not dict or type(priv) is not list or not all(type(name) is str for name in priv):
        raise SealBroken("The envelope's fields are of the wrong kind.")
    if priv != sorted(set(priv)) or not pub.keys().isdisjoint(priv):
        raise SealBroken("The envelope names a field twice or out of order.")
    raw_iv, raw_tag = _from_base64(iv), _from_base64(tag)
    if len(raw_iv) != 12 or len(raw_tag) != 16:
        raise SealBroken("The envelope has parts of the wrong length.")
    return _Envelope(protected, header, raw_iv, _from_base64(ciphertext) + raw_tag)


def _check_place(header: dict[str, Any], agg: UUID, ver: int, topic: str) -> None:
    # The type is compared too, because in Python true equals 1.
    found = header["ver"]
    if type(found) is not int or (header["agg"], found, header["topic"]) != (str(agg), ver, topic):
        raise SealBroken("The envelope was sealed for another place.")


def _commitment(cek: bytes) -> str:
    return _to_base64(sha256(b"casebook-kc/1\n" + cek).digest()).decode("ascii")


def _to_base64(raw: bytes) -> bytes:
    return b2a_base64(raw, newline=False).translate(_TO_URL_SAFE).rstrip(b"=")


def _from_base64(text: bytes) -> bytes:
    try:
        raw = a2b_base64(text.translate(_FROM_URL_SAFE) + b"=" * (-len(text) % 4), strict_mode=True)
    except NotBase64:
        raise SealBroken("The envelope isn't base64url.") from None
    # Decoders overlook the last unused bits; then altered bytes would pass as the same.
    rest = len(raw) % 3
    if rest and not text.endswith(_to_base64(raw[-rest:])):
        raise SealBroken("The envelope isn't plain base64url.")
    return raw


def _plain(value: Any) -> bool:
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is list:
        return all(map(_plain, value))
    return kind is dict and all(type(name) is str and _plain(inner) for name, inner in value.items())


_encode_sorted = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
).encode


def _encode_object(fields: Mapping[str, Any]) -> str:
    for name, value in fields.items():
        if not (name.isascii() and name.isidentifier()):
            raise NotSealable("The name of a field is not a plain word.")
        if type(value) not in _SCALARS and not _plain(value):
            raise NotSealable(f"The field {name} holds more than text, whole numbers, yes, no and lists.")
    return _encode_sorted(fields if type(fields) is dict else dict(fields))


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise SealBroken("The envelope gives a name twice.")
    return found


def _refuse_number(_text: str) -> NoReturn:
    raise SealBroken("The envelope holds a number that isn't whole.")


_decode = json.JSONDecoder(
    object_pairs_hook=_without_doubles, parse_float=_refuse_number, parse_constant=_refuse_number
).decode


def _decode_object(raw: bytes) -> dict[str, Any]:
    try:
        found = _decode(raw.decode())
    except SealBroken:
        raise
    except (ValueError, RecursionError):
        raise SealBroken("The envelope isn't JSON.") from None
    if type(found) is not dict:
        raise SealBroken("The envelope isn't a JSON object.")
    return found
