"""The office: accounts and how the system is, for the administrator. Never a case."""

from typing import Final

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.access.policy import allow, house
from app.checkup import check
from app.pages import forgetting
from app.pages.common import PAGE, cursor, lists, looked, page
from app.wording import system as wording
from app.wording.common import _, moment, titles

bp = Blueprint("office", __name__)
bp.register_blueprint(forgetting.bp)
ADD: Final = 'casebook staff add "Ms Price" --role coordinator'
END: Final = 'casebook staff end "Ms Price" --reason "Left the school"'


def first_page() -> ResponseReturnValue:
    """Accounts, in the order in which they were opened."""
    title_of = titles(house().casework.policy())
    rows = lists().staff.accounts(after=cursor(), limit=PAGE + 1)
    rows, more = rows[:PAGE], rows[PAGE:]
    looked((one.account_id for one in rows), "accounts")
    return page(
        "admin/people.html",
        title=_("People"),
        intro=_("Who may sign in, and as what. Accounts are added and ended at the server:"),
        commands=(ADD, END),
        people=[
            {
                "name": one.name,
                "user_name": one.email,
                "roles_text": title_of[one.role],
                "state": "ended" if one.ended else "active",
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
    """How the record, its lists, alerts and e-mail are."""
    found = check(house())
    return page(
        "admin/status.html",
        title=_("Status"),
        summary=wording.summary(found),
        well=found.in_order,
        parts=[part._asdict() for part in wording.parts(found)],
        faults=[one._asdict() for one in wording.advice(found)],
        checked_at_text=moment(found.at),
    )
