"""What the data protection officer reads: what will be due, and what is so with the school's data today."""

from typing import Final

from app.wording.common import _

WILL_BE_DUE: Final = (
    {
        "label": _("Records to review"),
        "text": _(
            "A record comes here when it has been kept for as long as your school decided. You look at it, "
            "and order it to be erased together with a second person, or keep it with a reason."
        ),
    },
    {
        "label": _("Requests to see a record"),
        "text": _(
            "A request comes here when somebody asks what is held about them, with the days that are left "
            "to answer. Until then, keep requests where you keep them now."
        ),
    },
    {
        "label": _("Legal holds"),
        "text": _(
            "A record comes here when it must be kept, whatever its age, because of a court or an enquiry."
        ),
    },
)
OF_DATA_TODAY: Final = (
    _("Nothing is edited or deleted: a correction stands beside what it corrects, with its reason."),
    _("Before a pupil’s record is shown, it is noted who looked at it and when."),
    _(
        "In the record, names, notes and what a child said are encrypted, each case with a key of its own. "
        "Only lists hold names in clear, and lists can be thrown away."
    ),
    _(
        "Concerns about pupils are open to the safeguarding leads and to inspectors alone, "
        "concerns about staff to the head and the chair."
    ),
)
