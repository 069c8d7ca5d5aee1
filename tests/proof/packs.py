"""A small pack, made of the record's published bytes, and what somebody could do to a pack."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from app.proof.ledger import root_of
from app.proof.note import SigningKey, signed_note
from app.proof.pack_files import Asked, Event, Papers, events_jsonl, keys_json, packed
from app.proof.verifier import (
    FILES_OF_AN_EPOCH,
    Checkpoint,
    Note,
    compact,
    event_leaf,
    leaf_hash,
    stored_zip,
    unpacked,
)
from app.record.base64url import to_base64url
from tests.record.vectors import EVENTS, VECTORS, key_of, place_of

LOG: Final = SigningKey(VECTORS["origin"], bytes.fromhex(VECTORS["log_seed"]))
KEYS: Final = [LOG.verifier_key]
OTHER: Final = SigningKey(LOG.name, bytes(range(32)))
WITNESS: Final = SigningKey("governor.example", bytes(range(1, 33)))
PUPIL, CASE, CONCERN = (
    UUID(text)
    for text in (
        "074f3706-2561-44fa-b2aa-9412b58bc49d",
        "bbfcd416-0a1e-4674-9ac6-2292ae48be47",
        "2f1b86bf-5531-48e8-945e-b85875f3d428",
    )
)
PAPERS: Final = Papers(b"<!doctype html><title>History</title>\n", b"%PDF-1.7\n", b"Read this.\n")
MADE: Final = datetime(2026, 9, 20, 12, tzinfo=UTC)
TIME: Final = 1_789_000_100
ALL_EVENTS: Final = [
    Event(n, *place_of(event), event["recorded_at_us"], event["state"].encode())
    for n, event in enumerate(EVENTS)
]
ALL_KEYS: Final = {
    f"{agg}/{ver}": key_of(event).content_key(agg, ver)
    for event in EVENTS
    for agg, ver, _ in [place_of(event)]
}
LEAVES: Final = [bytes.fromhex(event["leaf_data"]) for event in EVENTS]


def checkpoint(
    size: int = 7, key: SigningKey = LOG, leaves: Sequence[bytes] = LEAVES, time: int = TIME
) -> bytes:
    """A checkpoint over the first leaves, as an anchor with this key signs it."""
    return signed(Checkpoint(LOG.name, size, root_of(leaf_hash(leaf) for leaf in leaves[:size])), key, time)


def signed(found: Checkpoint, key: SigningKey = LOG, time: int = TIME) -> bytes:
    text = str(found)
    return signed_note(text, key.sign(text), key.cosign(text, time))


def cosigned(note: bytes, witness: SigningKey = WITNESS, time: int = TIME + 60) -> bytes:
    return note + witness.cosign(Note.parse(note).text, time).encode()


def small_pack(
    subjects: tuple[UUID, ...] = (CASE, CONCERN),
    size: int = 7,
    sealed: Sequence[str] = (),
    note: bytes | None = None,
) -> bytes:
    """The pack of these subjects from the seven published facts; `sealed` names what isn't disclosed."""
    note = note or checkpoint(size)
    events = [event for event in ALL_EVENTS[:size] if event.originator_id in subjects]
    keys = {place: key for place, key in ALL_KEYS.items() if place not in sealed}
    asked = Asked("Ms Hughes, Designated Safeguarding Lead", "Estyn", "Inspection", MADE, subjects)
    found = Checkpoint.parse(Note.parse(note).text)
    lines, disclosed = events_jsonl(events), keys_json(keys, events)
    return packed(LOG, found, note, asked, b"".join(LEAVES[:size]), lines, disclosed, PAPERS)


def files_of(pack: bytes) -> dict[str, bytes]:
    return unpacked(pack)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The files again, in the order of a pack, with nobody's signature renewed."""
    return stored_zip([(name, files[name]) for name in FILES_OF_AN_EPOCH if name in files])


def forged(files: Mapping[str, bytes], key: SigningKey = LOG, told: Mapping[str, Any] | None = None) -> bytes:
    """What somebody with the log key makes of these files: every digest and the signature fit."""
    lines = Note.parse(files["manifest.txt"]).text.split("\n")[:4]
    lines[2] = Note.parse(files["checkpoint.txt"]).text.split("\n")[1]
    lines[3] = compact(json.loads(lines[3]) | dict(told or {}))
    names = [name for name in FILES_OF_AN_EPOCH[1:] if name in files]
    lines += [f"{sha256(files[name]).hexdigest()}  {name}" for name in names]
    text = "".join(f"{line}\n" for line in lines)
    return zipped({**files, "manifest.txt": signed_note(text, key.sign(text))})


def forged_tree(files: Mapping[str, bytes], key: SigningKey = LOG) -> bytes:
    """The same with a new checkpoint over whatever the skeleton now is."""
    skeleton = files["skeleton.bin"]
    leaves = [skeleton[at : at + 56] for at in range(0, len(skeleton), 56)]
    return forged({**files, "checkpoint.txt": checkpoint(len(leaves), key, leaves)}, key)


def lines_of(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files["events.jsonl"].splitlines()]


def as_lines(events: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(f"{compact(event)}\n" for event in events).encode()


def as_keys(keys: Mapping[str, Any]) -> bytes:
    return f"{compact(keys)}\n".encode()


def resealed(state: bytes, cek: bytes | None = None) -> bytes:
    """The pack with the concern's fact sealed otherwise, and a tree to match it."""
    files = files_of(small_pack())
    events, disclosed = lines_of(files), json.loads(files["keys.json"])
    event = events[3]
    leaf = event_leaf(CONCERN.bytes, event["version"], event["topic"], event["recorded_at_us"], state)
    events[3] = event | {"state": state.decode()}
    keys = disclosed if cek is None else disclosed | {f"{CONCERN}/1": to_base64url(cek).decode()}
    changed = {
        **files,
        "skeleton.bin": b"".join([*LEAVES[:4], leaf, *LEAVES[5:]]),
        "events.jsonl": as_lines(events),
        "keys.json": as_keys(keys),
    }
    return forged_tree(changed)
