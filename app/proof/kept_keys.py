"""The key store beside the record: every subject has its own key, or the mark of one that was destroyed.

A missing row isn't an erasure; nor is a mark of which neither the record nor the list outside both databases
tells. Whether a key is the right one can be told by whoever holds the key-encryption key.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from uuid import UUID

import psycopg
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap
from psycopg import Connection

from app.forgetting.destroyed_list import DestroyedList, ListBroken
from app.record.base64url import NotBase64, from_base64url
from app.record.data_key import DataKey
from app.record.keys import Keks
from app.record.sealing import EVENT

_CHUNK: Final = 4096
_NAMED: Final = 20
"""How many keys are named of each fault: all of a store would say no more."""
_KEYS: Final = "SELECT originator_id, kid, kek_id, wrapped FROM keys.data_keys WHERE originator_id = ANY(%s)"
_DESTROYED: Final = "SELECT kid FROM keys.data_keys WHERE destroyed_at IS NOT NULL"
_THERE: Final = """
    SELECT kid FROM keys.data_keys WHERE kid = ANY(%s) AND destroyed_at IS NULL ORDER BY kid
"""
_UNMARKED: Final = """
    SELECT kid FROM unnest(%s::bytea[]) AS listed (kid)
     WHERE NOT EXISTS (SELECT FROM keys.data_keys k WHERE k.kid = listed.kid) ORDER BY kid
"""
_FIRST: Final = """
    SELECT originator_id, topic, state FROM record.events
     WHERE originator_id = ANY(%s) AND originator_version = 1
"""
_ERASING: Final = """
    SELECT count(*) FILTER (WHERE topic = 'erasure.key-destroyed'),
           count(*) FILTER (WHERE topic = 'erasure.ordered')
             > count(*) FILTER (WHERE topic = 'erasure.completed')
      FROM record.events WHERE topic IN ('erasure.key-destroyed', 'erasure.ordered', 'erasure.completed')
"""

Wrong = tuple[str, str]
"""Which check failed, and what is wrong."""


@dataclass(frozen=True)
class KeptKeys:
    """A key store, and what is known of it elsewhere.

    `url` is the store's; `destroyed` the list of destroyed keys, None where it isn't at hand; with `keks`,
    the key-encryption keys, each key is held against what its subject's first fact says of it.
    """

    url: str
    destroyed: DestroyedList | None = None
    keks: Keks | None = None

    @contextmanager
    def opened(self) -> Iterator["OpenKeys"]:
        """The store as it is now: before the record is looked at, which tells of all that is gone by now.

        Raises psycopg.Error.
        """
        with psycopg.connect(self.url, connect_timeout=10, autocommit=True) as store:
            gone = {kid for (kid,) in store.execute(_DESTROYED)}
            listed = broken = None
            if self.destroyed is not None:
                try:
                    listed = {one.kid for one in self.destroyed.read()}
                except ListBroken as error:
                    broken = str(error)
            yield OpenKeys(store, gone, listed, broken, self.keks)


@dataclass(frozen=True)
class OpenKeys:
    """A connection to the store, and which keys were gone and which listed when it was opened."""

    store: Connection[Any]
    gone: set[bytes]
    listed: set[bytes] | None
    broken: str | None
    keks: Keks | None

    def wrong(self, facts: Connection[Any], subjects: Iterable[bytes], lost: int) -> Iterator[Wrong]:
        """What doesn't fit, in sentences. `facts` is a connection to the record, `subjects` all who have
        facts in it, and `lost` how many facts may be gone that were signed. Raises psycopg.Error."""
        told, under_way = facts.execute(_ERASING).fetchone() or (0, False)
        # An erasure tells of each key as soon as it is gone, so that one at most is on its way.
        spare = 1 if under_way else 0
        if len(self.gone) > told + lost + spare:
            yield "keys", f"{len(self.gone)} keys were destroyed, and the record tells of {told}"
        if self.broken:
            yield "keys", self.broken
        if self.listed is not None:
            yield from self._compared(self.listed, spare)
        owners = iter(subjects)
        while asked := [UUID(bytes=owner) for owner in islice(owners, _CHUNK)]:
            yield from self._of(facts, asked)

    def _compared(self, listed: set[bytes], spare: int) -> Iterator[Wrong]:
        """Keys that nobody put on the list, and keys on it that aren't gone."""
        for kid in sorted(self.gone - listed)[:_NAMED]:
            yield "keys", f"the key {kid.hex()} was destroyed, and isn't on the list of destroyed keys"
        there = [kid for (kid,) in self.store.execute(_THERE, [list(listed - self.gone)])]
        for kid in there[:_NAMED] if len(there) > spare else ():
            text = f"the key {kid.hex()} is on the list of destroyed keys, and is there again"
            yield "keys", f"{text}: casebook erase --apply-list"
        for (kid,) in self.store.execute(_UNMARKED, [list(listed - self.gone)]).fetchmany(_NAMED):
            yield "keys", f"the key {kid.hex()} is on the list of destroyed keys, and left no mark"

    def _of(self, facts: Connection[Any], asked: list[UUID]) -> Iterator[Wrong]:
        """What is wrong with the keys of some subjects."""
        known = {owner: rest for owner, *rest in self.store.execute(_KEYS, [asked])}
        for missing in (one for one in asked if one not in known):
            yield "keys", f"{missing} has neither a key nor the mark of an erasure"
        if self.keks is None:
            return
        for owner, topic, state in facts.execute(_FIRST, [list(known)]):
            kid, wrapped_by, wrapped = known[owner]
            # An erased subject has none.
            if wrapped is not None:
                yield from _other(self.keks, owner, kid, wrapped_by, wrapped, topic, state)


def _other(
    keks: Keks, owner: UUID, kid: bytes, wrapped_by: str, wrapped: bytes, topic: str, state: bytes
) -> Iterator[Wrong]:
    """What is wrong with one key, if anything: it must be the one that sealed its subject's first fact."""
    kek = keks.find(wrapped_by)
    if kek is None:
        yield "keys", f"the key of {owner} is wrapped by {wrapped_by}, which isn't here"
        return
    try:
        stream = DataKey(kid, aes_key_unwrap(kek, wrapped)).stream(owner)
    except InvalidUnwrap:
        yield "keys", f"the key of {owner} was altered: it can't be unwrapped"
        return
    try:
        header = from_base64url(state.partition(b".")[0])
    except NotBase64:
        header = b""
    if not header.startswith(stream.start(stream.content_key(1), 1, topic, EVENT)):
        yield "key commitment", f"the key of {owner} isn't the one that its first fact was sealed with"
