"""Which cases are open, where does each stand, and what is next?"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg_pool import ConnectionPool

from domain.mentee_case import MenteeCase, State
from domain.mentee_case_facts import (
    Closed,
    Declined,
    Extended,
    LetterSent,
    Matched,
    MatchEnded,
    Referred,
    Reopened,
    SessionArranged,
    SessionHeld,
    SessionMissed,
)
from projections.read_model import ReadModel, uuids


@dataclass(frozen=True)
class Case:
    """One case as lists show it. `number` grows with each new case; days are as told, `next_at` an instant.

    `referrer` is the account that recorded the mentoring referral, `policy_version` the rules it was opened
    under, `waiting_since` the day since which it waits for a mentor, `closed_on` also the day of a decline.
    """

    case_id: UUID
    number: int
    version: int
    pupil_id: UUID | None
    state: State
    on_hold: bool
    mentor_id: UUID | None
    referrer: UUID
    policy_version: int
    sessions_held: int
    sessions_planned: int
    more_asked_for: bool
    referred_on: date
    waiting_since: date | None
    matched_on: date | None
    last_met_on: date | None
    last_missed_on: date | None
    last_letter_on: date | None
    next_at: datetime | None
    review_since: date | None
    closed_on: date | None

    @property
    def unidentified(self) -> bool:
        """Whether the referrer named the pupil in words that nobody has matched with the roll yet."""
        return self.pupil_id is None


class _Case(MenteeCase):
    def begin(self) -> None:
        super().begin()
        self.policy_version = 0
        self.waiting_since: date | None = None
        self.last_met_on: date | None = None
        self.last_missed_on: date | None = None
        self.last_letter_on: date | None = None
        self.next_at: datetime | None = None
        self.review_since: date | None = None
        self.closed_on: date | None = None

    def resumed(self) -> None:
        self.last_held_on = self.last_met_on

    def on_referred(self, fact: Referred) -> None:
        super().on_referred(fact)
        self.policy_version = fact.policy_version
        self.waiting_since = fact.happened_on

    def on_declined(self, fact: Declined) -> None:
        super().on_declined(fact)
        self._end(fact.happened_on)

    def on_matched(self, fact: Matched) -> None:
        super().on_matched(fact)
        self.waiting_since = None

    def on_letter_sent(self, fact: LetterSent) -> None:
        self.last_letter_on = max(fact.sent_on, self.last_letter_on or fact.sent_on)

    def on_session_arranged(self, fact: SessionArranged) -> None:
        super().on_session_arranged(fact)
        self.next_at = fact.at

    def on_session_held(self, fact: SessionHeld) -> None:
        super().on_session_held(fact)
        self.last_met_on = self.last_held_on
        self.next_at = None
        if self.state == "at_review":
            self.review_since = self.last_held_on

    def on_session_missed(self, fact: SessionMissed) -> None:
        super().on_session_missed(fact)
        self.last_missed_on = max(fact.due_on, self.last_missed_on or fact.due_on)
        self.next_at = None

    def on_extended(self, fact: Extended) -> None:
        super().on_extended(fact)
        self.review_since = None

    def on_match_ended(self, fact: MatchEnded) -> None:
        super().on_match_ended(fact)
        self._wait_since(fact.happened_on)

    def on_closed(self, fact: Closed) -> None:
        super().on_closed(fact)
        self._end(fact.happened_on)

    def on_reopened(self, fact: Reopened) -> None:
        super().on_reopened(fact)
        self._wait_since(fact.happened_on)

    def _wait_since(self, on: date) -> None:
        self.waiting_since = on
        self.next_at = self.review_since = self.closed_on = None

    def _end(self, on: date) -> None:
        self.closed_on = on
        self.next_at = self.review_since = self.waiting_since = None


CASELOAD: Final = ReadModel(
    name="caseload",
    kind="mentee-case",
    key="case_id",
    subject=_Case,
    columns={
        "pupil_id": "uuid",
        "state": "text NOT NULL",
        "on_hold": "boolean NOT NULL",
        "mentor_id": "uuid",
        "referrer": "uuid NOT NULL",
        "policy_version": "integer NOT NULL",
        "sessions_held": "integer NOT NULL",
        "sessions_planned": "integer NOT NULL",
        "more_asked_for": "boolean NOT NULL",
        "referred_on": "date NOT NULL",
        "waiting_since": "date",
        "matched_on": "date",
        "last_met_on": "date",
        "last_missed_on": "date",
        "last_letter_on": "date",
        "next_at": "timestamptz",
        "review_since": "date",
        "closed_on": "date",
    },
    indexes=("(state, number)", "(mentor_id, number)", "(pupil_id, number)"),
)

PAGE: Final = 50


class Caseload:
    """The questions, each answered from the list as it is now."""

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._ask = CASELOAD.asking(pool, Case)

    def cases(
        self,
        *,
        state: State | None = None,
        mentor_id: UUID | None = None,
        open_only: bool = False,
        after: int = 0,
        limit: int = PAGE,
    ) -> list[Case]:
        """Cases, oldest first; the next page comes after the last one's `number`."""
        clause = f"WHERE number > %(after)s AND {_WANTED} ORDER BY number LIMIT %(limit)s"
        wanted = {"state": state, "mentor": mentor_id, "open": open_only}
        return self._ask(clause, {**wanted, "after": after, "limit": limit})

    def newest(
        self,
        *,
        state: State | None = None,
        open_only: bool = False,
        before: int | None = None,
        limit: int = PAGE,
    ) -> list[Case]:
        """The same, newest first; the next page comes before the last one's `number`."""
        clause = (
            f"WHERE (%(before)s::bigint IS NULL OR number < %(before)s) AND {_WANTED}"
            " ORDER BY number DESC LIMIT %(limit)s"
        )
        wanted = {"state": state, "mentor": None, "open": open_only}
        return self._ask(clause, {**wanted, "before": before, "limit": limit})

    def waiting(self, after: tuple[date, int] | None = None, limit: int = PAGE) -> list[Case]:
        """Cases that wait for a mentor, longest first. `after`: the last one's `(waiting_since, number)`."""
        clause = (
            "WHERE state = 'referred' AND (waiting_since, number) > (%(day)s, %(number)s)"
            " ORDER BY waiting_since, number LIMIT %(limit)s"
        )
        return self._ask(clause, _since(after, limit))

    def at_review(self, after: tuple[date, int] | None = None, limit: int = PAGE) -> list[Case]:
        """Cases to close or extend, longest due first. `after`: the last one's `(review_since, number)`."""
        clause = (
            "WHERE state = 'at_review' AND (review_since, number) > (%(day)s, %(number)s)"
            " ORDER BY review_since, number LIMIT %(limit)s"
        )
        return self._ask(clause, _since(after, limit))

    def quiet(self, before: date, after: int = 0, limit: int = PAGE) -> list[Case]:
        """Matched cases without a meeting, and without a new match, since `before`; paged by `number`."""
        clause = (
            "WHERE state = 'matched' AND greatest(last_met_on, matched_on) < %(before)s"
            " AND number > %(after)s ORDER BY number LIMIT %(limit)s"
        )
        return self._ask(clause, {"before": before, "after": after, "limit": limit})

    def without_letter(self, before: date, after: int = 0, limit: int = PAGE) -> list[Case]:
        """Cases that were matched before a day, and about which no letter went home; paged by `number`."""
        clause = (
            "WHERE state IN ('matched', 'at_review') AND last_letter_on IS NULL AND matched_on < %(before)s"
            " AND number > %(after)s ORDER BY number LIMIT %(limit)s"
        )
        return self._ask(clause, {"before": before, "after": after, "limit": limit})

    def of_mentor(self, mentor_id: UUID) -> list[Case]:
        """The cases that a mentor has now, the one with the next meeting first."""
        clause = "WHERE mentor_id = %(mentor)s ORDER BY next_at, number"
        return self._ask(clause, {"mentor": mentor_id})

    def of_pupil(self, pupil_id: UUID) -> list[Case]:
        """Every case of a pupil, closed ones too, oldest first."""
        return self._ask("WHERE pupil_id = %(pupil)s ORDER BY number", {"pupil": pupil_id})

    def by_ids(self, ids: Iterable[UUID]) -> dict[UUID, Case]:
        """Cases by their ids; an id that isn't a case is left out."""
        found = self._ask("WHERE case_id = ANY(%(ids)s::uuid[])", {"ids": uuids(ids)})
        return {case.case_id: case for case in found}


_WANTED: Final = (
    "(%(state)s::text IS NULL OR state = %(state)s) AND (%(mentor)s::uuid IS NULL OR mentor_id = %(mentor)s)"
    " AND (NOT %(open)s OR state NOT IN ('closed', 'declined'))"
)


def _since(after: tuple[date, int] | None, limit: int) -> dict[str, Any]:
    day, number = after or (date.min, 0)
    return {"day": day, "number": number, "limit": limit}
