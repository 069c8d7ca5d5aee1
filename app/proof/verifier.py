"""Check proofs of Casebook with nothing but Python's standard library and `cryptography`.

This file stands alone, so that whoever checks needn't trust, or install, the system that they are checking:
copy it anywhere. What is checked is published: Merkle trees of RFC 9162, signed notes and checkpoints of
C2SP (signed-note, tlog-checkpoint, tlog-cosignature), JWE of RFC 7516, HKDF's content keys of each fact.
"""

import json
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NoReturn

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ED25519: Final = 1
COSIGNATURE: Final = 4
"""Kinds of signature (C2SP signed-note). Others may come: a signature of an unknown kind says nothing."""
LEAF_DATA: Final = 56
"""Bytes of one leaf: whose, which version, and a digest of what it holds."""


class NotVerified(Exception):
    """Something doesn't hold. `check` is the check that failed, `where` the place: never what a fact says."""

    def __init__(self, check: str, where: str) -> None:
        super().__init__(f"{check}: {where}")
        self.check = check
        self.where = where


# The tree (RFC 9162, section 2.1)


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return sha256(b"\x01" + left + right).digest()


class Range:
    """A tree from its first leaf on, of which only what later leaves need is kept: 32 bytes a level."""

    def __init__(self) -> None:
        self.size = 0
        self._held: list[bytes | None] = []

    def append(self, hashed: bytes) -> None:
        """Add one leaf by its hash."""
        self.extend((hashed,))

    def extend(self, hashed: Iterable[bytes]) -> None:
        """Add leaves by their hashes: faster than one by one."""
        nodes = list(hashed)
        self.size += len(nodes)
        level = 0
        while nodes:
            if level == len(self._held):
                self._held.append(None)
            left = self._held[level]
            if left is not None:
                nodes.insert(0, left)
            self._held[level] = nodes.pop() if len(nodes) % 2 else None
            nodes = [sha256(b"\x01" + a + b).digest() for a, b in zip(nodes[::2], nodes[1::2], strict=True)]
            level += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        found: bytes | None = None
        for held in self._held:
            if held is not None:
                found = held if found is None else node_hash(held, found)
        return sha256(b"").digest() if found is None else found


def check_inclusion(index: int, size: int, hashed: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf stands at `index` (from 0) in the tree of `size` leaves. Raises NotVerified."""
    if not 0 <= index < size:
        raise NotVerified("inclusion", f"leaf {index} is outside a tree of {size}")
    _check_lengths("inclusion", [hashed, root, *proof])
    at, last, found = index, size - 1, hashed
    for step in proof:
        if last == 0:
            raise NotVerified("inclusion", "the proof is too long")
        if at % 2 or at == last:
            found = node_hash(step, found)
            while not at % 2 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    if last or found != root:
        raise NotVerified("inclusion", f"leaf {index} isn't in the tree of {size}")


def check_consistency(size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of `size2` leaves begins with the tree of `size1`. Raises NotVerified.

    That a tree begins with an empty one says nothing: it is refused.
    """
    if 0 < size1 == size2 and root1 == root2 and not proof:
        return
    if not 0 < size1 < size2:
        raise NotVerified("consistency", f"this tree of {size2} isn't shown to begin with one of {size1}")
    _check_lengths("consistency", [root1, root2, *proof])
    steps = list(proof)
    if size1 & (size1 - 1) == 0:
        steps.insert(0, root1)
    if not steps:
        raise NotVerified("consistency", "the proof is empty")
    at, last = size1 - 1, size2 - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise NotVerified("consistency", "the proof is too long")
        if at % 2 or at == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not at % 2 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, step)
        at, last = at >> 1, last >> 1
    if last or first != root1 or second != root2:
        raise NotVerified("consistency", f"the tree of {size2} doesn't begin with the one of {size1}")


def _check_lengths(check: str, hashes: Iterable[bytes]) -> None:
    if any(len(one) != 32 for one in hashes):
        raise NotVerified(check, "a hash isn't 32 bytes long")


# The leaves


def event_leaf(originator_id: bytes, version: int, topic: str, recorded_at_us: int, state: bytes) -> bytes:
    """What the ledger says of one fact: 56 bytes, from the sealed bytes, without opening them."""
    name = topic.encode()
    content = b"casebook-event/1\n" + recorded_at_us.to_bytes(8, "big") + len(name).to_bytes(2, "big") + name
    return originator_id + version.to_bytes(8, "big") + sha256(content + sha256(state).digest()).digest()


def read_leaf(
    account: bytes, number: int, read_at_us: int, route: str, subjects: Sequence[bytes], state: bytes
) -> bytes:
    """What the ledger of reads says of one look: who, when, by which address, at whom."""
    name = route.encode()
    content = b"casebook-read/1\n" + read_at_us.to_bytes(8, "big") + len(name).to_bytes(2, "big") + name
    content += len(subjects).to_bytes(2, "big") + b"".join(subjects) + sha256(state).digest()
    return account + number.to_bytes(8, "big") + sha256(content).digest()


# Signed notes and checkpoints (C2SP)


@dataclass(frozen=True)
class VerifierKey:
    """Who may have signed: a name, and the public half of a key. As text: name+hash+base64."""

    name: str
    algorithm: int
    public: bytes

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a key as it is printed. Raises NotVerified."""
        name, _, rest = text.strip().partition("+")
        hashed, _, encoded = rest.partition("+")
        raw = _base64(encoded, "key", "the verifier key can't be read")
        if not _is_name(name) or len(raw) != 33 or raw[0] not in (ED25519, COSIGNATURE):
            raise NotVerified("key", "the verifier key can't be read")
        found = cls(name, raw[0], raw[1:])
        if found.key_id.hex() != hashed:
            raise NotVerified("key", "the verifier key was mistyped: its check digits are wrong")
        return found

    @property
    def key_id(self) -> bytes:
        """Four bytes by which a signature names its key."""
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[:4]

    @property
    def timed(self) -> "VerifierKey":
        """The same key as it signs together with the time (cosignature/v1)."""
        return VerifierKey(self.name, COSIGNATURE, self.public)

    def __str__(self) -> str:
        encoded = b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


@dataclass(frozen=True)
class Note:
    """A text, and who says to have signed it: name, and key id with signature."""

    text: str
    signatures: tuple[tuple[str, bytes], ...]

    @classmethod
    def parse(cls, raw: bytes) -> "Note":
        """Read a signed note, checking its form and nothing else. Raises NotVerified."""
        try:
            whole = raw.decode()
        except UnicodeDecodeError:
            raise NotVerified("note", "it isn't UTF-8") from None
        if re.search(r"[\x00-\x09\x0b-\x1f\x7f]", whole):
            raise NotVerified("note", "it holds characters that no note has")
        text, separator, lines = whole.rpartition("\n\n")
        if not separator or not lines.endswith("\n"):
            raise NotVerified("note", "it isn't a signed note")
        found = []
        for line in lines[:-1].split("\n"):
            dash, _, rest = line.partition(" ")
            name, _, encoded = rest.partition(" ")
            signature = _base64(encoded, "note", "a signature can't be read")
            if dash != "—" or not _is_name(name) or len(signature) < 5:
                raise NotVerified("note", "a signature can't be read")
            found.append((name, signature))
        if len(found) > 100:
            raise NotVerified("note", "it has too many signatures")
        return cls(text + "\n", tuple(found))

    def signed_by(self, key: VerifierKey) -> list[int | None]:
        """The times, in seconds since 1970, at which this key signed; None for a signature without time.

        Empty when it didn't sign. Signatures of other keys are ignored; a bad one of this key raises.
        """
        public = Ed25519PublicKey.from_public_bytes(key.public)
        times: list[int | None] = []
        for name, signature in self.signatures:
            if (name, signature[:4]) != (key.name, key.key_id):
                continue
            time, signed = None, self.text.encode()
            signature = signature[4:]
            if key.algorithm == COSIGNATURE:
                time = int.from_bytes(signature[:8], "big")
                signed = f"cosignature/v1\ntime {time}\n".encode() + signed
                signature = signature[8:]
            try:
                public.verify(signature, signed)
            except (InvalidSignature, ValueError):
                raise NotVerified("signature", f"the signature of {key.name} is wrong") from None
            times.append(time)
        return times


@dataclass(frozen=True)
class Checkpoint:
    """How long a log is, and the root over all of it: whoever holds one can tell whether it was changed."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read the text of a checkpoint. Lines after the third are other people's. Raises NotVerified."""
        lines = text.split("\n")
        if (
            len(lines) < 4
            or lines[-1]
            or not all(lines[:-1])
            or not re.fullmatch("0|[1-9][0-9]{0,18}", lines[1])
        ):
            raise NotVerified("checkpoint", "it isn't a checkpoint")
        root = _base64(lines[2], "checkpoint", "its root can't be read")
        if len(root) != 32:
            raise NotVerified("checkpoint", "its root can't be read")
        return cls(lines[0], int(lines[1]), root)

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def read_checkpoint(raw: bytes, key: VerifierKey) -> tuple[Checkpoint, int | None]:
    """A checkpoint that this key signed, and the time in seconds since 1970 that it gave, if any.

    Raises NotVerified.
    """
    note = Note.parse(raw)
    found = Checkpoint.parse(note.text)
    if not note.signed_by(key):
        raise NotVerified("signature", f"the checkpoint isn't signed by {key.name}")
    times = [time for time in note.signed_by(key.timed) if time is not None]
    return found, max(times, default=None)


def _is_name(name: str) -> bool:
    return bool(name) and not re.search(r"[\s+]", name)


def _base64(text: str, check: str, what: str) -> bytes:
    try:
        raw = b64decode(text, validate=True)
    except (NotBase64, ValueError):
        raise NotVerified(check, what) from None
    # Unused bits of the last character are overlooked when decoding: other bytes would pass as the same.
    if b64encode(raw).decode() != text:
        raise NotVerified(check, what)
    return raw


# Sealed facts (RFC 7516)

_HEADER: Final = ("alg", "enc", "typ", "kid", "kc", "agg", "ver", "topic", "pub", "priv")


def open_header(state: bytes, agg: str, ver: int, topic: str) -> tuple[dict[str, Any], list[bytes]]:
    """The readable half of a sealed fact, checked against its place, and the parts. Raises NotVerified."""
    where = f"{agg}/{ver}"
    parts = state.split(b".")
    if len(parts) != 5 or parts[1]:
        raise NotVerified("sealed fact", f"{where} isn't an envelope")
    header = _json(_base64url(parts[0], where), where)
    if tuple(header) != _HEADER or type(header["ver"]) is not int:
        raise NotVerified("sealed fact", f"{where} has a header of another kind")
    if [header[name] for name in ("alg", "enc", "typ")] != ["dir", "A256GCM", "casebook-event/1"]:
        raise NotVerified("sealed fact", f"{where} has a header of another kind")
    if (header["agg"], header["ver"], header["topic"]) != (agg, ver, topic):
        raise NotVerified("sealed fact", f"{where} was sealed for another place")
    pub, priv = header["pub"], header["priv"]
    if type(pub) is not dict or type(priv) is not list or priv != sorted({str(n) for n in priv} - pub.keys()):
        raise NotVerified("sealed fact", f"{where} has a header of another kind")
    return header, parts


def open_sealed(
    state: bytes, cek: bytes, agg: str, ver: int, topic: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is readable of a fact, and what was sealed, by its content key alone. Raises NotVerified."""
    where = f"{agg}/{ver}"
    header, parts = open_header(state, agg, ver, topic)
    # AES-GCM doesn't commit to its key: one ciphertext can be built that opens to two stories.
    committed = b64encode(sha256(b"casebook-kc/1\n" + cek).digest(), b"-_").rstrip(b"=").decode()
    if len(cek) != 32 or header["kc"] != committed:
        raise NotVerified("key commitment", f"{where} was sealed with another key")
    iv, ciphertext, tag = (_base64url(part, where) for part in parts[2:])
    if len(iv) != 12 or len(tag) != 16:
        raise NotVerified("sealed fact", f"{where} isn't an envelope")
    try:
        payload = AESGCM(cek).decrypt(iv, ciphertext + tag, parts[0])
    except InvalidTag:
        raise NotVerified("sealed fact", f"{where} was altered") from None
    sealed = _json(payload, where)
    if sorted(sealed) != header["priv"]:
        raise NotVerified("sealed fact", f"{where} doesn't hold the fields that it names")
    return header["pub"], sealed


def _base64url(text: bytes, where: str) -> bytes:
    if not re.fullmatch(rb"[A-Za-z0-9_-]*", text):
        raise NotVerified("sealed fact", f"{where} can't be read")
    padded = text.decode() + "=" * (-len(text) % 4)
    return _base64(padded.translate({45: 43, 95: 47}), "sealed fact", f"{where} can't be read")


def _json(raw: bytes, where: str) -> dict[str, Any]:
    def without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError
        return dict(pairs)

    def no_number(_text: str) -> NoReturn:
        raise ValueError

    try:
        found = json.loads(
            raw.decode(),
            object_pairs_hook=without_doubles,
            parse_float=no_number,
            parse_constant=no_number,
        )
    except (ValueError, RecursionError):
        raise NotVerified("sealed fact", f"{where} isn't the JSON that it should be") from None
    if type(found) is not dict:
        raise NotVerified("sealed fact", f"{where} isn't the JSON that it should be")
    return found
