"""The school's own rules, by version. Policy number n is the one that the (n − 1)th adoption made.

Number 1 is what Casebook starts with. A case remembers the number that it was opened under.
The names of the facts and of their fields are a storage format and never change.
"""

from dataclasses import fields
from typing import Any, Final
from uuid import UUID

from domain.fact import By, CorrectedFact, DisputedFact, Fact, Kept, Subject, pinned, records
from domain.policy import DEFAULT_POLICY, Policy

SCHEME_ID: Final = UUID("5c4e3e00-0000-4000-8000-000000000001")
"""The one scheme of a school: a fixed id, since there is nothing personal about it."""


class Adopted(Fact):
    """The school adopted these rules, all of them at once. What isn't said keeps Casebook's default."""

    school_name: str
    sessions: Kept[int] = DEFAULT_POLICY.sessions
    days_between_sessions: Kept[int] = DEFAULT_POLICY.days_between_sessions
    caseload: Kept[int] = DEFAULT_POLICY.caseload
    mentor_years: tuple[int, ...] = DEFAULT_POLICY.mentor_years
    lead_title: str = DEFAULT_POLICY.lead_title
    lead_short_title: str = DEFAULT_POLICY.lead_short_title
    acknowledge_within_hours: Kept[int] = DEFAULT_POLICY.acknowledge_within_hours
    decide_within_hours: Kept[int] = DEFAULT_POLICY.decide_within_hours
    alert_again_after_minutes: Kept[int] = DEFAULT_POLICY.alert_again_after_minutes
    quiet_after_days: Kept[int] = DEFAULT_POLICY.quiet_after_days
    supervision_every_days: Kept[int] = DEFAULT_POLICY.supervision_every_days
    closing_needs_second_person: bool = DEFAULT_POLICY.closing_needs_second_person
    emergency_words: str = DEFAULT_POLICY.emergency_words
    keep_concerns_until_age: Kept[int] = DEFAULT_POLICY.keep_concerns_until_age
    keep_mentoring_years: Kept[int] = DEFAULT_POLICY.keep_mentoring_years
    keep_mentors_years: Kept[int] = DEFAULT_POLICY.keep_mentors_years
    TOPIC = "scheme.adopted"


class Corrected(CorrectedFact):
    """An entry was wrong."""

    TOPIC = "scheme.corrected"


class Disputed(DisputedFact):
    """Somebody disputes an entry."""

    TOPIC = "scheme.disputed"


pinned(Adopted, Corrected, Disputed)

_RULES: Final = tuple(f.name for f in fields(Policy) if f.name != "version")
_AT_LEAST_ONE: Final = (
    *("sessions", "caseload", "days_between_sessions", "alert_again_after_minutes"),
    *("keep_concerns_until_age", "keep_mentoring_years", "keep_mentors_years"),
)


class Scheme(Subject):
    """The scheme and the rules in force."""

    corrected = Corrected
    disputed = Disputed

    def begin(self) -> None:
        """Start with Casebook's own rules."""
        super().begin()
        self.policy = DEFAULT_POLICY

    @records(Adopted)
    def adopt(self, by: By, **said: Any) -> None:
        """Adopt a whole policy."""
        for name in _AT_LEAST_ONE:
            if said.get(name, 1) < 1:
                self.refuse(f"“{name.replace('_', ' ')}” must be at least 1.")
        self.record(Adopted, by, **said)

    def on_adopted(self, fact: Adopted) -> None:
        said = vars(fact)
        self.policy = Policy(version=fact.originator_version + 1, **{name: said[name] for name in _RULES})
