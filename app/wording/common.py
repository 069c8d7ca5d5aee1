"""Words that every page needs: dates and times, states, roles, lists.

One process speaks one language: the one that `LANGUAGE` or `LANG` names when it starts, where a catalogue
`casebook` for it lies in `locales` beside this file; English otherwise.
"""

import gettext
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from domain.policy import Policy

LONDON: Final = ZoneInfo("Europe/London")
_catalogue: Final = gettext.translation("casebook", Path(__file__).parent / "locales", fallback=True)
_ = _catalogue.gettext
ngettext = _catalogue.ngettext

# strftime would take its names from the machine's locale, which nobody chose for the school.
MONTHS: Final = (
    *(_("January"), _("February"), _("March"), _("April"), _("May"), _("June"), _("July"), _("August")),
    *(_("September"), _("October"), _("November"), _("December")),
)
WEEKDAYS: Final = (
    *(_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")),
)


def weekday(when: date) -> str:
    """The day of the week, for whoever has to be somewhere: Monday."""
    return WEEKDAYS[_local(when).weekday()]


def day(when: date) -> str:
    """A day: 14 June 2026. An instant has its day in the school's time zone."""
    if isinstance(when, datetime):
        when = when.astimezone(LONDON)
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def short_day(when: date, beside: date) -> str:
    """A day next to another one: 14 June, with its year only where that differs."""
    when = _local(when)
    return day(when) if when.year != _local(beside).year else f"{when.day} {MONTHS[when.month - 1]}"


def time(when: datetime) -> str:
    """A time in the school's time zone: 2:01pm."""
    local = when.astimezone(LONDON)
    half = _("am") if local.hour < 12 else _("pm")
    return f"{(local.hour + 11) % 12 + 1}:{local.minute:02}{half}"


def moment(when: datetime) -> str:
    """An instant in the school's time zone: 4 October 2026, 1:02pm."""
    local = when.astimezone(LONDON)
    return f"{day(local)}, {time(local)}"


def how_long(since: datetime, now: datetime) -> str:
    """The age of something in its largest unit: less than a minute, 5 minutes, 3 hours, 2 days."""
    minutes = int((now - since).total_seconds()) // 60
    if minutes < 1:
        return _("less than a minute")
    if minutes < 60:
        return ngettext("{n} minute", "{n} minutes", minutes).format(n=minutes)
    hours = minutes // 60
    if hours < 24:
        return ngettext("{n} hour", "{n} hours", hours).format(n=hours)
    return days(hours // 24)


def ago(when: datetime, now: datetime) -> str:
    """How long ago: just now, 5 minutes ago, 2 days ago."""
    if (now - when).total_seconds() < 60:
        return _("just now")
    return _("{how_long} ago").format(how_long=how_long(when, now))


def days(count: int) -> str:
    """A number of days: 1 day, 12 days."""
    return ngettext("{n} day", "{n} days", count).format(n=count)


def since_days(since: date, today: date) -> str:
    """How long something has lasted, in days: since today, 1 day, 12 days."""
    count = (_local(today) - _local(since)).days
    return days(count) if count > 0 else _("since today")


def sessions(count: int) -> str:
    """A number of sessions: 1 session, 6 sessions."""
    return ngettext("{n} session", "{n} sessions", count).format(n=count)


def minutes(count: int) -> str:
    """A length in minutes: 1 minute, 30 minutes."""
    return ngettext("{n} minute", "{n} minutes", count).format(n=count)


def year(year_group: int) -> str:
    """A year group: Reception, Year 7."""
    return _("Year {n}").format(n=year_group) if year_group else _("Reception")


def listed(items: Sequence[str]) -> str:
    """A list inside a sentence: “a”, “a and b”, “a, b and c”."""
    if len(items) < 2:
        return "".join(items)
    return _("{all_but_last} and {last}").format(all_but_last=", ".join(items[:-1]), last=items[-1])


def _local(when: date) -> date:
    return when.astimezone(LONDON).date() if isinstance(when, datetime) else when


ERASED_TEXT: Final = _("(erased)")
SOMEONE: Final = _("someone in the scheme")
"""Whoever recorded a fact whose reader may not know who that was: staff or mentor."""

CASE_STATES: Final = {
    "referred": _("Waiting for a mentor"),
    "matched": _("Meeting"),
    "at_review": _("Review due"),
    "closed": _("Closed"),
    "declined": _("Declined"),
}

CONCERN_STATES: Final = {
    "received": _("Received"),
    "acknowledged": _("Acknowledged"),
    "being_dealt_with": _("Being dealt with"),
    "closed": _("Closed"),
}
"""What the person who raised a concern may know of it."""

ROLES: Final = {
    "coordinator": _("coordinator"),
    "dsl": _("Designated Safeguarding Lead"),
    "deputy_dsl": _("Deputy Designated Safeguarding Lead"),
    "mentor": _("peer mentor"),
    "referrer": _("referrer"),
    "inspector": _("inspector"),
    "head": _("head teacher"),
    "chair": _("chair of governors"),
    "data_officer": _("data protection officer"),
    "admin": _("administrator"),
}
"""What each role is called inside a sentence, where the school didn't say otherwise."""


@cache
def titles(policy: Policy) -> Mapping[str, str]:
    """What each role is called in this school: some have a Designated Safeguarding Person."""
    lead = policy.lead_title
    return {**ROLES, "dsl": lead, "deputy_dsl": _("Deputy {lead_title}").format(lead_title=lead)}
