"""Signing in and out, each reader's first page, and the concerns that somebody raised."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, make_response, redirect, request
from flask.typing import ResponseReturnValue

from app.access.policy import allow, allow_anyone, house, person, source
from app.access.sessions import COOKIE, give_cookie, take_cookie
from app.commands import EVERYBODY
from app.pages import case_list, forgetting, mentor, office, referral, safeguarding, today
from app.pages.common import lists, looked, page, sign_in_fields
from app.pages.mentor import raised_rows
from app.wording.common import _

bp = Blueprint("account", __name__)
EVERY_ROLE: Final = tuple(sorted(EVERYBODY))


@bp.get("/")
@allow(*EVERY_ROLE)
def home() -> ResponseReturnValue:
    """The page that answers the question which this reader came with."""
    return FIRST_PAGES[person().role]()


@bp.get("/me/concerns")
@allow(*EVERY_ROLE)
def mine() -> ResponseReturnValue:
    """The concerns that this reader raised: their state and nothing else."""
    raised = lists().concerns.raised_by(person().account, limit=200)
    looked((one.concern_id for one in raised), "state")
    return page(
        "account/concerns.html",
        title=_("Concerns that I raised"),
        concerns=raised_rows(raised),
        worried_href="/worried",
    )


FIRST_PAGES: Final[dict[str, Callable[[], ResponseReturnValue]]] = {
    "coordinator": today.first_page,
    "dsl": safeguarding.first_page,
    "deputy_dsl": safeguarding.first_page,
    "head": safeguarding.first_page,
    "chair": safeguarding.first_page,
    "mentor": mentor.first_page,
    "referrer": referral.first_page,
    "inspector": case_list.case_list,
    "admin": office.first_page,
    "data_officer": forgetting.due,
}


@bp.get("/sign-in")
@allow_anyone
def ask() -> ResponseReturnValue:
    """User name and password."""
    return _sign_in_page()


def _sign_in_page(errors: dict[str, str] | None = None, user_name: str = "") -> ResponseReturnValue:
    return page(
        "account/sign_in.html",
        title=_("Sign in"),
        status=422 if errors else 200,
        action=request.full_path.rstrip("?"),
        errors=errors or {},
        fields=sign_in_fields(user_name),
        worried_first=_next().startswith("/worried"),
    )


@bp.post("/sign-in")
@allow_anyone
def sign_in() -> ResponseReturnValue:
    """Sign in; the same words for a wrong name and a wrong password."""
    user_name = request.form.get("user_name", "")
    who = house().accounts.by_password(user_name, request.form.get("password", ""), source())
    if who is None:
        return _sign_in_page({"user_name": _("The user name or the password isn’t right.")}, user_name)
    response = make_response(redirect(_next(), 303))
    give_cookie(response, house().sessions.start(who.account))
    return response


def _next() -> str:
    """The page that somebody wanted before signing in, if it is one of ours."""
    wanted = request.args.get("next", "/")
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    ours = wanted.startswith("/") and not parts.netloc and not wanted.startswith(("//", "/\\"))
    return wanted if ours else "/"


@bp.post("/sign-out")
@allow(*EVERY_ROLE)
def sign_out() -> ResponseReturnValue:
    """Sign out of this browser."""
    token = request.cookies.get(COOKIE)
    if token:
        house().sessions.end(token)
    response = make_response(redirect("/sign-in", 303))
    take_cookie(response)
    return response
