"""The administrator's pages: who has an account, and how the system is, in words. Never a case."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.access.policy import allow, house
from app.pages.common import cursor, lists, looked, page
from app.wording.common import _, moment, ngettext, titles
from projections.all_models import MODELS
from projections.positions import Standing, status
from projections.staff import PAGE

bp = Blueprint("office", __name__)
LISTS = {
    "caseload": _("Cases"),
    "mentors": _("Mentors"),
    "roll": _("Pupils by name"),
    "concerns": _("Concerns"),
    "staff": _("People with an account"),
}


def first_page() -> ResponseReturnValue:
    """Accounts, in the order in which they were opened."""
    title_of = titles(house().casework.policy())
    rows = lists().staff.accounts(after=cursor(), limit=PAGE + 1)
    rows, more = rows[:PAGE], rows[PAGE:]
    looked((one.account_id for one in rows), "accounts")
    return page(
        "admin/people.html",
        title=_("People"),
        people=[
            {
                "name": one.name,
                "user_name": one.email,
                "roles_text": title_of[one.role],
                "state": "suspended" if one.ended else "active",
            }
            for one in rows
        ],
        pages={
            "first_href": "/" if cursor() else None,
            "next_href": f"/?cursor={rows[-1].number}" if more else None,
        },
    )


@bp.get("/status")
@allow("admin")
def system() -> ResponseReturnValue:
    """How the record and its lists are."""
    standings = {one.name: one for one in status(house().pool)}
    size = max((one.position + one.lag for one in standings.values()), default=0)
    parts = [
        {
            "label": _("Record"),
            "text": ngettext("It has {n} fact.", "It has {n} facts.", size).format(n=f"{size:,}"),
            "well": True,
        },
        *(_part(name, standings.get(name)) for name in MODELS),
    ]
    faults = [
        {
            "text": _("The list “{list}” has stopped").format(list=LISTS.get(name, name)),
            "what_to_do": _(
                "Nothing is lost: the record is complete. Run “casebook rebuild {name}” on the server, and "
                "report this if it stops again."
            ).format(name=name),
        }
        for name, one in standings.items()
        if one.fault
    ]
    well = all(part["well"] for part in parts)
    return page(
        "admin/status.html",
        title=_("Status"),
        summary=_("All lists are up to date.") if well else _("Some lists aren’t up to date."),
        well=well,
        parts=parts,
        faults=faults,
        checked_at_text=moment(datetime.now(UTC)),
    )


def _part(name: str, one: Standing | None) -> dict[str, Any]:
    label = _("List: {list}").format(list=LISTS.get(name, name))
    if one is None:
        return {
            "label": label,
            "text": _("Hasn’t been filled yet. Is “casebook project” running?"),
            "well": False,
        }
    if one.fault:
        return {"label": label, "text": _("Stopped at fact {n}.").format(n=one.position + 1), "well": False}
    if one.lag:
        text = ngettext("{n} fact behind.", "{n} facts behind.", one.lag).format(n=one.lag)
        return {"label": label, "text": text, "well": False}
    return {"label": label, "text": _("Up to date."), "well": True}
