"""The files of an evidence pack, and the pack that they make: the same contents give the same bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from app.proof.note import Signs, signed_note
from app.proof.verifier import FILES, FILES_OF_AN_EPOCH, KIND, Checkpoint, compact, stored_zip
from app.record.base64url import to_base64url


@dataclass(frozen=True)
class Event:
    """One fact as it is stored. `index` is its place in the ledger, from 0; `at_us` the time of recording, in
    microseconds since 1970; `state` the sealed bytes."""

    index: int
    originator_id: UUID
    version: int
    topic: str
    at_us: int
    state: bytes

    @property
    def place(self) -> str:
        """By what its key is found."""
        return f"{self.originator_id}/{self.version}"


@dataclass(frozen=True)
class Asked:
    """What the manifest says of a pack: who made it, for whom, why, when, and what it is about."""

    made_by: str
    for_whom: str
    why: str
    when: datetime
    subjects: tuple[UUID, ...]


@dataclass(frozen=True)
class Papers:
    """What people read of a pack: a page, the same on paper, and how to check it."""

    html: bytes
    pdf: bytes
    readme: bytes


def events_jsonl(events: Sequence[Event]) -> bytes:
    """The events, a line each, in the order of the ledger."""
    lines = [
        compact(
            {
                "index": event.index,
                "originator_id": str(event.originator_id),
                "version": event.version,
                "topic": event.topic,
                "recorded_at_us": event.at_us,
                "state": event.state.decode("ascii"),
            }
        )
        for event in events
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def keys_json(keys: Mapping[str, bytes], events: Sequence[Event]) -> bytes:
    """The content key of each disclosed event, by its place, in the order of the events."""
    disclosed = {event.place: keys[event.place] for event in events if event.place in keys}
    return f"{compact({place: to_base64url(key).decode() for place, key in disclosed.items()})}\n".encode()


def packed(
    key: Signs,
    checkpoint: Checkpoint,
    note: bytes,
    asked: Asked,
    skeleton: bytes,
    events: bytes,
    keys: bytes,
    papers: Papers,
    statement: bytes | None = None,
) -> bytes:
    """A pack of these contents, its manifest signed by the log key. `note` is the checkpoint as signed,
    `statement` the epoch's, where entries were lost before."""
    contents = [note, skeleton, events, keys, papers.html, papers.pdf, papers.readme]
    names: tuple[str, ...] = FILES
    if statement is not None:
        names = FILES_OF_AN_EPOCH
        contents.insert(1, statement)
    told = {
        "made_by": asked.made_by,
        "for_whom": asked.for_whom,
        "why": asked.why,
        "when": instant(asked.when),
        "subjects": [str(subject) for subject in asked.subjects],
    }
    listed = zip(names[1:], contents, strict=True)
    digests = [f"{sha256(content).hexdigest()}  {name}" for name, content in listed]
    lines = [KIND, checkpoint.origin, str(checkpoint.size), compact(told), *digests]
    text = "".join(f"{line}\n" for line in lines)
    manifest = signed_note(text, key.sign(text))
    return stored_zip(list(zip(names, (manifest, *contents), strict=True)))


def instant(when: datetime) -> str:
    """RFC 3339, in UTC, with six decimals."""
    return f"{when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
