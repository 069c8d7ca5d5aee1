"""What every page needs: its frame, the note that somebody looked, the lists, and the subject it is about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from flask import Response, g, make_response, render_template, request
from werkzeug.exceptions import NotFound

from app.access import reads
from app.access.policy import API, house, person, person_or_none
from app.casework import Told
from app.commands import BY_KEY, Doing
from app.errors import UNREACHABLE
from app.pages.links import nav
from app.wording import questions
from app.wording.common import _, moment, titles
from app.wording.names import Names
from domain.fact import Fact, Subject
from domain.policy import DEFAULT_POLICY
from projections.caseload import Caseload
from projections.concerns import Concerns
from projections.mentors import Mentors
from projections.positions import wait_for
from projections.roll import Roll
from projections.staff import Staff

JUST_NOW: Final = timedelta(minutes=15)
PAGE: Final = 20
"""Rows of a list: on a phone, where a row is as high as six lines, still to be scrolled through."""
S = TypeVar("S", bound=Subject)


def page(template: str, *, title: str, status: int = 200, **context: Any) -> Response:
    """A page in its frame."""
    return make_response(render_template(template, title=title, **context), status)


def frame() -> dict[str, Any]:
    """What stands around every page: the school, who is signed in, and their menu."""
    who = person_or_none()
    if who is None:
        return {}
    try:
        policy = house().casework.policy()
    except UNREACHABLE:
        policy = DEFAULT_POLICY
    return {
        "school_name": policy.school_name,
        "account": {"name": who.name, "role_text": titles(policy)[who.role]},
        "nav": nav(who.role, request.path),
        "csrf": who.csrf,
        "behind": g.get("behind", False),
    }


@dataclass(frozen=True)
class Lists:
    """The lists of this process, to be asked."""

    caseload: Caseload
    concerns: Concerns
    mentors: Mentors
    roll: Roll
    staff: Staff


def lists() -> Lists:
    """The lists as they are now."""
    pool = house().pool
    return Lists(Caseload(pool), Concerns(pool), Mentors(pool), Roll(pool), Staff(pool))


def looked(subjects: Iterable[UUID | None], field_class: str, told: Sequence[Told] = ()) -> None:
    """Note that this reader sees these subjects. Without the note nothing is shown."""
    rule = request.url_rule.rule if request.url_rule else ""
    reads.log(house(), person(), rule, subjects, field_class, max((t.position for t in told), default=None))


def stream(kind: type[S], subject_id: UUID) -> tuple[S, list[Told]]:
    """A subject with its facts, from the record itself. Nothing there: 404."""
    told = house().casework.stream(kind, subject_id)
    if not told:
        raise NotFound
    subject = kind.blank(subject_id)
    for one in told:
        one.fact.mutate(subject)
    return subject, told


def wait_for_lists() -> None:
    """Before a page that follows a command: let the lists show it too, for the next click."""
    after = request.args.get("after", "")
    ours = request.method == "GET" and not request.path.startswith(API)
    if ours and after.isdecimal() and person_or_none() is not None:
        g.behind = not wait_for(house().pool, int(after[:18]))


def cursor() -> int:
    """Where a list goes on: the number of the last row on the page before; 0 at its beginning."""
    asked = request.args.get("cursor", "")
    return int(asked[:18]) if asked.isdecimal() else 0


def recorded(thing: str, told: Sequence[Told], names: Names) -> dict[str, str] | None:
    """The green panel: what this reader has just recorded, named by `?recorded=` in the address."""
    asked = request.args.get("recorded", "")
    if not asked.isdecimal():
        return None
    found = next((t for t in told if t.fact.originator_version == int(asked[:9])), None)
    if found is None or found.fact.recorded_by != person().account:
        return None
    if datetime.now(UTC) - found.recorded_at > JUST_NOW:
        return None
    doing = doing_of(thing, found.fact)
    if doing is None:
        return None
    words = questions.command(doing.key)
    by = f"{names.person(found.fact.recorded_by)}, {names.title(person().role)}"
    return {"what": words.done, "by": by, "at": moment(found.recorded_at), "next": words.next}


def doing_of(thing: str, fact: Fact) -> Doing | None:
    """The command that records a fact of this kind."""
    return next((d for d in BY_KEY.values() if d.thing == thing and d.fact is type(fact)), None)


def sign_in_fields(user_name: str = "") -> list[dict[str, Any]]:
    """The two questions of a sign-in."""
    return [
        {
            "name": "user_name",
            "kind": "text",
            "label": _("User name"),
            "value": user_name,
            "autocomplete": "username",
            "width": "20",
        },
        {
            "name": "password",
            "kind": "password",
            "label": _("Password"),
            "value": "",
            "autocomplete": "current-password",
            "width": "20",
        },
    ]
