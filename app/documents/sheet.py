"""The governors' sheet: the newest checkpoints on one page of paper, out of everybody's reach.

What somebody changes later in the record, or on the computers, doesn't change a sheet in a filing cabinet.
"""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

import segno

from app.documents.paper import pdf
from app.proof.checkpoints import READS_SUFFIX
from app.proof.epoch import entries
from app.proof.verifier import Checkpoint, VerifierKey, read_checkpoint
from app.wording import proof as say
from app.wording.common import LONDON, moment


def checkpoint_sheet(
    notes: Sequence[bytes], key: VerifierKey, when: datetime, school: str, *, demo: bool = False
) -> bytes:
    """One page, PDF/A-3a and PDF/UA-1: these checkpoints, to be read, typed or scanned; no name of anybody.

    `notes` are the newest checkpoint of what was recorded and, if there is one, of who looked; `when` is the
    time of printing. Raises NotVerified for a note that `key` didn't sign.
    """
    return pdf("sheet.typ", sheet_words(notes, key, when, school, demo=demo))


def sheet_words(
    notes: Sequence[bytes], key: VerifierKey, when: datetime, school: str, *, demo: bool = False
) -> dict[str, Any]:
    """What the sheet says, as its layout takes it. Raises NotVerified."""
    read = [(read_checkpoint(note, key), note) for note in notes]
    signed = [datetime.fromtimestamp(time, LONDON) for (_found, time), _note in read if time is not None]
    rows = [
        (say.SHEET_PRINTED, moment(when)),
        *([(say.SHEET_SIGNED, moment(max(signed)))] if signed else []),
    ]
    return {
        "title": say.SHEET.format(school=school),
        "made_at": when.astimezone(LONDON).isoformat(),
        "author": f"Casebook, {school}",
        "demo": say.DEMO if demo else "",
        "what": f"{say.SHEET_WHAT} {say.PROMISE}",
        "rows": rows,
        "notes": {
            "heading": say.SHEET_NOTES,
            "about": say.SHEET_CODE,
            "items": [
                *(_item(_heading(found, key.name), note.decode()) for (found, _time), note in read),
                _item(say.SHEET_KEY, str(key)),
            ],
        },
        "keep": {"heading": say.SHEET_KEEP, "items": say.SHEET_KEEP_ITEMS},
        "sign": say.SHEET_SIGN,
    }


def _item(heading: str, text: str) -> dict[str, str]:
    return {"heading": heading, "text": text, "code": qr_code(text)}


def qr_code(text: str) -> str:
    """A text as a code to scan, in SVG."""
    made = BytesIO()
    segno.make_qr(text, error="m", encoding="utf-8").save(made, kind="svg", border=4, xmldecl=False)
    return made.getvalue().decode()


def _heading(found: Checkpoint, first: str) -> str:
    """What a checkpoint covers. `first` is the record's own name, in which its key signs in each epoch."""
    said = say.SHEET_READS if found.origin.endswith(READS_SUFFIX) else say.SHEET_EVENTS
    return said.format(n=f"{entries(found.size, found.origin, first):,}")
