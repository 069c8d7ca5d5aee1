"""The commands of those who answer for the data, in words."""

from typing import Final

from app.wording.common import _
from app.wording.words import Words, ask

FORGETTING: Final[dict[str, Words]] = {
    "pupils/put-legal-hold": Words(
        _("Put a legal hold"),
        _("Legal hold put."),
        _("Nothing of this pupil is erased until the hold is released."),
        ask={"reason": ask(_("Why must it be kept?"), _("For example, a claim or an enquiry. No names."))},
    ),
    "pupils/release-legal-hold": Words(
        _("Release the legal hold"),
        _("Legal hold released."),
        _("The school’s rules decide again how long this is kept."),
        intro=_("An erasure that was approved before the hold is carried out at once."),
        ask={"reason": ask(_("Why may it be released?"))},
    ),
    "pupils/keep-longer": Words(
        _("Keep it longer"),
        _("Decision to keep it recorded."),
        _("It comes back to this list when that day has come."),
        ask={"reason": ask(_("Why is it kept longer?"), _("What did your review come to?"))},
    ),
    "erasures/request": Words(
        _("Ask for erasure"),
        _("Request recorded."),
        _("Another person must approve it. Until then it can be withdrawn."),
        ask={
            "reason": ask(_("What did your review come to?"), _("This stays readable: name nobody in it.")),
        },
    ),
    "erasures/approve": Words(
        _("Approve this erasure"),
        _("Erasure approved."),
        _("The keys are being destroyed. Look again in a minute for the certificate."),
        _("Erase it for good"),
        _("Nobody can bring it back: not you, not the makers of Casebook, not from a back-up."),
    ),
    "erasures/withdraw": Words(_("Withdraw this request"), _("Request withdrawn."), button=_("Withdraw")),
}
