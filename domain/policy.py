"""The rules that schools set for themselves, as one value. `Scheme` keeps its versions."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Policy:
    """One version of a school's scheme. Version 1 is what Casebook starts with, before another is adopted.

    Days and hours are calendar days and hours, not school days. Concerns are kept until so many years after
    birth; mentoring without a concern, and mentors' own records, until so many years after leaving school.
    """

    version: int = 1
    school_name: str = "Our school"
    sessions: int = 6
    days_between_sessions: int = 14
    caseload: int = 2
    mentor_years: tuple[int, ...] = (9, 10, 11)
    lead_title: str = "Designated Safeguarding Lead"
    lead_short_title: str = "DSL"
    acknowledge_within_hours: int = 4
    decide_within_hours: int = 24
    alert_again_after_minutes: int = 30
    quiet_after_days: int = 21
    supervision_every_days: int = 42
    closing_needs_second_person: bool = False
    emergency_words: str = "If anyone is in danger now, call 999."
    keep_concerns_until_age: int = 25
    keep_mentoring_years: int = 1
    keep_mentors_years: int = 1


DEFAULT_POLICY: Final = Policy()
