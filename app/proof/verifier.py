"""Check proofs of Casebook with nothing but Python's standard library and `cryptography`.

This file stands alone, so that whoever checks needn't trust, or install, the system that they are checking:
copy it anywhere. What is checked is published: Merkle trees of RFC 9162, signed notes and checkpoints of
C2SP (signed-note, tlog-checkpoint, tlog-cosignature), JWE of RFC 7516, HKDF's content keys of each fact.
"""

import json
import re
import sys
from argparse import ArgumentParser, Namespace
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from struct import Struct
from time import time as clock
from typing import Any, Final, NoReturn
from uuid import UUID
from zlib import crc32

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


def read_checkpoint(raw: bytes, key: VerifierKey, *others: VerifierKey) -> tuple[Checkpoint, int | None]:
    """A checkpoint that one of these keys signed, and the time in seconds since 1970 that it gave, if any.

    Raises NotVerified, also for a bad signature of one of them beside a good one of another.
    """
    note = Note.parse(raw)
    found = Checkpoint.parse(note.text)
    keys = (key, *others)
    if not [time for one in keys for time in note.signed_by(one)]:
        raise NotVerified("signature", f"the checkpoint isn't signed by {key.name}")
    times = [time for one in keys for time in note.signed_by(one.timed) if time is not None]
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
_DEEPEST: Final = 8
"""Lists and objects inside each other: what is recorded has three at most."""


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


def _parts(value: Any) -> Iterable[Any]:
    return value.values() if type(value) is dict else value if type(value) is list else ()


def _json(raw: bytes, where: str, check: str = "sealed fact") -> dict[str, Any]:
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
        raise NotVerified(check, f"{where} isn't the JSON that it should be") from None
    inside = [found]
    for _ in range(_DEEPEST):
        inside = [one for outer in inside for one in _parts(outer) if type(one) in (dict, list)]
    if type(found) is not dict or inside:
        raise NotVerified(check, f"{where} isn't the JSON that it should be")
    return found


# Epochs

EPOCH: Final = "casebook-epoch/1"
_EPOCH_TOLD: Final = ("made_at", "by", "reason", "after", "events", "reads")
_GAP: Final = ("signed", "kept", "restored")


@dataclass(frozen=True)
class Gap:
    """What one log lost. So many entries had been `signed`; the first `kept` are shown to be there again; and
    so many were there when the epoch began (`restored`)."""

    signed: int
    kept: int
    restored: int

    @property
    def lost(self) -> int:
        """How many entries are gone for certain."""
        return max(self.signed - self.restored, 0)


@dataclass(frozen=True)
class Epoch:
    """Where a record goes on after published entries were lost, as its statement says.

    The trees of an epoch have the statement as their first leaf, then every entry that is there: the entry
    with number n is leaf n, and a tree has one leaf more than entries. `after` is the SHA-256 of the
    statement before, if there is one.
    """

    number: int
    previous: str
    made_at: str
    by: str
    reason: str
    after: str
    gaps: dict[str, Gap]
    raw: bytes

    @classmethod
    def parse(cls, raw: bytes) -> "Epoch":
        """Read a statement, checking its form and nothing else. Raises NotVerified."""
        try:
            lines = raw.decode().partition("\n\n")[0].split("\n")
        except UnicodeDecodeError:
            raise NotVerified("epoch", "the statement isn't UTF-8") from None
        if len(lines) < 4 or lines[0] != EPOCH or not re.fullmatch("[2-9]|[1-9][0-9]{1,5}", lines[2]):
            raise NotVerified("epoch", "it isn't the statement of an epoch")
        told = _json(lines[3].encode(), "its fourth line", "epoch")
        if tuple(told) != _EPOCH_TOLD or not all(type(told[name]) is str for name in _EPOCH_TOLD[:4]):
            raise NotVerified("epoch", "the statement doesn't say when, who and why")
        for log in ("events", "reads"):
            gap = told[log]
            if type(gap) is not dict or tuple(gap) != _GAP or not all(type(n) is int for n in gap.values()):
                raise NotVerified("epoch", "the statement doesn't say what is gone")
            if not 0 <= gap["kept"] <= min(gap["signed"], gap["restored"]) < 2**63:
                raise NotVerified("epoch", "the statement doesn't say what is gone")
        gaps = {log: Gap(**told[log]) for log in ("events", "reads")}
        made_at, by, reason, after = (told[name] for name in _EPOCH_TOLD[:4])
        return cls(int(lines[2]), lines[1], made_at, by, reason, after, gaps, raw)

    @property
    def origin(self) -> str:
        """The name of the record from here on. A demo's goes on saying so at its end."""
        base = self.previous.removesuffix("/demo").removesuffix(f"/epoch{self.number - 1}")
        return f"{base}/epoch{self.number}{'/demo' if self.previous.endswith('/demo') else ''}"

    @property
    def leaf(self) -> bytes:
        """The first leaf of its trees: no subject's, and committed to the statement."""
        return bytes(16) + self.number.to_bytes(8, "big") + sha256(self.raw).digest()

    def told(self) -> Iterable[str]:
        """What it says, in sentences for people."""
        said = f"said by {_printable(self.by)}: {_printable(self.reason)}"
        yield f"Epoch {self.number} of this record began {_printable(self.made_at)}, {said}"
        for log, what in (("events", "facts"), ("reads", "noted looks")):
            gap = self.gaps[log]
            if gap.lost:
                yield f"{gap.lost} {what} that were signed are gone: {_span(gap.restored, gap.signed)}."
            if gap.kept < min(gap.restored, gap.signed):
                span = _span(gap.kept, gap.restored)
                yield f"Can't be compared with what was signed before: {what}, {span}."


def _span(after: int, last: int) -> str:
    return f"number {last}" if last == after + 1 else f"numbers {after + 1} to {last}"


# The evidence pack

FILES: Final = (
    "manifest.txt",
    "checkpoint.txt",
    "skeleton.bin",
    "events.jsonl",
    "keys.json",
    "history.html",
    "history.pdf",
    "README.txt",
)
"""What a pack holds, in this order."""
STATEMENT: Final = "epoch.txt"
"""Where the record is in a later epoch, its statement comes after the checkpoint."""
FILES_OF_AN_EPOCH: Final = (*FILES[:2], STATEMENT, *FILES[2:])
KIND: Final = "casebook-evidence/1"
_TOLD: Final = ("made_by", "for_whom", "why", "when", "subjects")
_EVENT: Final = ("index", "originator_id", "version", "topic", "recorded_at_us", "state")
_LOCAL: Final = Struct("<4s5H3L2H")
_CENTRAL: Final = Struct("<4s6H3L5H2L")
_END: Final = Struct("<4s4H2LH")
_CHUNK: Final = 4096
SKEW: Final = 120
"""Seconds by which two clocks may be apart without anything to be said about it."""
_NUMBER: Final = "0|[1-9][0-9]{0,18}"
_UNSAID: Final[tuple[Any, ...]] = (None, "", [])
_OF_THE_COMMAND: Final = ("recorded_by", "command_id", "policy_version")
_EVENT_KINDS: Final = (int, str, int, str, int, str)


@dataclass(frozen=True)
class Proven:
    """One fact of a pack, as it was recorded. `index` is its place in the ledger, from 0; the time is in
    microseconds since 1970. `payload` is None where it stays sealed: `sealed` then names its fields."""

    index: int
    originator_id: str
    version: int
    topic: str
    recorded_at_us: int
    pub: dict[str, Any]
    sealed: tuple[str, ...]
    payload: dict[str, Any] | None


@dataclass(frozen=True)
class Verified:
    """A pack in which every check held. `manifest` is what its maker said of it; `signed_by` the log key that
    was found to have signed it; times are in seconds since 1970, None where a checkpoint bears none.
    `epoch` says what was lost, where the record had to begin anew; `clocks` which facts are dated otherwise
    than the checkpoints allow: those who told the times don't agree, and no byte is wrong."""

    manifest: dict[str, Any]
    checkpoint: Checkpoint
    time: int | None
    signed_by: VerifierKey
    witnesses: dict[str, int | None]
    subjects: tuple[str, ...]
    facts: tuple[Proven, ...]
    epoch: Epoch | None = None
    clocks: tuple[str, ...] = ()


def stored_zip(files: Sequence[tuple[str, bytes]]) -> bytes:
    """A zip of these files without compression: the same files give the same bytes. At most 4 GB."""
    parts, central, at = [], [], 0
    for name, content in files:
        raw = name.encode("ascii")
        # The first day that a zip can name, at midnight.
        common = (20, 0, 0, 0, 0x21, crc32(content), len(content), len(content), len(raw))
        head = _LOCAL.pack(b"PK\3\4", *common, 0) + raw
        mode = 0o600 << 16
        central.append(_CENTRAL.pack(b"PK\1\2", 20 | 3 << 8, *common, 0, 0, 0, 0, mode, at) + raw)
        parts += [head, content]
        at += len(head) + len(content)
    listed = b"".join(central)
    end = _END.pack(b"PK\5\6", 0, 0, len(files), len(files), len(listed), at, 0)
    return b"".join([*parts, listed, end])


def unpacked(data: bytes) -> dict[str, bytes]:
    """The files of a pack. Anything but the one archive that holds exactly them raises NotVerified."""
    files: list[tuple[str, bytes]] = []
    at = 0
    while data[at : at + 4] == b"PK\3\4" and len(data) >= at + _LOCAL.size and len(files) < 16:
        fields = _LOCAL.unpack_from(data, at)
        begin = at + _LOCAL.size + fields[9]
        name = data[at + _LOCAL.size : begin].decode("ascii", "replace")
        at = begin + fields[7]
        files.append((name, data[begin:at]))
    if tuple(name for name, _ in files) not in (FILES, FILES_OF_AN_EPOCH):
        raise NotVerified("archive", f"it doesn't hold {', '.join(FILES)}, in this order and nothing else")
    again = stored_zip(files)
    if again != data:
        differs = next((n for n, (a, b) in enumerate(zip(again, data, strict=False)) if a != b), None)
        where = min(len(again), len(data)) if differs is None else differs
        raise NotVerified("archive", f"it was altered, cut short or added to, by byte {where}")
    return dict(files)


def verify_pack(
    data: bytes,
    log_keys: Sequence[VerifierKey],
    checkpoints: Sequence[bytes] = (),
    witnesses: Sequence[VerifierKey] = (),
) -> Verified:
    """Check a pack: every byte of it, and that nothing of its subjects was left out.

    `log_keys` are the record's keys, `checkpoints` files with notes, and `witnesses` keys, all obtained
    otherwise than with the pack. Each witness must have signed one of the checkpoints, the pack's or one
    given. Raises NotVerified.
    """
    try:
        return _verified(data, log_keys, checkpoints, witnesses)
    except (ValueError, OverflowError, RecursionError):
        # Each check names what it refuses; this is for bytes that nobody thought of.
        raise NotVerified("pack", "it holds what no pack holds") from None


def _verified(
    data: bytes, log_keys: Sequence[VerifierKey], given: Sequence[bytes], witnesses: Sequence[VerifierKey]
) -> Verified:
    files = unpacked(data)
    origin, size, manifest, key = _manifest(files, log_keys)
    epoch = Epoch.parse(files[STATEMENT]) if STATEMENT in files else None
    skeleton = files["skeleton.bin"]
    if epoch and (epoch.origin != origin or skeleton[:LEAF_DATA] != epoch.leaf):
        raise NotVerified("epoch", "its statement isn't the one that this record began with")
    before = epoch.previous if epoch else None
    notes = [files["checkpoint.txt"], *(note for raw in given for note in notes_in(raw, origin, before))]
    (checkpoint, time), *others = (_signed_checkpoint(note, log_keys) for note in notes)
    if (checkpoint.origin, checkpoint.size) != (origin, size):
        raise NotVerified("checkpoint", f"it is over {checkpoint.size} entries, the manifest over {size}")
    seen = {witness.name: _witnessed(notes, witness) for witness in witnesses}
    _check_skeleton(skeleton, checkpoint, [one for one, _ in others if one.origin == origin], epoch)
    for other, _ in others:
        if other.origin != origin:
            _check_before(skeleton, other, origin, epoch)
    events = _events(files["events.jsonl"], skeleton, manifest["subjects"])
    facts = _opened(files["keys.json"], events)
    timed = [(checkpoint, time), *(other for other in others if other[0].origin == origin)]
    # In a demo facts are told at invented times.
    clocks = () if origin.endswith("/demo") else tuple(_clocks(facts, timed))
    return Verified(manifest, checkpoint, time, key, seen, tuple(manifest["subjects"]), facts, epoch, clocks)


def _manifest(
    files: dict[str, bytes], log_keys: Sequence[VerifierKey]
) -> tuple[str, int, dict[str, Any], VerifierKey]:
    """Whose record, how many facts, what the maker said, and which key signed it; with each file's digest."""
    note = Note.parse(files["manifest.txt"])
    # Another signature would be bytes that nobody vouches for.
    signed = [key for key in dict.fromkeys(log_keys) if note.signed_by(key)]
    if len(signed) != 1 or len(note.signatures) != 1:
        raise NotVerified(
            "signature", "the manifest isn't signed by the log key that was given, and by it alone"
        )
    lines = note.text.split("\n")
    if len(lines) != len(files) + 4 or lines[0] != KIND or not re.fullmatch(_NUMBER, lines[2]):
        raise NotVerified("manifest", "it isn't one")
    for name, line in zip(list(files)[1:], lines[4:-1], strict=True):
        if line != f"{sha256(files[name]).hexdigest()}  {name}":
            raise NotVerified("digest", f"{name} isn't what was signed")
    told = _json(lines[3].encode(), "its fourth line", "manifest")
    subjects = told.get("subjects")
    texts = [told.get(name) for name in _TOLD[:-1]] + (subjects if type(subjects) is list else [None])
    if tuple(told) != _TOLD or not all(type(text) is str for text in texts) or compact(told) != lines[3]:
        raise NotVerified("manifest", "it doesn't say who made it, for whom, why, when and about what")
    if not subjects or len(set(subjects)) != len(subjects):
        raise NotVerified("manifest", "it names no subject, or one twice")
    return lines[1], int(lines[2]), told, signed[0]


def _signed_checkpoint(raw: bytes, log_keys: Sequence[VerifierKey]) -> tuple[Checkpoint, int | None]:
    note = Note.parse(raw)
    found = Checkpoint.parse(note.text)
    # Every key is asked, so that a bad signature of one isn't hidden by a good one of another.
    signed = [note.signed_by(key) for key in log_keys]
    if not any(signed):
        raise NotVerified(
            "signature", f"the checkpoint over {found.size} entries isn't signed by the log key"
        )
    times = [time for key in log_keys for time in note.signed_by(key.timed) if time is not None]
    return found, max(times, default=None)


def notes_in(raw: bytes, origin: str, before: str | None = None) -> list[bytes]:
    """The checkpoints in a file that somebody kept: one, or several with an empty line between them.

    Those of the log of reads, which are often kept with them, are left out. Raises NotVerified.
    """
    parts = raw.replace(b"\r\n", b"\n").strip(b"\n").split(b"\n\n")
    if len(parts) % 2:
        raise NotVerified("note", "what was given isn't a signed note")
    notes = zip(parts[::2], parts[1::2], strict=True)
    reads = [f"{name}/reads".encode() for name in (origin, before) if name]
    ours = [note for note in notes if note[0].split(b"\n")[0] not in reads]
    if not ours:
        raise NotVerified("checkpoint", f"what was given holds none of {origin}")
    return [b"%b\n\n%b\n" % note for note in ours]


def _witnessed(notes: Sequence[bytes], witness: VerifierKey) -> int | None:
    """When a witness signed one of these notes, the last time if several."""
    keys = {witness, witness.timed}
    times = [time for raw in notes for key in keys for time in Note.parse(raw).signed_by(key)]
    if not times:
        raise NotVerified("witness", f"{witness.name} has signed none of these checkpoints")
    return max((time for time in times if time is not None), default=None)


def _check_skeleton(
    skeleton: bytes, checkpoint: Checkpoint, given: Sequence[Checkpoint], epoch: Epoch | None
) -> None:
    """The tree over the skeleton is the checkpoint's, begins with each one given, and skips no version."""
    size = checkpoint.size
    if len(skeleton) != size * LEAF_DATA:
        raise NotVerified("skeleton", f"it doesn't hold {size} leaves")
    for other in given:
        if other.size > size:
            raise NotVerified(
                "older", f"the pack is over {size} entries, a checkpoint given over {other.size}"
            )
    tree = Range()
    for stop in sorted({size, *(other.size for other in given)}):
        for begin in range(tree.size, stop, _CHUNK):
            span = range(begin * LEAF_DATA, min(begin + _CHUNK, stop) * LEAF_DATA, LEAF_DATA)
            tree.extend([sha256(b"\x00" + skeleton[at : at + LEAF_DATA]).digest() for at in span])
        root = tree.root()
        if any(other.size == stop and other.root != root for other in given):
            raise NotVerified("consistency", f"the pack doesn't begin as the checkpoint over {stop} entries")
        if stop == size and root != checkpoint.root:
            raise NotVerified("root", f"the skeleton isn't what the checkpoint over {size} entries is over")
    newest: dict[bytes, int] = {}
    for index in range(1 if epoch else 0, size):
        at = index * LEAF_DATA
        owner, version = skeleton[at : at + 16], int.from_bytes(skeleton[at + 16 : at + 24], "big")
        if version != newest.get(owner, 0) + 1:
            raise NotVerified("versions", f"leaf {index}: {UUID(bytes=owner)}/{version} is a gap or a double")
        newest[owner] = version


def _check_before(skeleton: bytes, other: Checkpoint, origin: str, epoch: Epoch | None) -> None:
    """What a checkpoint of the epoch before covers is there, unless the statement says that it was lost."""
    # The trees of a second epoch's predecessor have no statement of their own, so its entries are enough.
    if epoch is None or other.origin != epoch.previous or epoch.number != 2:
        raise NotVerified("checkpoint", f"it is of {other.origin}, the pack of {origin}")
    if other.size > min(epoch.gaps["events"].kept, len(skeleton) // LEAF_DATA - 1):
        raise NotVerified(
            "epoch", f"entries under the checkpoint over {other.size} were lost, as it says itself"
        )
    tree = Range()
    for index in range(1, other.size + 1):
        tree.append(leaf_hash(skeleton[index * LEAF_DATA : (index + 1) * LEAF_DATA]))
    if tree.root() != other.root:
        raise NotVerified(
            "consistency", f"the pack doesn't begin as the checkpoint over {other.size} entries"
        )


def _events(raw: bytes, skeleton: bytes, subjects: Sequence[str]) -> list[dict[str, Any]]:
    """The events, each of them as its leaf has it: all that the skeleton has of the subjects, no other."""
    owners = {_id(one, "manifest").bytes for one in subjects}
    found: list[dict[str, Any]] = []
    for number, line in enumerate(_lines(raw), 1):
        event = _json(line, f"line {number}", "events")
        kinds = tuple(type(value) for value in event.values())
        if tuple(event) != _EVENT or kinds != _EVENT_KINDS or compact(event).encode() != line:
            raise NotVerified("events", f"line {number} isn't an event as it is written")
        index, agg, ver, topic, at, state = event.values()
        if not all(0 <= one < 2**63 for one in (index, ver, at)) or len(topic.encode()) > 200:
            raise NotVerified("events", f"line {number} isn't an event as it is written")
        leaf = event_leaf(_id(agg, "events").bytes, ver, topic, at, state.encode())
        if skeleton[index * LEAF_DATA : (index + 1) * LEAF_DATA] != leaf:
            raise NotVerified("leaf", f"{agg}/{ver} isn't what leaf {index} of the skeleton is of")
        if leaf[:16] not in owners or (found and index <= found[-1]["index"]):
            raise NotVerified("events", f"line {number} belongs to no subject, or not here")
        # The record's times never run backwards: who puts an entry in with a past one is seen by it.
        if found and at < found[-1]["recorded_at_us"]:
            raise NotVerified("time", f"{agg}/{ver} is dated before the event before it")
        found.append(event)
    there = {event["index"] for event in found}
    for index in range(len(skeleton) // LEAF_DATA):
        owner = skeleton[index * LEAF_DATA : index * LEAF_DATA + 16]
        if owner in owners and index not in there:
            raise NotVerified("withheld", f"leaf {index} is of {UUID(bytes=owner)}, and its event isn't here")
    if len({event["originator_id"] for event in found}) != len(owners):
        raise NotVerified("events", "a subject has none")
    return found


def _opened(raw: bytes, events: Sequence[dict[str, Any]]) -> tuple[Proven, ...]:
    """Each event checked against its place, and opened where its key is there."""
    keys = _json(raw, "keys.json", "keys")
    places = [f"{event['originator_id']}/{event['version']}" for event in events]
    if list(keys) != [place for place in places if place in keys] or f"{compact(keys)}\n".encode() != raw:
        raise NotVerified("keys", "keys.json isn't written as it should be, or names what isn't here")
    facts = []
    for place, event in zip(places, events, strict=True):
        index, agg, ver, topic, at, text = event.values()
        state = text.encode()
        header, _ = open_header(state, agg, ver, topic)
        payload = None
        if place in keys:
            cek = keys[place] if type(keys[place]) is str else ""
            _, payload = open_sealed(state, _base64url(cek.encode(), place), agg, ver, topic)
        facts.append(Proven(index, agg, ver, topic, at, header["pub"], tuple(header["priv"]), payload))
    return tuple(facts)


def _clocks(facts: Sequence[Proven], timed: Iterable[tuple[Checkpoint, int | None]]) -> Iterable[str]:
    """Facts dated after a checkpoint that has them, or before one that hasn't: which, and by how much."""
    for checkpoint, time in timed:
        for fact in facts if time is not None else ():
            inside = fact.index < checkpoint.size
            apart = (fact.recorded_at_us // 1_000_000 - (time or 0)) * (1 if inside else -1)
            if apart > SKEW:
                said = "after the checkpoint that has it" if inside else "before a checkpoint that hasn't it"
                yield f"fact {fact.index} is dated {apart // 60} minutes {said} ({checkpoint.size} entries)"


def compact(value: Any) -> str:
    """JSON as a pack has it: names in their order, nothing between, no escapes that aren't needed."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _lines(raw: bytes) -> list[bytes]:
    lines = raw.split(b"\n")
    if lines.pop():
        raise NotVerified("events", "the last line isn't whole")
    return lines


def _id(text: str, check: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError:
        found = UUID(int=0)
    if str(found) != text:
        raise NotVerified(check, "an id isn't one")
    return found


# For people


def told(found: Verified, now: float, *, show: bool = False) -> Iterable[str]:
    """What was verified, in lines for people; with `show` the history itself. `now`: seconds since 1970."""
    size, last = found.checkpoint.size, found.checkpoint.size - 1
    yield f"Verified: complete and unaltered up to the checkpoint over {size} entries (0 to {last})."
    yield f"Record:      {found.checkpoint.origin}"
    if found.checkpoint.origin.endswith("/demo"):
        yield "             A demonstration: invented people, invented times. It is evidence of nothing."
    if found.epoch:
        yield from (f"LOST:        {sentence}" for sentence in found.epoch.told())
    yield f"Checkpoint:  {_age(found.time, now)}. Whatever was recorded later isn't in this pack."
    yield from (f"CLOCKS:      {said}: one was wrong, or was set." for said in found.clocks)
    for name, time in found.witnesses.items():
        yield f"Witness:     {name}, {_age(time, now)}"
    yield f"Signed by:   {found.signed_by}"
    yield "             Compare this key with one that reached you otherwise than with this pack."
    for label, name in zip(("Made by", "For", "Why", "When"), _TOLD, strict=False):
        yield f"{label + ':':<13}{_printable(found.manifest[name])}"
    opened = sum(fact.payload is not None for fact in found.facts)
    yield f"Holds:       {len(found.facts)} facts about {len(found.subjects)} subjects, {opened} opened"
    if show:
        for fact in found.facts:
            yield from _shown(fact)


def _shown(fact: Proven) -> Iterable[str]:
    kind, _, name = fact.topic.partition(".")
    title = f"{kind}: {name}".replace("-", " ").capitalize()
    when = _time(fact.recorded_at_us / 1_000_000)
    yield ""
    yield f"{when}  {_printable(title)}"
    yield f"    fact {fact.index}, {fact.originator_id}/{fact.version}"
    said = {name: value for name, value in (fact.pub | (fact.payload or {})).items() if value not in _UNSAID}
    for name in sorted(said, key=lambda name: (name in _OF_THE_COMMAND, name != "happened_on")):
        yield f"    {_printable(name.replace('_', ' '))}: {_printable(_in_words(said[name]))}"
    if fact.payload is None and fact.sealed:
        names = _printable(", ".join(fact.sealed))
        yield f"    sealed, because its key isn't in this pack or was destroyed: {names}"


def _in_words(value: Any) -> str:
    """A value in one line; of a list what is in it."""
    if type(value) is bool:
        return "yes" if value else "no"
    if type(value) is list:
        return ", ".join(_in_words(one) for one in value)
    if type(value) is dict:
        return "; ".join(f"{name.replace('_', ' ')} {_in_words(one)}" for name, one in value.items())
    return str(value)


def _printable(text: str) -> str:
    """A text that can do nothing to a terminal but be read; its further lines stand below the first."""
    kept = (c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
    return "".join(kept).replace("\n", "\n        ")


def _time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return "at no time that a calendar has"


def _age(time: int | None, now: float) -> str:
    if time is None:
        return "it bears no time"
    minutes = int(now - time) // 60
    if minutes < 0:
        return f"{_time(time)}, which is in the future"
    # From two of a unit on, so that only minutes are ever one.
    passed = f"{minutes} minute{'' if minutes == 1 else 's'}"
    for each, unit in ((60, "hours"), (1440, "days")):
        if minutes >= 2 * each:
            passed = f"{minutes // each} {unit}"
    return f"{_time(time)}, {passed} ago"


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("pack", metavar="PACK.zip")
    parser.add_argument(
        "--log-key", action="append", required=True, metavar="VKEY", help="the record's public key"
    )
    parser.add_argument(
        "--checkpoint", action="append", default=[], metavar="FILE", help="one that you have from elsewhere"
    )
    parser.add_argument("--witness", action="append", default=[], metavar="VKEY", help="who must have signed")
    parser.add_argument("--show", action="store_true", help="print the history from the proven facts")
    parser.add_argument("--json", action="store_true")


def run(said: Namespace) -> int:
    """Verify and print. Gives 0 where it verified, 1 where not, 2 where what was asked can't be read."""
    try:
        keys = [VerifierKey.parse(text) for text in said.log_key]
        witnesses = [VerifierKey.parse(text) for text in said.witness]
        data, *notes = (Path(name).read_bytes() for name in (said.pack, *said.checkpoint))
    except (NotVerified, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        found = verify_pack(data, keys, notes, witnesses)
    except NotVerified as error:
        if said.json:
            print(json.dumps({"verified": False, "check": error.check, "where": error.where}))
        print(f"NOT VERIFIED. {error}", file=sys.stderr)
        return 1
    if said.json:
        print(json.dumps(_told_to_programs(found, show=said.show), indent=2))
        return 0
    encoding = sys.stdout.encoding or "ascii"
    for line in told(found, clock(), show=said.show):
        print(line.encode(encoding, "backslashreplace").decode(encoding))
    return 0


def _told_to_programs(found: Verified, *, show: bool) -> dict[str, Any]:
    checkpoint = found.checkpoint
    root = b64encode(checkpoint.root).decode()
    return {
        "verified": True,
        "checkpoint": {
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": root,
            "time": found.time,
        },
        "log_key": str(found.signed_by),
        "witnesses": found.witnesses,
        "manifest": found.manifest,
        **({"lost": list(found.epoch.told())} if found.epoch else {}),
        **({"clocks": list(found.clocks)} if found.clocks else {}),
        **({"facts": [asdict(fact) for fact in found.facts]} if show else {}),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command, where this file stands alone."""
    parser = ArgumentParser(description="Verify an evidence pack of Casebook.")
    add_arguments(parser)
    return run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
