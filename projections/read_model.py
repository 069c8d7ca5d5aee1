"""What a read model is: one reader's question, answered from a table of its own.

A row is a subject as that reader knows it: the domain's own subject, so that its rules hold here too, with
the columns that only this reader asks for. A batch of facts is folded in memory: one select for the rows that
it touches, one write for those that changed.
"""

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from operator import attrgetter
from typing import Any, Final, Generic, LiteralString, NamedTuple, TypeVar, cast, get_type_hints
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.sql import SQL, Composed, Identifier
from psycopg_pool import ConnectionPool

from domain.erasure import KeyDestroyed
from domain.fact import Fact, Subject

S = TypeVar("S", bound=Subject)
D = TypeVar("D")
_ERASURE: Final = "erasure"


class Told(NamedTuple):
    """A fact as a read model hears it, with its place in the record and when it was recorded."""

    fact: Fact
    position: int
    recorded_at: datetime


def kind_of(topic: str) -> str:
    """The kind of subject that a fact of this name is about."""
    return topic.partition(".")[0]


def by_kind(told: Iterable[Told], kinds: Iterable[str]) -> dict[str, list[Told]]:
    """Facts by the kind of subject whose models hear them. That a key is gone is heard by every model."""
    heard: dict[str, list[Told]] = {kind: [] for kind in kinds}
    for one in told:
        kind = kind_of(one.fact.TOPIC)
        if kind in heard:
            heard[kind].append(one)
        if isinstance(one.fact, KeyDestroyed):
            for other in heard.keys() - {kind}:
                heard[other].append(one)
    return heard


def is_heard(topic: str, kinds: Iterable[str]) -> bool:
    """Whether models of these kinds hear facts of that name."""
    return kind_of(topic) in kinds or topic == KeyDestroyed.TOPIC


class Changes(NamedTuple):
    """What a batch made of the rows: those to write, and the subjects whose rows must go."""

    rows: list[list[Any]]
    gone: list[UUID]


class ReadModel(Generic[S]):
    """A table with one row for each subject of a kind, kept up to date by the subject's own facts.

    `kind` is the first half of the facts' names; `subject` a domain subject whose attributes include
    `columns`, a mapping of names to SQL types, and which may have a method `resumed`, called when a row is
    taken up again. Beside them each table has the subject's id (named `key`), `number` (the position of its
    first fact: a stable order) and `version`. `unlogged` is for tables with names in clear: after a crash of
    the database they are empty and filled again. An erased subject has no row, but in a model that
    `counts_erased`, whose columns tell nothing that erasure takes away; one of them is then `erased`.
    """

    def __init__(
        self,
        *,
        name: LiteralString,
        kind: str,
        key: LiteralString,
        subject: type[S],
        columns: Mapping[LiteralString, LiteralString],
        indexes: Sequence[LiteralString] = (),
        unlogged: bool = False,
        counts_erased: bool = False,
    ) -> None:
        self.name = name
        self.kind = kind
        self.unlogged = unlogged
        self.counts_erased = counts_erased
        self._subject = subject
        own: dict[LiteralString, LiteralString] = {
            key: "uuid PRIMARY KEY",
            "number": "bigint NOT NULL UNIQUE",
            "version": "bigint NOT NULL",
        }
        self._types = own | dict(columns)
        self._columns = SQL(", ").join(map(Identifier, self._types))
        self._key = Identifier(key)
        self._indexes = indexes
        self._names = tuple(columns)
        self._get = attrgetter(*columns, "version")
        self._lists = [i for i, t in enumerate(columns.values()) if "[]" in t]

    @property
    def shape(self) -> str:
        """A digest of the table's definition: a table of another shape is made anew."""
        return sha256("".join(s.as_string() for s in self.definition(self.name)).encode()).hexdigest()[:16]

    def definition(self, table: str) -> list[Composed]:
        """The statements that make the model's table, empty, under a name."""
        columns = SQL(", ").join(SQL("{} {}").format(Identifier(n), SQL(t)) for n, t in self._types.items())
        # Rows change often and in place: room on the page keeps their indexes untouched.
        create = SQL("CREATE {} TABLE {} ({}) WITH (fillfactor = 70)").format(
            SQL("UNLOGGED" if self.unlogged else ""), Identifier("views", table), columns
        )
        place = Identifier("views", table)
        indexes = [SQL("CREATE INDEX ON {} {}").format(place, SQL(index)) for index in self._indexes]
        return [create, *(self._without_statistics(place) if self.unlogged else ()), *indexes]

    def _without_statistics(self, place: Identifier) -> list[Composed]:
        """What ANALYZE samples of a column stands in the catalogue: in clear, logged, and in every backup."""
        query = SQL("ALTER TABLE {} ALTER COLUMN {} SET STATISTICS 0")
        return [query.format(place, Identifier(name)) for name in self._names]

    def recall(self, connection: Connection[Any], table: str, told: Sequence[Told]) -> Cursor[Any]:
        """Ask for the rows that a batch is about."""
        about = {t.fact.originator_id for t in told}
        if self.counts_erased:
            about |= {t.fact.target for t in told if isinstance(t.fact, KeyDestroyed) and _is_known(t.fact)}
        return connection.execute(self._recall(table), [list(about)])

    # Put together once for each table: a batch would spend a twentieth of its time on that.
    @cache  # noqa: B019 -- models live as long as the program
    def _recall(self, table: str) -> bytes:
        query = SQL("SELECT {} FROM {} WHERE {} = ANY(%s)")
        return query.format(self._columns, Identifier("views", table), self._key).as_bytes()

    def fold(self, known: Iterable[Sequence[Any]], told: Iterable[Told]) -> Changes:
        """Tell the facts to the rows as they were."""
        numbers: dict[UUID, int] = {}
        subjects: dict[UUID, S] = {}
        for subject_id, number, version, *values in known:
            numbers[subject_id] = number
            subjects[subject_id] = self._resume(subject_id, version, values)
        gone: list[UUID] = []
        for fact, position, _ in told:
            if isinstance(fact, KeyDestroyed) and self.kind != _ERASURE:
                if _is_known(fact):
                    self._key_gone(fact.target, subjects, gone)
                continue
            subject = subjects.get(fact.originator_id)
            if subject is None:
                if fact.originator_version > 1:
                    # An erased subject has no row, and what is left of its later facts makes none.
                    continue
                subject = subjects[fact.originator_id] = self._subject.blank(fact.originator_id)
                numbers[fact.originator_id] = position
            fact.mutate(subject)
        if not self.counts_erased:
            gone += [s.id for s in subjects.values() if s.erased]
            subjects = {s.id: s for s in subjects.values() if not s.erased}
        return Changes([self._row(s, numbers[s.id]) for s in subjects.values()], gone)

    def _key_gone(self, target: UUID, subjects: dict[UUID, S], gone: list[UUID]) -> None:
        if not self.counts_erased:
            subjects.pop(target, None)
            gone.append(target)
        elif target in subjects:
            subjects[target].erased = True

    def shown(self, told: Iterable[tuple[Fact, int, datetime]], shape: type[D]) -> D | None:
        """The row that a subject's whole stream makes, as `shape`, a dataclass whose fields are columns.

        For readers who can't wait for the table. None without facts and for an erased subject.
        """
        rows = self.fold((), (Told(*one) for one in told)).rows
        if not rows:
            return None
        values = dict(zip(self._types, rows[0], strict=True))
        return shape(**{name: values[name] for name in get_type_hints(shape)})

    def write(self, connection: Connection[Any], table: str, changes: Changes) -> None:
        """Put the changed rows in their places."""
        if changes.gone:
            query = SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(Identifier("views", table), self._key)
            connection.execute(query, [changes.gone])
        if changes.rows:
            # One parameter for all rows: a statement for each would take three times as long.
            rows = [dict(zip(self._types, row, strict=True)) for row in changes.rows]
            connection.execute(self._upsert(table), [json.dumps(rows, default=str)])

    @cache  # noqa: B019 -- models live as long as the program
    def _upsert(self, table: str) -> bytes:
        typed = (SQL("{} {}").format(Identifier(n), SQL(t.split()[0])) for n, t in self._types.items())
        values = (SQL("excluded.{}").format(Identifier(n)) for n in self._types)
        return (
            SQL(
                "INSERT INTO {} ({}) SELECT {} FROM json_to_recordset(%s::json) AS rows ({})"
                " ON CONFLICT ({}) DO UPDATE SET ({}) = ROW ({})"
            )
            .format(
                Identifier("views", table),
                self._columns,
                self._columns,
                SQL(", ").join(typed),
                self._key,
                self._columns,
                SQL(", ").join(values),
            )
            .as_bytes()
        )

    def _resume(self, subject_id: UUID, version: int, values: Sequence[Any]) -> S:
        subject = self._subject.blank(subject_id)
        subject.version = version
        vars(subject).update(zip(self._names, values, strict=True))
        resumed = getattr(subject, "resumed", None)
        if resumed is not None:
            resumed()
        return subject

    def _row(self, subject: S, number: int) -> list[Any]:
        *values, version = self._get(subject)
        for i in self._lists:
            values[i] = list(values[i])
        return [subject.id, number, version, *values]

    @cache  # noqa: B019 -- models live as long as the program
    def _select(self, names: tuple[str, ...]) -> str:
        columns = SQL(", ").join([Identifier(name) for name in names])
        return SQL("SELECT {} FROM {} ").format(columns, Identifier("views", self.name)).as_string()

    def asking(
        self, pool: ConnectionPool[Any], shown: type[D]
    ) -> Callable[[LiteralString, Mapping[str, Any]], list[D]]:
        """Give a function that asks for rows as `shown`, a dataclass whose fields are columns.

        It takes what follows FROM as a constant, and the values that are named in it. It raises PoolTimeout
        and OperationalError when the database is out of reach, UndefinedTable before `prepare` was called.
        """
        select = self._select(_columns_of(cast("Hashable", shown)))

        def ask(clause: LiteralString, said: Mapping[str, Any]) -> list[D]:
            with pool.connection() as connection:
                rows = connection.execute((select + clause).encode(), said).fetchall()
            # The columns are asked for in the order of the fields.
            return [shown(*row) for row in rows]

        return ask


def uuids(ids: Iterable[UUID]) -> str:
    """Ids as a statement takes them, `%s::uuid[]`: of a list psycopg asks each for its type, which takes as
    long as the whole question.
    """
    return f"{{{','.join(map(str, ids))}}}"


def _is_known(fact: KeyDestroyed) -> bool:
    """Whether it can still be read whose key it was."""
    return isinstance(fact.target, UUID)


@cache
def _columns_of(shown: Hashable) -> tuple[str, ...]:
    return tuple(get_type_hints(shown))


def absorb(connection: Connection[Any], batch: Sequence[tuple[ReadModel[Any], str, Sequence[Told]]]) -> None:
    """Bring models up to date by a batch each: (model, table, facts). Runs in the caller's transaction.

    All the rows are asked for before the first is awaited, so that a pipeline makes one round trip of it.
    """
    asked = [(m, table, told, m.recall(connection, table, told)) for m, table, told in batch if told]
    folded = [(m, table, m.fold(cursor.fetchall(), told)) for m, table, told, cursor in asked]
    for model, table, changes in folded:
        model.write(connection, table, changes)
