"""What was typed when a sign-in ran out isn't lost: it comes back, to the same person, to be sent again.

A worry has a way of its own (`worried_sending.py`): that one needs no second step.
"""

from typing import Any, Final

from flask import Blueprint, current_app, g, make_response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from app.access.policy import FormExpired, SignInNeeded, allow, allow_anyone, house, person, source
from app.access.sessions import COOKIE, give_cookie
from app.access.throttling import Throttled
from app.access.unsent import Unsent, seal, unseal
from app.commands import EVERYBODY
from app.pages.common import page, sign_in_fields
from app.security import MOST_BYTES
from app.wording.common import _

bp = Blueprint("unsent", __name__)
NOT_CARRIED: Final = frozenset({"csrf", "password"})
NOTHING_TYPED: Final = frozenset({"account.sign_out"})


@bp.url_value_preprocessor
def take_it_whole(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let the seal of the longest form in, before anything reads it."""
    request.max_content_length = request.max_form_memory_size = 4 * MOST_BYTES


def keep(why: str) -> ResponseReturnValue:
    """What answers when a form can't be let in: what was typed, with the one step that is missing."""
    if why == "sign-in":
        token = request.cookies.get(COOKIE)
        owner = house().sessions.owner(token, _csrf()) if token else None
        if owner is None or request.endpoint in NOTHING_TYPED:
            raise SignInNeeded
        return _sign_in_again(seal(_secret(), owner, _unsent()))
    if why == "form":
        if not house().sessions.made_before(person(), _csrf()):
            raise FormExpired
        return _send_again(_unsent(), status=403)
    raise Forbidden


@bp.post("/sign-in/again")
@allow_anyone
def sign_in_again() -> ResponseReturnValue:
    """Sign in as the person who typed it, and show it to be sent."""
    sealed = request.form.get("sealed", "")
    name, password = request.form.get("user_name", ""), request.form.get("password", "")
    try:
        who = house().accounts.by_password(name, password, source())
    except Throttled:
        return _sign_in_again(
            sealed, _("Too many tries. What you typed is still here: wait, then try again.")
        )
    if who is None:
        return _sign_in_again(sealed, _("The user name or the password isn’t right."))
    unsent = unseal(_secret(), who.account, sealed)
    if unsent is None:
        return _sign_in_again(sealed, _("What was typed here is kept for whoever typed it: sign in as them."))
    token = house().sessions.start(who.account)
    g.person = house().sessions.person(token)
    response = make_response(_send_again(unsent))
    give_cookie(response, token)
    return response


@bp.get("/still-here")
@allow(*sorted(EVERYBODY))
def still_here() -> ResponseReturnValue:
    """Asked for beside a long form, so that its reader isn't signed out meanwhile."""
    return page("account/still_here.html", title=_("You are still signed in"))


def _unsent() -> Unsent:
    typed = ((name, text) for name, text in request.form.items(multi=True) if name not in NOT_CARRIED)
    return Unsent(request.full_path.rstrip("?"), tuple(typed))


def _sign_in_again(sealed: str, wrong: str | None = None) -> ResponseReturnValue:
    return page(
        "account/sign_in_again.html",
        title=_("Sign in again to send this"),
        status=422 if wrong else 401,
        sealed=sealed,
        errors={"user_name": wrong} if wrong else {},
        fields=sign_in_fields(request.form.get("user_name", "") if wrong else ""),
    )


def _send_again(unsent: Unsent, status: int = 200) -> ResponseReturnValue:
    return page(
        "account/unsent.html",
        title=_("Send what you typed"),
        status=status,
        action=unsent.path,
        carry=unsent.fields,
        # A text is known by its spaces; the rest are choices and numbers, which say nothing by themselves.
        texts=[text for _name, text in unsent.fields if " " in text.strip()],
    )


def _secret() -> str:
    return str(current_app.config["SECRET_KEY"])


def _csrf() -> str:
    return request.form.get("csrf", "")
