"""Which mentors could take a case: each with what speaks for them and what against."""

from typing import Any, Final, cast

from app.forms import today
from app.pages.common import lists
from app.pages.people import people
from app.wording.common import _, day, ngettext, year
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor
from domain.policy import Policy
from projections.mentors import Mentor as MentorRow
from projections.roll import Pupil as PupilRow

MOST: Final = 200
"""Mentors that are looked at: more than any school has had so far."""
GOOD_GAP: Final = range(2, 5)
"""Years between mentor and mentee at which neither is a classmate nor a stranger."""


def suggestions(case: MenteeCase, policy: Policy) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Those with a free place, best first; and those who can't be chosen."""
    rows = lists().mentors.mentors(limit=MOST)
    rows = [m for m in rows if m.standing in ("selected", "applied") and m.pupil_id != case.pupil_id]
    found = people(pupils=[case.pupil_id], mentor_ids=(m.mentor_id for m in rows))
    mentee = found.pupils.get(case.pupil_id) if case.pupil_id else None
    can: list[tuple[int, int, dict[str, Any]]] = []
    others = []
    for mentor in rows:
        name = found.mentor(mentor.mentor_id) or ""
        # A row has what the domain's rule asks for, and the sentence is the domain's.
        why_not_free = Mentor.why_not_free(cast(Mentor, mentor), policy)
        if why_not_free:
            others.append(
                {
                    "mentor_id": mentor.mentor_id,
                    "pupil_id": mentor.pupil_id,
                    "name": name,
                    "why_not": [why_not_free.rstrip(".")],
                }
            )
            continue
        pupil = found.pupils.get(mentor.pupil_id)
        why, why_not = _for(mentor, pupil, mentee, case, policy), _against(mentor, pupil, mentee, policy)
        shown = _shown(mentor, name, pupil, policy) | {"why": why, "why_not": why_not}
        can.append((len(why_not) - len(why), mentor.number, shown))
    return [shown for *_order, shown in sorted(can, key=lambda one: one[:2])], others


def _shown(mentor: MentorRow, name: str, pupil: PupilRow | None, policy: Policy) -> dict[str, Any]:
    free = policy.caseload - len(mentor.cases)
    return {
        "mentor_id": mentor.mentor_id,
        "pupil_id": mentor.pupil_id,
        "value": str(mentor.mentor_id),
        "name": name,
        "year": year(pupil.year_group) if pupil else "",
        "form": pupil.tutor_group if pupil else "",
        "free_text": ngettext("{n} free place", "{n} free places", free).format(n=free),
    }


def _for(
    mentor: MentorRow, pupil: PupilRow | None, mentee: PupilRow | None, case: MenteeCase, policy: Policy
) -> list[str]:
    why = []
    gap = _gap(pupil, mentee)
    if gap in GOOD_GAP:
        why.append(_("{n} years older").format(n=gap))
    if mentee and mentor.tutor_group == mentee.tutor_group:
        why.append(_("Goes with tutor group {group}").format(group=mentee.tutor_group))
    if not mentor.cases:
        why.append(_("Has no mentee at the moment"))
    if mentor.last_supervised_on and not _overdue(mentor, policy):
        why.append(_("Supervised {day}").format(day=day(mentor.last_supervised_on)))
    if mentor.mentor_id in case.mentors:
        why.append(_("Has met this pupil before"))
    return why


def _against(mentor: MentorRow, pupil: PupilRow | None, mentee: PupilRow | None, policy: Policy) -> list[str]:
    why_not = []
    gap = _gap(pupil, mentee)
    if gap is not None and gap <= 0:
        why_not.append(_("Not older than this pupil"))
    elif gap is not None and gap not in GOOD_GAP:
        why_not.append(ngettext("Only {n} year older", "{n} years older", gap).format(n=gap))
    if pupil and pupil.year_group not in policy.mentor_years:
        why_not.append(_("In {year}, which mentors don’t come from").format(year=year(pupil.year_group)))
    if mentor.cases:
        count = len(mentor.cases)
        why_not.append(ngettext("Already has {n} mentee", "Already has {n} mentees", count).format(n=count))
    if mentor.cases and _overdue(mentor, policy):
        last = mentor.last_supervised_on
        why_not.append(_("Last supervised {day}").format(day=day(last)) if last else _("Never supervised"))
    return why_not


def _overdue(mentor: MentorRow, policy: Policy) -> bool:
    last = mentor.last_supervised_on
    return last is None or (today() - last).days > policy.supervision_every_days


def _gap(pupil: PupilRow | None, mentee: PupilRow | None) -> int | None:
    """Year groups between them; None while one of them isn't on the roll's list."""
    return pupil.year_group - mentee.year_group if pupil and mentee else None
