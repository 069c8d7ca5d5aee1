"""Whose is it? What one person may see and do, beyond what their role may ever do.

Whoever may not learn that something exists gets the same answer as if it didn't.
"""

from typing import Final
from uuid import UUID

from app.access.person import Person
from app.commands import ABOUT_STAFF, LEADS, OFFICE
from domain.concern import Concern
from domain.mentee_case import MenteeCase

CASE_READERS: Final = OFFICE | {"inspector", "mentor"}
"""Roles that may ever see a case; a mentor only those of their present mentees."""
CONCERN_READERS: Final = LEADS | ABOUT_STAFF | {"inspector"}
"""Roles that may ever see a concern; which ones, its subject says."""
ROLL_READERS: Final = OFFICE
"""Roles that may look up pupils."""


def may_see_case(person: Person, mentor_id: UUID | None) -> bool:
    """Whether this person may see a case that this mentor has now."""
    if person.role == "mentor":
        return person.mentor_id is not None and person.mentor_id == mentor_id
    return person.role in CASE_READERS


def may_raise_about(person: Person, case: MenteeCase) -> bool:
    """Whether this person may break confidentiality about a case: all staff, and whoever ever mentored it."""
    if person.role == "mentor":
        return person.mentor_id is not None and person.mentor_id in case.mentors
    return True


def may_see_concern(person: Person, about: str) -> bool:
    """Whether this person may see concerns about a pupil, or about a member of staff."""
    return about in concerns_seen_by(person.role)


def concerns_seen_by(role: str) -> frozenset[str]:
    """What the concerns are about that this role sees."""
    if role in ABOUT_STAFF:
        return frozenset({"staff"})
    return frozenset({"pupil"}) if role in CONCERN_READERS else frozenset()


def about_of(concern: Concern) -> str:
    """What a concern is about; an erased one is still about a pupil until it says otherwise."""
    return concern.about if concern.about in ("pupil", "staff") else "pupil"
