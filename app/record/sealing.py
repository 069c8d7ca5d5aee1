"""Seal a fact into one JWE (RFC 7516, `alg=dir, enc=A256GCM`) and open it again.

The envelope is a published standard because these records outlive this software; tests/vectors.json fixes
each byte by example. It is written out by hand, on `cryptography`'s AES-GCM, for speed: opening a long
history must not be slower than fetching it.

What stays readable (`pub`) and what is sealed (`priv`) are JSON objects of plain values: text, whole numbers,
true, false, null, lists and objects of these. The names of their fields are plain words.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from ssl import RAND_bytes
from typing import Any, NoReturn
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.record.base64url import NotBase64, from_base64url, to_base64url
from app.record.data_key import DataKey, commitment

EVENT = "casebook-event/1"
"""The type of envelope that a fact is sealed in."""
READ = "casebook-read/1"
"""The type of envelope that an entry of the log of reads is sealed in."""

_HEADER_NAMES = ("alg", "enc", "typ", "kid", "kc", "agg", "ver", "topic", "pub", "priv")
_SCALARS = frozenset({str, int, bool, type(None)})


class NotSealable(ValueError):
    """What was handed in can't be kept: a float, a type that JSON lacks, text that isn't Unicode.

    Its message names the field at most, never what it holds.
    """


class SealBroken(ValueError):
    """The sealed bytes aren't what was sealed for this place with this key. Never says what they hold."""


def seal(
    key: DataKey,
    agg: UUID,
    ver: int,
    topic: str,
    pub: dict[str, Any],
    priv: dict[str, Any],
    *,
    iv: bytes | None = None,
    typ: str = EVENT,
) -> bytes:
    """Seal one fact for its place: version `ver` of aggregate `agg`, named `topic`.

    `pub` stays readable for ever, `priv` only as long as the key exists. `iv` is for checking against known
    bytes; otherwise 12 random bytes. Raises NotSealable.
    """
    names = _sealed_names(tuple(pub), tuple(priv))
    stream = key.stream(agg)
    cek = stream.content_key(ver)
    if iv is None:
        # OpenSSL's generator, seeded by the kernel: `os.urandom` would let other threads run meanwhile.
        iv = RAND_bytes(12)
    try:
        plain = _encode_object(priv)
        rest = b'%b,"priv":[%b]}' % (_encode_object(pub), names)
        protected = to_base64url(stream.start(cek, ver, topic, typ) + rest)
    except UnicodeEncodeError:
        # Its own message would carry the text.
        raise NotSealable("The text holds half of a character (a lone surrogate).") from None
    sealed = AESGCM(cek).encrypt(iv, plain, protected)
    return b"%b..%b.%b.%b" % (
        protected,
        to_base64url(iv),
        to_base64url(sealed[:-16]),
        to_base64url(sealed[-16:]),
    )


def unseal(
    key: DataKey, agg: UUID, ver: int, topic: str, state: bytes, *, typ: str = EVENT
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Open what was sealed for exactly this place; gives what is readable and what was sealed.

    Raises SealBroken when any byte differs from what was sealed, or it was sealed for another place or key.
    """
    protected, raw, iv, sealed = _split(state)
    stream = key.stream(agg)
    cek = stream.content_key(ver)
    start = stream.start(cek, ver, topic, typ)
    # What was sealed here begins with exactly these bytes; anything else is taken apart name by name.
    if raw.startswith(start):
        pub, names = _rest(raw[len(start) :])
    else:
        header = _header(raw, typ)
        _check_place(header, agg, ver, topic)
        if header["kid"] != key.kid_text:
            raise SealBroken("The envelope names another key.")
        # AES-GCM alone doesn't commit to its key: one ciphertext can be built that opens to two stories.
        if header["kc"] != commitment(cek).decode("ascii"):
            raise SealBroken("The envelope commits to another key.")
        pub, names = header["pub"], header["priv"]
    try:
        payload = AESGCM(cek).decrypt(iv, sealed, protected)
    except InvalidTag:
        raise SealBroken("The envelope was altered.") from None
    priv = _decode_object(payload)
    if list(priv) != names and sorted(priv) != names:
        raise SealBroken("The envelope doesn't hold the fields that it names.")
    return pub, priv


def read_public(
    state: bytes, place: tuple[UUID, int, str] | None = None, *, typ: str = EVENT
) -> tuple[dict[str, Any], list[str]]:
    """What can be read without the key: the readable fields, and the names of the sealed ones.

    Nothing vouches for them but the ledger. With `place` (aggregate, version, topic) an envelope that was
    moved is refused. Raises SealBroken when it isn't an envelope of this kind.
    """
    header = _header(_split(state)[1], typ)
    if place is not None:
        _check_place(header, *place)
    return header["pub"], header["priv"]


def sealed_version(state: bytes, *, typ: str) -> int:
    """The version that an envelope names: needed where its place doesn't tell it. Raises SealBroken."""
    version = _header(_split(state)[1], typ)["ver"]
    if type(version) is not int or not 0 <= version < 2**64:
        raise SealBroken("The envelope's fields are of the wrong kind.")
    return version


def _split(state: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """The header as it was sent and as it reads, the IV, and the ciphertext with its tag."""
    try:
        protected, encrypted_key, iv, ciphertext, tag = state.split(b".")
    except ValueError:
        raise SealBroken("This isn't an envelope.") from None
    if encrypted_key:
        raise SealBroken("The envelope has fields that don't belong there.")
    if len(iv) != 16 or len(tag) != 22:
        raise SealBroken("The envelope has parts of the wrong length.")
    try:
        # Sixteen characters are twelve bytes to the bit, so that one call reads both.
        both = from_base64url(iv + ciphertext)
        return protected, from_base64url(protected), both[:12], both[12:] + from_base64url(tag)
    except NotBase64:
        raise SealBroken("The envelope isn't base64url.") from None


def _rest(raw: bytes) -> tuple[dict[str, Any], list[str]]:
    """The readable fields, and the names of the sealed ones, from what comes after `start`."""
    try:
        text = raw.decode()
        pub, end = _scan(text, 0)
    except SealBroken:
        raise
    except (ValueError, RecursionError, StopIteration):
        raise SealBroken("The envelope isn't JSON.") from None
    names = _names(text[end:])
    if type(pub) is not dict:
        raise SealBroken("The envelope's fields are of the wrong kind.")
    if not pub.keys().isdisjoint(names):
        raise SealBroken("The envelope names a field twice or out of order.")
    return pub, names


@lru_cache(maxsize=1024)
def _names(end: str) -> list[str]:
    """The names of the sealed fields; each kind of fact has its own end of the header, always the same."""
    if not end.startswith(","):
        raise SealBroken("The envelope isn't JSON.")
    found = _decode_object(b"{" + end[1:].encode())
    if tuple(found) != ("priv",):
        raise SealBroken("The envelope has fields that don't belong there.")
    return _checked_names(found["priv"])


def _checked_names(priv: Any) -> list[str]:
    if type(priv) is not list or not all(type(name) is str for name in priv):
        raise SealBroken("The envelope's fields are of the wrong kind.")
    if priv != sorted(set(priv)):
        raise SealBroken("The envelope names a field twice or out of order.")
    return priv


def _header(raw: bytes, typ: str) -> dict[str, Any]:
    header = _decode_object(raw)
    # `crit`, `zip`, and whatever else is unknown, asks a reader for something that this one doesn't do.
    if tuple(header) != _HEADER_NAMES:
        raise SealBroken("The envelope has fields that don't belong there.")
    if (header["alg"], header["enc"], header["typ"]) != ("dir", "A256GCM", typ):
        raise SealBroken("The envelope is of another kind.")
    if type(header["pub"]) is not dict:
        raise SealBroken("The envelope's fields are of the wrong kind.")
    if not header["pub"].keys().isdisjoint(_checked_names(header["priv"])):
        raise SealBroken("The envelope names a field twice or out of order.")
    return header


def _check_place(header: dict[str, Any], agg: UUID, ver: int, topic: str) -> None:
    # The type is compared too, because in Python true equals 1.
    found = header["ver"]
    if type(found) is not int or (header["agg"], found, header["topic"]) != (str(agg), ver, topic):
        raise SealBroken("The envelope was sealed for another place.")


def _plain(value: Any) -> bool:
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind is list:
        return all(map(_plain, value))
    return kind is dict and all(type(name) is str and _plain(inner) for name, inner in value.items())


_encode_slowly = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
).encode


@lru_cache(maxsize=1024)
def _sealed_names(pub: tuple[str, ...], priv: tuple[str, ...]) -> bytes:
    """The names of the sealed fields as the header lists them; each kind of fact always has the same."""
    if not set(pub).isdisjoint(priv):
        raise NotSealable("A field is either kept readable or sealed, not both.")
    if not all(name.isascii() and name.isidentifier() for name in (*pub, *priv)):
        raise NotSealable("The name of a field is not a plain word.")
    return ",".join([f'"{name}"' for name in sorted(priv)]).encode()


def _encode_object(fields: dict[str, Any]) -> bytes:
    """As canonical JSON: the names in their order, no spaces, no character escaped that needn't be."""
    if not _SCALARS.issuperset(map(type, fields.values())):
        for name, value in fields.items():
            if not _plain(value):
                raise NotSealable(f"The field {name} holds more than text, whole numbers, yes, no and lists.")
    try:
        return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # It writes no number of more than 64 bits; nor half of a character, which nothing can.
        return _encode_slowly(fields).encode()


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise SealBroken("The envelope gives a name twice.")
    return found


def _refuse_number(_text: str) -> NoReturn:
    raise SealBroken("The envelope holds a number that isn't whole.")


_decoder = json.JSONDecoder(
    object_pairs_hook=_without_doubles, parse_float=_refuse_number, parse_constant=_refuse_number
)
_scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once  # type: ignore[attr-defined]


def _decode_object(raw: bytes) -> dict[str, Any]:
    try:
        text = raw.decode()
        found, end = _scan(text, 0) if text.startswith("{") else (None, -1)
        # What was sealed here ends there; spaces around it are as good.
        if end != len(text):
            found = _decoder.decode(text)
    except SealBroken:
        raise
    except (ValueError, RecursionError, StopIteration):
        raise SealBroken("The envelope isn't JSON.") from None
    if type(found) is not dict:
        raise SealBroken("The envelope isn't a JSON object.")
    return found
