"""The school's own rules: what is in force, and adopting others."""

from datetime import UTC, datetime

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from app.access.policy import allow, house, person
from app.commands import BY_KEY
from app.history import by_day, entries
from app.pages.common import page, recorded
from app.pages.doing import changes
from app.pages.giving import Asking
from app.pages.links import recorded_at
from app.pages.people import people
from app.wording import questions
from app.wording.common import _
from app.wording.facts import label, value_text
from domain.policy import DEFAULT_POLICY, Policy
from domain.scheme import SCHEME_ID, Scheme

bp = Blueprint("scheme", __name__)


@bp.get("/scheme")
@allow("coordinator", "head", "data_officer")
def scheme() -> ResponseReturnValue:
    """The rules in force, and when they changed."""
    told = house().casework.stream(Scheme, SCHEME_ID)
    policy = _in_force()
    found = people(t.fact for t in told)
    seen = entries(told, person(), found.names)
    return page(
        "coordinator/scheme.html",
        title=_("The scheme’s rules"),
        version_text=_(
            "These are the rules in force: version {n}. Version 1 is what Casebook starts with."
        ).format(n=policy.version)
        if policy.version > 1
        else _("These are the rules that Casebook starts with: version 1."),
        action={"text": questions.command("scheme/adopt").title, "href": "/scheme/adopt", "primary": True}
        if person().role in BY_KEY["scheme/adopt"].roles
        else None,
        rules=[
            {"label": label(q.name), "text": value_text(getattr(policy, q.name), found.names, q.name)}
            for q in questions.command("scheme/adopt").questions
        ],
        days=by_day(seen, datetime.now(UTC)),
        recorded=recorded("scheme", told, found.names),
    )


def _in_force() -> Policy:
    """The rules as the record has them now, not as they were two seconds ago."""
    found = house().casework.load(Scheme, SCHEME_ID)
    return found.policy if found else DEFAULT_POLICY


@bp.route("/scheme/adopt", methods=["GET", "POST"])
@allow("coordinator", "head")
def adopt() -> ResponseReturnValue:
    """Adopt all rules at once, beginning with those in force."""
    policy = _in_force()
    words = questions.command("scheme/adopt")
    typed = {q.name: getattr(policy, q.name) for q in words.questions}
    typed["mentor_years"] = [str(year) for year in policy.mentor_years]
    asking = Asking(BY_KEY["scheme/adopt"], SCHEME_ID, policy.version - 1, typed=typed)
    if request.method == "POST":
        done = asking.post(request.form, changes(Scheme, SCHEME_ID))
        if done is not None:
            return redirect(recorded_at("scheme", SCHEME_ID, done.subject.version, done.position), 303)
    return page(
        "command_form.html",
        title=words.title,
        status=asking.status,
        intro=words.next,
        button=words.button,
        cancel_href="/scheme",
        **asking.form,
    )
