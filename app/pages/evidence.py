"""Evidence packs, for inspectors and whoever answers for safeguarding: choose cases, say why, take away."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from app.access.policy import allow, house, person, source
from app.documents import evidence
from app.naming import reads_codes
from app.pages.case_list import BY_CODE, case_row, erased_row
from app.pages.common import PAGE, cursor, lists, looked, page
from app.pages.people import people
from app.pages.proof import checkpoint_text
from app.pages.reading_forms import clean
from app.wording import proof as wording
from app.wording.common import LONDON, _, ngettext
from projections.figures import Figures

bp = Blueprint("evidence", __name__)
MAKERS: Final = ("deputy_dsl", "dsl", "inspector")
MOST_CASES: Final = 50
"""Cases in a pack that is made on a page: their ids stand in the address while they are chosen."""
LONGEST: Final = 1_000


@bp.get("/evidence/cases")
@allow(*MAKERS)
def choose() -> ResponseReturnValue:
    """Which cases: all that there are, page by page; what was chosen on other pages is kept."""
    return _choosing(_chosen(request.args))


@bp.get("/evidence/ask")
@allow(*MAKERS)
def ask() -> ResponseReturnValue:
    """For whom, and why."""
    chosen = _chosen(request.args)
    if not chosen:
        if "from" not in request.args:
            return redirect(url_for("evidence.choose"), 303)
        return _choosing(chosen, {"case": _("Choose at least one case.")})
    if len(chosen) > MOST_CASES:
        too_many = _("Choose at most {n} cases for one pack.").format(n=MOST_CASES)
        return _choosing(chosen, {"case": too_many})
    return _asking(chosen)


@bp.post("/evidence/make")
@allow(*MAKERS)
def make() -> ResponseReturnValue:
    """Make the pack and hand it over. It is noted before anything of it leaves."""
    chosen = _chosen(request.form)
    if not 0 < len(chosen) <= MOST_CASES:
        return redirect(url_for("evidence.choose"), 303)
    names = ("for_whom", "why", "names_why")
    typed: dict[str, Any] = {name: clean(request.form.get(name, "")).strip() for name in names}
    typed["with_names"] = request.form.get("with_names") == "yes"
    errors = _wrong_with(typed)
    if not errors and not house().accounts.confirm(person(), request.form.get("password", ""), source()):
        errors["password"] = _("That isn’t your password.")
    if errors:
        return _asking(chosen, typed, errors)
    why = typed["why"]
    if typed["with_names"]:
        why = _("{why} Names are shown because: {names_why}").format(why=why, names_why=typed["names_why"])
    try:
        pack = evidence.pack_of(
            house(),
            person(),
            chosen,
            for_whom=typed["for_whom"],
            why=why,
            with_names=typed["with_names"],
        )
    except evidence.PackRefused as refused:
        return _asking(chosen, typed, refusal=str(refused))
    except evidence.NotDrawn:
        sentence = _("The history in it couldn’t be drawn. Tell whoever runs Casebook; nothing is lost.")
        return _asking(chosen, typed, refusal=sentence)
    name = f"casebook-evidence-{datetime.now(LONDON):%Y-%m-%d-%H%M}.zip"
    return pack, {"Content-Type": "application/zip", "Content-Disposition": f'attachment; filename="{name}"'}


def _wrong_with(typed: dict[str, Any]) -> dict[str, str]:
    asked = {
        "for_whom": _("Say for whom the pack is."),
        "why": _("Say why the pack is made."),
        **({"names_why": _("Say why the names are needed.")} if typed["with_names"] else {}),
    }
    errors = {name: sentence for name, sentence in asked.items() if not typed[name]}
    too_long = _("Use at most {n} characters.").format(n=LONGEST)
    return errors | {name: too_long for name in asked if len(typed[name]) > LONGEST}


def _chosen(said: MultiDict[str, str]) -> list[UUID]:
    """The cases that were ticked, each once. What isn't an id is nobody's case: 404."""
    try:
        return [UUID(one) for one in dict.fromkeys(said.getlist("case"))]
    except ValueError:
        raise NotFound from None


def _choosing(chosen: Sequence[UUID], errors: dict[str, str] | None = None) -> ResponseReturnValue:
    rows = lists().caseload.newest(limit=PAGE + 1, before=cursor() or None)
    rows, more = rows[:PAGE], rows[PAGE:]
    found = people(pupils=(c.pupil_id for c in rows), mentor_ids=(c.mentor_id for c in rows))
    looked((c.case_id for c in rows), "list")
    shown = {case.case_id for case in rows}
    elsewhere = [str(one) for one in chosen if one not in shown]
    return page(
        "evidence/choose.html",
        title=_("Evidence pack: choose cases"),
        status=422 if errors else 200,
        errors=errors or {},
        intro=BY_CODE if reads_codes(person()) else None,
        cases=[
            {**case_row(case, found), "value": str(case.case_id), "chosen": case.case_id in chosen}
            for case in rows
        ],
        elsewhere=elsewhere,
        elsewhere_text=ngettext(
            "{n} case is chosen on another page.", "{n} cases are chosen on other pages.", len(elsewhere)
        ).format(n=len(elsewhere)),
        next_cursor=rows[-1].number if more else None,
        at_cursor=cursor(),
    )


def _asking(
    chosen: Sequence[UUID],
    typed: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
    refusal: str | None = None,
) -> ResponseReturnValue:
    typed, errors = typed or {}, errors or {}
    known, left = lists().caseload.by_ids(chosen), Figures(house().pool).by_ids(chosen)
    if left.keys() != set(chosen):
        raise NotFound
    rows = known.values()
    found = people(pupils=(c.pupil_id for c in rows), mentor_ids=(c.mentor_id for c in rows))
    shown = {one: case_row(known[one], found) if one in known else erased_row(left[one]) for one in chosen}
    looked(chosen, "list")
    stands = evidence.standing(house())
    again = url_for("evidence.choose", case=[str(one) for one in chosen])
    return page(
        "evidence/ask.html",
        title=_("Evidence pack"),
        status=422 if errors else 409 if refusal else 200,
        errors=errors,
        refusal={"sentence": refusal} if refusal else None,
        back={"text": _("Choose other cases"), "href": again},
        cases=[{**row, "value": str(case_id)} for case_id, row in shown.items()],
        checkpoint_text=checkpoint_text(stands),
        left_out=[wording.LEFT_OUT_LATER, *wording.LEFT_OUT_ALWAYS],
        can_make=stands.signs and stands.events is not None,
        office_command="casebook evidence {} --out pack.zip --reason …".format(" ".join(map(str, chosen))),
        fields=_fields(typed),
        proof_href=url_for("proof.what_is_proven"),
    )


def _fields(typed: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": "for_whom",
            "kind": "text",
            "label": _("Who is it for?"),
            "hint": _("A person or body, such as the name of an inspector. It stands in the pack."),
            "value": typed.get("for_whom", ""),
        },
        {
            "name": "why",
            "kind": "words",
            "rows": 3,
            "label": _("Why is it made?"),
            "hint": _("It stands in the pack, and is noted for whoever asks later who took what away."),
            "value": typed.get("why", ""),
        },
        {
            "name": "with_names",
            "kind": "flag",
            "label": _("Show the names and dates of birth of these pupils in the pack"),
            "hint": _("Otherwise each pupil has a code. Other pupils and peer mentors always have a code."),
            "value": typed.get("with_names", False),
        },
        {
            "name": "names_why",
            "kind": "text",
            "label": _("Why are the names needed?"),
            "hint": _("Only if they are to be shown."),
            "value": typed.get("names_why", ""),
        },
        {
            "name": "password",
            "kind": "password",
            "label": _("Your password, again"),
            "hint": _("A pack can’t be called back, so Casebook asks who is at the keyboard."),
            "value": "",
            "autocomplete": "current-password",
            "width": "20",
        },
    ]
