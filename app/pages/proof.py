"""What is proven: the newest checkpoint and its age, how anybody checks, and what no check can tell."""

from datetime import datetime
from typing import Final

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.access.policy import allow, house, person
from app.documents import evidence
from app.documents.evidence import Standing
from app.pages.common import page
from app.wording import proof as wording
from app.wording import system
from app.wording.common import LONDON, _, ago, listed, moment, ngettext

bp = Blueprint("proof", __name__)
READERS: Final = ("chair", "data_officer", "deputy_dsl", "dsl", "head", "inspector")


@bp.get("/proof")
@allow(*READERS)
def what_is_proven() -> ResponseReturnValue:
    """The promise, how it stands today, and its limits."""
    stands = evidence.standing(house())
    return page(
        "evidence/proof.html",
        title=_("What is proven"),
        promise=wording.PROMISE,
        rows=_rows(stands),
        note=stands.events.note if stands.events else None,
        proven=wording.PROVEN,
        not_proven=wording.NOT_PROVEN,
        steps=wording.PAGE_STEPS,
        command=wording.ALONE.format(file="pack.zip", key=stands.key or "LOG-KEY"),
        sheet_href=url_for("proof.governors_sheet") if stands.events and stands.key else None,
        verifier_href=url_for("proof.verifier"),
        pack_href="/evidence/cases" if person().role in ("dsl", "deputy_dsl", "inspector") else None,
    )


@bp.get("/proof/sheet.pdf")
@allow(*READERS)
def governors_sheet() -> ResponseReturnValue:
    """The newest checkpoints on one page of paper."""
    made = evidence.sheet(house())
    if made is None:
        raise NotFound
    name = f"casebook-checkpoint-{datetime.now(LONDON):%Y-%m-%d}.pdf"
    return made, {
        "Content-Type": "application/pdf",
        "Content-Disposition": f'attachment; filename="{name}"',
    }


@bp.get("/proof/verifier.py")
@allow(*READERS)
def verifier() -> ResponseReturnValue:
    """The single file with which a pack is checked."""
    return evidence.verifier_alone(), {
        "Content-Type": "text/x-python; charset=utf-8",
        "Content-Disposition": 'attachment; filename="verifier.py"',
    }


def checkpoint_text(stands: Standing) -> str:
    """How far proof reaches now, in a sentence."""
    if stands.events is None:
        return _("There is no checkpoint yet, so nothing can be proven to anybody outside.")
    if stands.keys and stands.key is None:
        return wording.NOT_OURS
    said = _("The newest checkpoint was made {ago}, on {moment}.").format(
        ago=ago(stands.events.made_at, stands.at), moment=moment(stands.events.made_at)
    )
    after = max(stands.facts - stands.covered, 0)
    if not after:
        return said + " " + _("It covers everything that is recorded.")
    return (
        said
        + " "
        + ngettext(
            "{n} entry was recorded after it, and isn’t covered yet.",
            "{n} entries were recorded after it, and aren’t covered yet.",
            after,
        ).format(n=f"{after:,}")
    )


def _rows(stands: Standing) -> list[dict[str, str]]:
    rows = [{"label": _("Newest checkpoint"), "text": checkpoint_text(stands)}]
    if stands.events is not None:
        entries = ngettext("{n} entry", "{n} entries", stands.covered).format(n=f"{stands.covered:,}")
        rows.append({"label": _("What it covers"), "text": entries})
        witnesses = listed(stands.witnesses) if stands.witnesses else _("Nobody yet")
        rows.append({"label": _("Also signed by"), "text": witnesses})
    if stands.reads is not None:
        text = _("{n} looks, up to {moment}").format(
            n=f"{stands.looks_covered:,}", moment=moment(stands.reads.made_at)
        )
        rows.append({"label": _("Who looked: newest checkpoint"), "text": text})
    rows += [{"label": system.LOST, "text": system.lost(epoch)} for epoch in stands.epochs]
    rows.append({"label": _("Name of the record"), "text": stands.origin})
    keys = "\n".join(map(str, stands.keys)) or wording.KEY_ELSEWHERE
    rows.append({"label": _("Log key"), "text": keys})
    return rows
