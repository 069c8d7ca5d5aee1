"""Turn facts into sealed rows and back: their fields by their shapes, the rest from the row."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias, cast
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent

from app.record.data_key import DataKey
from app.record.keys import FoundKey, KeyStore
from app.record.opened import Opened, OpenedStreams
from app.record.rows import StoredNotification, StoredRow
from app.record.sealing import SealBroken, read_public, seal, unseal
from app.record.shapes import FactBroken, FactNotStorable, Shape, shape_of
from domain.fact import Fact

__all__ = ["FactBroken", "FactNotStorable", "KeyDestroyed", "Opened", "SealedMapper", "Unsealed"]


class KeyDestroyed(Exception):
    """The subject was erased, so that nothing can be added to it."""


Row: TypeAlias = StoredRow | StoredNotification


class Unsealed(NamedTuple):
    """A stored fact whose seal was opened already: the plain values that it holds, and the names of the
    fields that nothing opens any more.
    """

    originator_id: UUID
    originator_version: int
    topic: str
    notification_id: int
    recorded_at: datetime
    said: dict[str, Any]
    erased: list[str]


class SealedMapper(Mapper[UUID]):
    """Facts to sealed rows and back, for the recorder, histories and the projector."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._opened = OpenedStreams()

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """Seal a fact for its place. A subject's first fact gets the subject its key.

        Raises FactNotStorable, NotSealable, KeyDestroyed, and what the key store raises.
        """
        shape, subject = _storable(domain_event), domain_event.originator_id
        first = domain_event.originator_version == 1
        return _sealed(shape, domain_event, self._keys.create(subject) if first else self._keys.get(subject))

    def sealed(self, domain_event: DomainEventProtocol[UUID], key: FoundKey) -> StoredEvent:
        """The same with the subject's key at hand: waits for nothing."""
        return _sealed(_storable(domain_event), domain_event, key)

    def to_domain_event(self, stored_event: StoredEvent) -> Fact:
        """Open one stored fact; its `timestamp` is the row's `recorded_at`.

        Raises FactBroken, SealBroken, and what the key store raises.
        """
        row = cast(StoredNotification, stored_event)
        return _open(row, self._keys.get(_subject_of(row)))

    def to_domain_events(self, rows: Iterable[Row | Unsealed]) -> list[Fact]:
        """Open many facts, in their order, asking the key store once. Raises as `to_domain_event` does."""
        rows = list(rows)
        keys = self._keys.get_many({_subject_of(row) for row in rows if not isinstance(row, Unsealed)})
        return [
            _fact(row, dict(row.said), row.erased)
            if isinstance(row, Unsealed)
            else _open(row, keys[_subject_of(row)])
            for row in rows
        ]

    def unsealed(self, rows: Sequence[StoredRow]) -> list[StoredRow | Unsealed]:
        """Open the seals alone; `to_domain_events` does the rest, in whatever process.

        What can't be opened stays as it is: whoever wants the fact finds the fault. Raises what the key store
        raises.
        """
        keys = self._keys.get_many({_subject_of(row) for row in rows})
        return [_unsealed(row, keys[_subject_of(row)]) for row in rows]

    def stream(
        self,
        subject: UUID,
        read: Callable[[int], Sequence[StoredRow]],
        is_wanted: Callable[[str], bool] = lambda _first: True,
    ) -> Sequence[Opened]:
        """A subject's facts from the first on; what was opened a moment ago isn't opened again.

        `read` gives the subject's rows from a version on. Where something is remembered it is asked for the
        last fact of that and what came since, and once more, for all of them, if that fact is another now.
        A stream that begins with a fact whose name isn't wanted isn't opened, and none is given.
        A key that is known to be destroyed opens nothing. Raises as `to_domain_event` does.
        """
        known = self._opened.find(subject)
        if known is not None and self._keys.get(subject) is known.key:
            last = known.facts[-1].row
            rows = read(last.originator_version)
            if rows and rows[0] == last:
                if not is_wanted(known.facts[0].row.topic):
                    return ()
                new = [Opened(row, _open(row, known.key)) for row in rows[1:]]
                return self._opened.go_on(subject, known, new) if new else known.facts
        rows = read(1)
        if not rows or not is_wanted(rows[0].topic):
            return ()
        key = self._keys.get(subject)
        return self._opened.keep(subject, key, [Opened(row, _open(row, key)) for row in rows])

    def forget(self) -> None:
        """Let go of every fact that was opened: a key may have been destroyed."""
        self._opened.forget()


def _storable(domain_event: DomainEventProtocol[UUID]) -> Shape:
    shape = shape_of(type(domain_event).TOPIC) if isinstance(domain_event, Fact) else None
    if shape is None or type(domain_event) is not shape.fact_class:
        raise FactNotStorable(f"{type(domain_event).__name__} is not a fact on the allow-list.")
    return shape


def _sealed(shape: Shape, fact: DomainEventProtocol[UUID], key: FoundKey) -> StoredEvent:
    if not isinstance(key, DataKey):
        raise KeyDestroyed("This record has been erased. Nothing can be added to it.")
    subject, version = fact.originator_id, fact.originator_version
    pub, priv = shape.encode(vars(fact))
    return StoredEvent(subject, version, shape.topic, seal(key, subject, version, shape.topic, pub, priv))


def _subject_of(row: Row | Unsealed) -> UUID:
    subject = row.originator_id
    return subject if isinstance(subject, UUID) else UUID(subject)


def _open(row: Row, key: FoundKey) -> Fact:
    return _fact(row, *_said(row, key))


def _unsealed(row: StoredRow, key: FoundKey) -> StoredRow | Unsealed:
    try:
        said, erased = _said(row, key)
    except SealBroken:
        return row
    place = _subject_of(row), row.originator_version, row.topic, row.notification_id
    return Unsealed(*place, row.recorded_at, said, erased)


def _said(row: Row, key: FoundKey) -> tuple[dict[str, Any], list[str]]:
    """The values of the fields, and the names of those that nothing opens any more."""
    subject, version, topic = _subject_of(row), row.originator_version, row.topic
    if not isinstance(key, DataKey):
        return read_public(row.state, (subject, version, topic))
    said, priv = unseal(key, subject, version, topic, row.state)
    said.update(priv)
    return said, []


def _fact(row: Row | Unsealed, said: dict[str, Any], erased: list[str]) -> Fact:
    shape = shape_of(row.topic)
    if shape is None:
        raise FactBroken(
            "A stored fact has a name that this software doesn't know. Install the newer version."
        )
    shape.decode(said, erased)
    said["originator_id"] = _subject_of(row)
    said["originator_version"] = row.originator_version
    said["timestamp"] = row.recorded_at
    # Facts are frozen; going round __init__ is what the library does too, and four times as fast.
    fact = object.__new__(shape.fact_class)
    object.__setattr__(fact, "__dict__", said)
    return fact
