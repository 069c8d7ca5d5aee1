"""The rule on each view, and the one place that enforces it.

A view says who may ever call it (`@allow("coordinator")`, `@allow_anyone`); the rule stays on the view, so
that a test can walk the URL map. A view without a rule is refused to everybody.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden, Unauthorized

from app.access.person import Person
from app.access.sessions import COOKIE

if TYPE_CHECKING:
    from app.house import House

V = TypeVar("V", bound=Callable[..., Any])
Rescue = Callable[[str], ResponseReturnValue]
API = "/api/"


@dataclass(frozen=True)
class Rule:
    """Who may ever call a view: these roles, or anyone, signed in or not.

    `by_token`: programs call it, with a bearer token, as they do everything under the API.
    """

    roles: frozenset[str] = frozenset()
    anyone: bool = False
    by_token: bool = False


class SignInNeeded(Unauthorized):
    """Nobody is signed in, or their session is over."""


class FormExpired(Forbidden):
    """The form doesn't belong to this session, or came from another site."""


def _leaving(rule: Rule) -> Callable[[V], V]:
    def mark(view: V) -> V:
        view.access_rule = rule  # type: ignore[attr-defined] # a function takes attributes, its type says none
        return view

    return mark


def allow(*roles: str) -> Callable[[V], V]:
    """Leave on a view that these roles may ever call it."""
    return _leaving(Rule(frozenset(roles)))


def allow_programs(*roles: str) -> Callable[[V], V]:
    """Leave on a view outside the API that programs of these roles may call it, with a bearer token."""
    return _leaving(Rule(frozenset(roles), by_token=True))


def for_programs() -> bool:
    """Whether this request comes from a program, to the API or beside it: it signs in by token."""
    if request.path.startswith(API):
        return True
    view = current_app.view_functions.get(request.endpoint or "")
    rule = rule_of(view) if view else None
    return rule is not None and rule.by_token


def allow_anyone(view: V) -> V:
    """Leave on a view that anyone may call it: sign-in, health, style sheets, the API's description."""
    return _leaving(Rule(anyone=True))(view)


def rescued_by(rescue: Rescue) -> Callable[[V], V]:
    """Leave on a view what answers when a post to it can't be let in, so that typed words aren't lost.

    The rescue is called with "sign-in", "form" or "forbidden" and must keep nothing and record nothing.
    """

    def mark(view: V) -> V:
        view.access_rescue = rescue  # type: ignore[attr-defined]
        return view

    return mark


def rule_of(view: Callable[..., Any]) -> Rule | None:
    """The rule on a view, or None."""
    return cast("Rule | None", getattr(view, "access_rule", None))


def house() -> "House":
    """This process's house."""
    return cast("House", current_app.extensions["casebook"].house)


def person() -> Person:
    """Who makes this request. Only in views that not just anyone may call."""
    return cast(Person, g.person)


def person_or_none() -> Person | None:
    """Who makes this request, if anybody is signed in."""
    return cast("Person | None", g.get("person"))


def source() -> str:
    """Where the request comes from, for counting attempts."""
    return request.remote_addr or ""


def guard(app: Flask) -> None:
    """Check every request of this app before its view is called."""
    app.before_request(_check)


def _check() -> ResponseReturnValue | None:
    if request.endpoint is None:
        # Who isn't known learns nothing from an address under the API, not even that it is wrong.
        if request.path.startswith(API):
            _by_token()
        return None
    view = current_app.view_functions[request.endpoint]
    rule = rule_of(view)
    if rule is None:
        raise Forbidden
    if rule.anyone:
        if request.method == "POST":
            _check_origin()
        return None
    try:
        g.person = _by_token() if for_programs() else _by_session()
        _check_role(rule, g.person)
        if request.method == "POST" and not for_programs():
            _check_form(g.person)
    except Forbidden as refusal:
        return _rescued(view, "form" if isinstance(refusal, FormExpired) else "forbidden", refusal)
    except SignInNeeded as refusal:
        return _rescued(view, "sign-in", refusal)
    return None


def _rescued(view: Callable[..., Any], why: str, refusal: Exception) -> ResponseReturnValue:
    rescue = getattr(view, "access_rescue", None)
    if rescue is None or request.method != "POST":
        raise refusal
    return cast(ResponseReturnValue, rescue(why))


def _check_role(rule: Rule, who: Person) -> None:
    if who.role not in rule.roles:
        raise Forbidden


def _by_token() -> Person:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise SignInNeeded
    accounts = house().accounts
    found = accounts.by_token(token.strip())
    if found is None:
        accounts.wrong_token(source())
        raise SignInNeeded
    return found


def _by_session() -> Person:
    token = request.cookies.get(COOKIE)
    found = house().sessions.person(token) if token else None
    if found is None:
        raise SignInNeeded
    return found


def _check_form(who: Person) -> None:
    _check_origin()
    sent = request.form.get("csrf", "")
    if not hmac.compare_digest(sent.encode("utf-8", "replace"), who.csrf.encode()):
        raise FormExpired


def _check_origin() -> None:
    """Browsers say where a form was; one from elsewhere is refused, also before anybody is signed in."""
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise FormExpired
    if origin and origin != "null" and _host_in(origin) != request.host:
        raise FormExpired


def _host_in(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
