"""What an evidence pack tells people: plain values, already in words, for every paper that is made of them.

Whoever makes a pack fills a `Story` (`app.documents.telling` puts facts into these words); whoever draws a
paper only reads it. The same story gives the same bytes.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

Kind = Literal["case", "concern", "pupil", "scheme"]


@dataclass(frozen=True)
class Correction:
    """What a field of an entry should have said: `old` and `new` in words, by whom and why."""

    label: str
    old: str
    new: str
    reason: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True)
class Dispute:
    """Somebody's words against an entry."""

    words: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True)
class Entry:
    """One fact. `index` is its place in the ledger (from 0), `version` its number within its subject.

    `fields` are labels and texts of what the sentence leaves out. `late`: recorded more than a day after it
    happened. `erased`: what was sealed of it can't be read any more.
    """

    index: int
    version: int
    recorded_at: datetime
    happened_on: date
    recorded_by: str
    sentence: str
    fields: tuple[tuple[str, str], ...] = ()
    corrections: tuple[Correction, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    late: bool = False
    erased: bool = False


@dataclass(frozen=True)
class Subject:
    """Whom or what a part of the pack is about, with every entry of it up to the checkpoint, oldest first."""

    kind: Kind
    id: UUID
    title: str
    entries: tuple[Entry, ...]

    @property
    def erased(self) -> bool:
        """Whether something of it was erased."""
        return any(entry.erased for entry in self.entries)


@dataclass(frozen=True)
class Look:
    """What somebody looked at, and when. `why` is empty where nobody asked for a reason.

    What passes by in lists is told once for each person: `times` in all, `at` the first and `until` the last.
    """

    at: datetime
    who: str
    role: str
    what: str
    about: str
    why: str = ""
    times: int = 1
    until: datetime | None = None


@dataclass(frozen=True)
class Known:
    """Who stands behind an id in the entries. The names of staff come from the school's list of accounts."""

    id: UUID
    name: str
    role: str


@dataclass(frozen=True)
class Story:
    """Everything that the papers of one pack say.

    `made_at` is when it was asked for, `checkpoint_at` the time that the checkpoint bears, if any; both with
    a time zone. `size` is how many facts the checkpoint covers. `with_names`: the pupils whose cases these
    are appear by name. `demo`: an invented school. `left_out` are sentences for people.
    """

    made_by: str
    for_whom: str
    why: str
    made_at: datetime
    origin: str
    size: int
    checkpoint_at: datetime | None
    school: str
    lead_title: str
    subjects: tuple[Subject, ...]
    looks: tuple[Look, ...] = ()
    people: tuple[Known, ...] = ()
    left_out: tuple[str, ...] = ()
    with_names: bool = False
    demo: bool = False
