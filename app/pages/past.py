"""A case's history, or a child's whole story, also as it stood on an earlier day."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from app.access.policy import allow, person
from app.access.relation import may_see_concern
from app.casework import Told
from app.commands import LEADS
from app.history import Entry, by_day, entries
from app.pages.cases import SeenCase
from app.pages.common import lists, looked, page, stream
from app.pages.people import people
from app.pages.reading_forms import boxes_in, day_in, time_in
from app.wording.common import ERASED_TEXT, LONDON, _, moment, ngettext
from domain.concern import Concern
from domain.mentee_case import MenteeCase
from domain.pupil import Pupil

bp = Blueprint("past", __name__)
READERS: Final = tuple(sorted(LEADS | {"inspector"}))


@bp.get("/cases/<uuid:subject_id>/history")
@allow(*READERS)
def of_case(subject_id: UUID) -> ResponseReturnValue:
    """One case."""
    seen = SeenCase(subject_id)
    as_at, errors = _as_at()
    found = entries(seen.told, person(), seen.people.names, as_at)
    looked(
        [subject_id, seen.case.pupil_id if isinstance(seen.case.pupil_id, UUID) else None],
        "history",
        seen.told,
    )
    back = {"text": _("Back to the case"), "href": f"/cases/{subject_id}"}
    about = (
        [seen.about[0], {"label": _("Case"), "state": _state_at(seen, as_at)}] if found else seen.about[:1]
    )
    return _page(_("History: {who}").format(who=seen.pupil["name"]), about, found, as_at, errors, back)


def _state_at(seen: SeenCase, as_at: datetime | None) -> str:
    """Where the case stood then: what was recorded later isn't told."""
    case = MenteeCase.blank(seen.case.id)
    for told in seen.told:
        if as_at is None or told.recorded_at <= as_at:
            told.fact.mutate(case)
    return case.state


@bp.get("/pupils/<uuid:subject_id>/history")
@allow(*sorted(LEADS))
def of_child(subject_id: UUID) -> ResponseReturnValue:
    """A child's whole story: the roll, every case and every concern, in one timeline."""
    subject, told = stream(Pupil, subject_id)
    asked = lists()
    streams: list[Sequence[Told]] = [told]
    streams += [stream(MenteeCase, case.case_id)[1] for case in asked.caseload.of_pupil(subject_id)]
    streams += [
        stream(Concern, concern.concern_id)[1]
        for concern in asked.concerns.of_pupil(subject_id)
        if may_see_concern(person(), concern.about)
    ]
    found_people = people((t.fact for one in streams for t in one), pupils=[subject_id])
    as_at, errors = _as_at()
    found = [entry for one in streams for entry in entries(one, person(), found_people.names, as_at)]
    ids = [one[0].fact.originator_id for one in streams]
    looked(ids, "history", [t for one in streams for t in one])
    pupil = found_people.pupil(subject_id)
    if subject.erased:
        pupil = {"name": ERASED_TEXT, "year": ERASED_TEXT, "form": ""}
    year_and_form = ", ".join(filter(None, (pupil["year"], pupil["form"])))
    about = [{"label": _("Year and form"), "text": year_and_form}]
    back = {"text": _("Back to the pupil"), "href": f"/pupils/{subject_id}"}
    return _page(_("History: {who}").format(who=pupil["name"]), about, found, as_at, errors, back)


def _as_at() -> tuple[datetime | None, dict[str, str]]:
    """The moment that is asked for: the end of that day when no time is given."""
    typed = boxes_in(request.args, "as_at")
    if not any(typed.values()):
        return None, {}
    on = day_in(typed)
    at = time_in(typed["time"]) if typed["time"] else time.max
    if on is None or at is None:
        return None, {"as_at": _("Give a real date, such as 14 9 2026.")}
    return datetime.combine(on, at, LONDON).astimezone(UTC), {}


def _page(
    title: str,
    about: Sequence[dict[str, Any]],
    found: list[Entry],
    as_at: datetime | None,
    errors: dict[str, str],
    back: dict[str, str],
) -> ResponseReturnValue:
    count = len(found)
    days = by_day(found, datetime.now(UTC))
    for one in (fact for group in days for fact in group["facts"]):
        # Numbers of entries repeat where several subjects' histories stand together.
        one["id"] = None
    return page(
        "safeguarding/history.html",
        title=title,
        status=422 if errors else 200,
        back=back,
        about=about,
        errors=errors,
        as_at={"text": moment(as_at), "now_href": request.path} if as_at else None,
        as_at_form={
            "action": request.path,
            "field": {
                "name": "as_at",
                "kind": "datetime",
                "label": _("What had been recorded by"),
                "hint": _("For example, 3 3 2026. Without a time, the end of that day."),
                "value": boxes_in(request.args, "as_at"),
                "required": None,
            },
        },
        count_text=ngettext("{n} entry", "{n} entries", count).format(n=count),
        days=days,
    )
