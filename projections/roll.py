"""The school's pupils, by name. Names in clear: the table is unlogged, so that no backup holds it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from unicodedata import combining, normalize
from uuid import UUID

from psycopg_pool import ConnectionPool

from domain.pupil import YEAR_GROUPS, Corrected, Enrolled, MovedUp
from domain.pupil import Pupil as Subject
from projections.read_model import ReadModel, uuids


@dataclass(frozen=True)
class Pupil:
    """One pupil as the roll has them now, corrections included."""

    pupil_id: UUID
    number: int
    version: int
    given_name: str
    family_name: str
    known_as: str | None
    born_on: date
    year_group: int
    tutor_group: str
    upn: str | None
    left: bool

    @property
    def name(self) -> str:
        """The name to show: as the pupil is known, and the family name."""
        return _shown(self.given_name, self.family_name, self.known_as)


def _shown(given_name: str, family_name: str, known_as: str | None) -> str:
    return f"{known_as or given_name} {family_name}"


# Letters that Unicode doesn't take apart into a plain letter and a mark.
_PLAIN: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t"}
)


def folded(text: str) -> list[str]:
    """The words of a name in plain small letters: no accents, apostrophes or hyphens."""
    flat = "".join(c for c in normalize("NFKD", text.casefold()) if not combining(c)).translate(_PLAIN)
    return ["".join(filter(str.isalnum, word)) for word in flat.split()]


def _plain(text: str) -> str:
    return " ".join(filter(None, folded(text)))


def _sorted_as(given_name: str, family_name: str) -> str:
    """By what the roll is sorted: no longer than an index can hold, whatever somebody once recorded."""
    return f"{_plain(family_name)} {_plain(given_name)}"[:_LONGEST_SORTED]


_LONGEST_SORTED: Final = 500
_HYPHENS: Final = dict.fromkeys(map(ord, "-‐‑–"), " ")


def _searchable(*names: str | None) -> str:
    """Every word that a search may ask for, each after a space.

    O'Neill is found by oneill and by neill, Łukasz-O'Hara by the whole, by each half and by hara.
    """
    words: dict[str, None] = {}
    for name in filter(None, names):
        apart = "".join(c if c.isalnum() or combining(c) else " " for c in name)
        words |= dict.fromkeys(folded(name) + folded(name.translate(_HYPHENS)) + folded(apart))
    return "".join(f" {word}" for word in words if word)


class _Pupil(Subject):
    def begin(self) -> None:
        super().begin()
        self.given_name = ""
        self.family_name = ""
        self.known_as: str | None = None
        self.upn: str | None = None
        self.placed_by = 1

    @property
    def sorted_as(self) -> str:
        return _sorted_as(self.given_name, self.family_name)

    @property
    def search(self) -> str:
        return _searchable(self.given_name, self.known_as, self.family_name)

    def on_enrolled(self, fact: Enrolled) -> None:
        super().on_enrolled(fact)
        self.given_name, self.family_name = fact.given_name, fact.family_name
        self.known_as, self.upn = fact.known_as, fact.upn

    def on_moved_up(self, fact: MovedUp) -> None:
        super().on_moved_up(fact)
        self.placed_by = fact.originator_version

    def on_corrected(self, fact: Corrected) -> None:
        if self.erased:
            return
        value = fact.value.strip()
        if fact.version == 1:
            self._correct_identity(fact.field, value)
        if fact.version == self.placed_by:
            self._correct_place(fact.field, value)

    def _correct_identity(self, name: str, value: str) -> None:
        if name in ("known_as", "upn"):
            setattr(self, name, value or None)
        elif name in ("given_name", "family_name") and value:
            setattr(self, name, value)
        elif name == "born_on":
            self.born_on = day_typed(value) or self.born_on

    def _correct_place(self, name: str, value: str) -> None:
        # A year that was corrected before the pupil moved up says nothing about the year now.
        if name == "tutor_group" and value:
            self.tutor_group = value
        elif name == "year_group":
            year = value.lower().removeprefix("year").strip()
            if year.isdecimal() and int(year) in YEAR_GROUPS:
                self.year_group = int(year)


def day_typed(value: str) -> date | None:
    """A day as a person may type it; None when it can't be told."""
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d %B %Y", "%d %b %Y"):
        try:
            return datetime.strptime(value, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


ROLL: Final = ReadModel(
    name="roll",
    kind="pupil",
    key="pupil_id",
    subject=_Pupil,
    columns={
        "given_name": "text NOT NULL",
        "family_name": "text NOT NULL",
        "known_as": "text",
        "born_on": "date NOT NULL",
        "year_group": "integer NOT NULL",
        "tutor_group": "text NOT NULL",
        "upn": "text",
        "left": "boolean NOT NULL",
        "placed_by": "bigint NOT NULL",
        "sorted_as": 'text COLLATE "C" NOT NULL',
        "search": "text NOT NULL",
    },
    # A hash of any length: commands once took a number of thousands of letters.
    indexes=("(sorted_as, number)", "(born_on)", "USING hash (upn)"),
    unlogged=True,
)

PAGE: Final = 50
# In one statement, so that the names are as they were at that position.
_NAMES: Final = (
    "SELECT pupil_id, given_name, family_name, known_as,"
    " coalesce((SELECT position FROM views.unlogged_positions WHERE name = 'roll'), 0)"
    " FROM views.roll WHERE pupil_id = ANY(%s::uuid[])"
)


class Roll:
    """The questions, each answered from the list as it is now."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool
        self._ask = ROLL.asking(pool, Pupil)

    def search(
        self, q: str, *, left: bool = False, after: UUID | None = None, limit: int = PAGE
    ) -> list[Pupil]:
        """Pupils whose names have words that begin with the words of `q`, accents and case aside, by name.

        Those who left only with `left`. The next page comes after the last one's id; without a letter or
        figure in `q` nobody is found.
        """
        words = [f" {word}" for word in folded(q) if word]
        if not words:
            return []
        # A school's roll is small: reading all of it costs less than an index of every word.
        clause = (
            'WHERE (%(left)s OR NOT "left")'
            " AND (SELECT bool_and(strpos(search, w) > 0) FROM unnest(%(words)s::text[]) w)"
            " AND (%(after)s::uuid IS NULL OR (sorted_as, number) >"
            " (SELECT sorted_as, number FROM views.roll WHERE pupil_id = %(after)s))"
            " ORDER BY sorted_as, number LIMIT %(limit)s"
        )
        return self._ask(clause, {"words": words, "left": left, "after": after, "limit": limit})

    def pupils(self, *, left: bool = False, after: UUID | None = None, limit: int = PAGE) -> list[Pupil]:
        """The roll by family name, given name; the next page comes after the last one's id."""
        clause = (
            'WHERE (%(left)s OR NOT "left") AND (%(after)s::uuid IS NULL OR (sorted_as, number) >'
            " (SELECT sorted_as, number FROM views.roll WHERE pupil_id = %(after)s))"
            " ORDER BY sorted_as, number LIMIT %(limit)s"
        )
        return self._ask(clause, {"left": left, "after": after, "limit": limit})

    def by_ids(self, ids: Iterable[UUID]) -> dict[UUID, Pupil]:
        """Pupils by their ids; an id that isn't on the roll is left out."""
        found = self._ask("WHERE pupil_id = ANY(%(ids)s::uuid[])", {"ids": uuids(ids)})
        return {pupil.pupil_id: pupil for pupil in found}

    def names(self, ids: Iterable[UUID]) -> tuple[dict[UUID, str], int]:
        """Pupils' names as they are shown, and the position of the newest fact that the roll had heard of.

        Until the record has a newer one, these are their names. An id that isn't on the roll is left out.
        """
        with self._pool.connection() as connection:
            rows = connection.execute(_NAMES, [uuids(ids)], prepare=True).fetchall()
        names = {pupil_id: _shown(*parts) for pupil_id, *parts, _ in rows}
        return names, rows[0][-1] if rows else 0

    def with_upns(self, upns: Iterable[str]) -> dict[str, Pupil]:
        """Pupils by their unique pupil numbers, those who left too; the newest entry counts."""
        clause = "WHERE upn = ANY(%(upns)s) ORDER BY number"
        found = self._ask(clause, {"upns": list(upns)})
        return {pupil.upn: pupil for pupil in found if pupil.upn is not None}

    def without_upn(self) -> list[Pupil]:
        """Every pupil without a unique pupil number, those who left too, oldest entry first."""
        return self._ask("WHERE upn IS NULL ORDER BY number", {})

    def possible_duplicates(self, given_name: str, family_name: str, born_on: date) -> list[Pupil]:
        """Pupils who may be this one: the same full name; or the same birth date and one name in common."""
        full = _sorted_as(given_name, family_name)
        found = self._ask(
            "WHERE sorted_as = %(full)s OR born_on = %(born)s ORDER BY sorted_as, number",
            {"full": full, "born": born_on},
        )
        given, family = _plain(given_name), _plain(family_name)
        return [
            p
            for p in found
            if _sorted_as(p.given_name, p.family_name) == full
            or _plain(p.family_name) == family
            or given in (_plain(p.given_name), _plain(p.known_as or ""))
        ]
