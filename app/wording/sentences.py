"""What each fact's sentence says, clause by clause: change it here when a fact should read otherwise.

`{field}` stands for what was said, as people read it. Names of fields are the facts' own.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from app.wording.common import _


class When(NamedTuple):
    """A clause that is said when a flag is true."""

    flag: str
    text: str


class OneOf(NamedTuple):
    """A clause that differs by the value of a field; `otherwise` covers what was erased."""

    field: str
    texts: Mapping[str, str]
    otherwise: str


class First(NamedTuple):
    """The first of these that can be said."""

    clauses: tuple["Clause", ...]


Clause: TypeAlias = str | When | OneOf | First

REASON: Final = _("Reason: {reason}.")
NOTES: Final = _("{notes}.")
OUTCOME: Final = _("Outcome: {outcome}.")
RATIONALE: Final = _("Rationale: {rationale}.")
IN_WORDS: Final = _("“{words}”")

CORRECTED: Final[tuple[Clause, ...]] = (
    First((_("Corrected “{field}” in {version}."), _("Corrected {version}."))),
    _("It should say: {value}."),
    REASON,
)
DISPUTED: Final[tuple[Clause, ...]] = (_("Disputed {version}."), IN_WORDS)

SENTENCES: Final[dict[str, tuple[Clause, ...]]] = {
    "pupil.enrolled": (
        First((_("Put {given_name} {family_name} on the roll."), _("Put a pupil on the roll."))),
        _("{year_group}, {tutor_group}."),
        _("Known as {known_as}."),
    ),
    "pupil.moved-up": (_("Moved to {year_group}, {tutor_group}."),),
    "pupil.left": (_("Left the school on {left_on}."), _("Went to {destination}.")),
    "pupil.legal-hold-put": (_("Put a legal hold on what is kept."), REASON),
    "pupil.legal-hold-released": (_("Released the legal hold."), REASON),
    "pupil.kept-longer": (_("Reviewed what is kept, and decided to keep it until {until}."), REASON),
    "erasure.requested": (
        OneOf(
            "scope",
            {
                "identity": _("Asked for a pupil’s names and date of birth to be erased."),
                "narrative": _("Asked for a case with its concerns to be erased."),
                "mentor": _("Asked for a mentor’s own record to be erased."),
            },
            _("Asked for an erasure: {scope}."),
        ),
        OneOf(
            "grounds",
            {
                "retention": _("It was kept for as long as the school’s rules say."),
                "data_subject": _("The person it is about asks for it."),
            },
            _("Why now: {grounds}."),
        ),
        REASON,
    ),
    "erasure.withdrawn": (_("Withdrew the request."), REASON),
    "erasure.ordered": (_("Approved the erasure, as a second person."),),
    "erasure.key-destroyed": (_("Destroyed the key of one part. Nobody can read it any more."),),
    "erasure.completed": (_("Completed the erasure: no program of ours remembers any of these keys."),),
    "mentor.applied": (_("{pupil_id} applied to be a peer mentor."), _("“{statement}”")),
    "mentor.interviewed": (_("Interviewed on {held_on}."), _("Panel: {panel}."), NOTES),
    "mentor.selected": (_("Selected as a peer mentor."), REASON),
    "mentor.turned-down": (_("Not selected this time."), REASON),
    "mentor.trained": (
        First(
            (
                _("Completed the course “{course}” on {completed_on}."),
                _("Completed a course on {completed_on}."),
            )
        ),
    ),
    "mentor.agreement-signed": (
        _("Signed the confidentiality agreement on {signed_on}."),
        _("Version: {agreement_version}."),
    ),
    "mentor.qualified": (
        First((_("Earned the award “{award}” on {awarded_on}."), _("Earned an award on {awarded_on}."))),
    ),
    "mentor.attached": (_("Attached to tutor group {tutor_group}."),),
    "mentor.took-on": (_("Took on a mentee."),),
    "mentor.handed-back": (_("No longer has this mentee."),),
    "mentor.supervised": (
        OneOf(
            "kind",
            {
                "one_to_one": _("Had one-to-one supervision on {held_on}."),
                "group": _("Had group supervision on {held_on}."),
            },
            _("Had supervision on {held_on}: {kind}."),
        ),
        NOTES,
    ),
    "mentor.appointed": (_("Appointed to a post: {post}."),),
    "mentor.stood-down": (_("Stood down as a peer mentor."), REASON),
    "mentee-case.referred": (
        OneOf(
            "route",
            {
                "self": _("The pupil asked for a peer mentor."),
                "parent": _("A parent or guardian made a mentoring referral."),
                "staff": _("A member of staff made a mentoring referral."),
                "mentor": _("A peer mentor made a mentoring referral."),
            },
            _("Mentoring referral from: {route}."),
        ),
        _("Asked by {referred_by}."),
        _("The pupil was named as {pupil_in_words}."),
        _("Reasons: {reasons}."),
        IN_WORDS,
    ),
    "mentee-case.declined": (
        _("Declined this mentoring referral."),
        REASON,
        _("Pointed to other help: {signposted_to}."),
    ),
    "mentee-case.matched": (_("Matched with {mentor_id}, for {sessions_planned} in all."), REASON),
    "mentee-case.purpose-agreed": (
        First((_("Agreed what the meetings are for: {purpose}."), _("Agreed what the meetings are for."))),
        _("What they expect: {expectations}."),
    ),
    "mentee-case.letter-sent": (_("A letter went home on {sent_on}."), _("About: {kind}.")),
    "mentee-case.session-arranged": (
        First((_("Arranged to meet on {at}, {place}."), _("Arranged to meet on {at}."))),
    ),
    "mentee-case.session-held": (
        _("Met for {minutes} on {held_on}."),
        When("friend_came", _("A friend came along.")),
        _("{focus}."),
        NOTES,
    ),
    "mentee-case.session-missed": (_("Missed the session due on {due_on}."), REASON),
    "mentee-case.more-asked-for": (_("The mentee asked for more sessions."), IN_WORDS),
    "mentee-case.extended": (
        _("Extended by {sessions}."),
        REASON,
        _("What the mentee wants: {mentee_wishes}."),
    ),
    "mentee-case.match-ended": (_("Ended the match with {mentor_id}."), REASON),
    "mentee-case.put-on-hold": (_("This case was put on hold."), REASON),
    "mentee-case.hold-released": (_("This case is no longer on hold."), REASON),
    "mentee-case.closed": (_("Closed the case."), OUTCOME, REASON),
    "mentee-case.reopened": (_("Reopened the case."), REASON),
    "mentee-case.confidentiality-broken": (_("Broke confidentiality and told the safeguarding lead."),),
    "concern.raised": (
        OneOf(
            "about",
            {
                "pupil": _("Raised a concern about a pupil."),
                "staff": _("Raised a concern about a member of staff."),
            },
            _("Raised a concern about: {about}."),
        ),
        When("immediate_danger", _("Somebody is in danger now.")),
        _("The child said: “{childs_words}”"),
    ),
    "concern.notified": (First((_("Alerted {told} by {channel}."), _("Alerted the safeguarding lead."))),),
    "concern.acknowledged": (_("Read and acknowledged this concern."),),
    "concern.assessed": (First((_("Assessed as: {threshold}."), _("Assessed how serious it is."))), REASON),
    "concern.decided": (
        OneOf(
            "decision",
            {
                "refer": _("Decided to make a safeguarding referral."),
                "early_help": _("Decided on early help."),
                "monitor": _("Decided to monitor."),
                "no_further_action": _("Decided on no further action."),
            },
            _("Decided: {decision}."),
        ),
        RATIONALE,
        _("Rejected: {alternatives}."),
    ),
    "concern.referred-out": (
        First(
            (
                _("Made a safeguarding referral to {body} on {sent_at}."),
                _("Made a safeguarding referral on {sent_at}."),
            )
        ),
        _("Their reference: {reference}."),
    ),
    "concern.outcome-received": (_("Received an outcome on {received_on}."), OUTCOME),
    "concern.information-shared": (
        First((_("Shared information with {with_whom}."), _("Shared information."))),
        _("What was shared: {what}."),
        _("Basis: {basis}."),
    ),
    "concern.action-assigned": (
        First(
            (_("Assigned an action to {owner}, due on {due_on}."), _("Assigned an action, due on {due_on}."))
        ),
        _("{action}."),
    ),
    "concern.action-completed": (_("Completed the action of {action_version} on {done_on}."), NOTES),
    "concern.child-informed": (_("Told the child on {told_on} what happens."), IN_WORDS),
    "concern.closed": (_("Closed this concern."), OUTCOME, RATIONALE),
    "concern.closing-approved": (_("Approved the closing of this concern, as a second person."),),
    "concern.reopened": (_("Reopened this concern."), REASON),
    "concern.transferred": (
        First(
            (
                _("Sent the file to {to_school} on {sent_on}."),
                _("Sent the file to another school on {sent_on}."),
            )
        ),
    ),
    "concern.receipt-confirmed": (
        _("The new school received the file on {received_on}."),
        _("Confirmed by {by_whom}."),
    ),
    "scheme.adopted": (
        First((_("Adopted the scheme’s rules for {school_name}."), _("Adopted the scheme’s rules."))),
        _("A review after {sessions}."),
    ),
    "staff.account-opened": (
        First((_("Opened an account for {name}, {role}."), _("Opened an account, {role}."))),
    ),
    "staff.token-issued": (_("Issued a token, so that a program may act for this account."),),
    "staff.account-ended": (_("Ended this account."), REASON),
}

TITLES: Final[dict[str, str]] = {
    "corrected": _("Corrected"),
    "disputed": _("Disputed"),
    "pupil.enrolled": _("Put on the roll"),
    "pupil.moved-up": _("Moved up"),
    "pupil.left": _("Left the school"),
    "pupil.legal-hold-put": _("Legal hold"),
    "pupil.legal-hold-released": _("Legal hold released"),
    "pupil.kept-longer": _("Kept longer"),
    "erasure.requested": _("Erasure asked for"),
    "erasure.withdrawn": _("Request withdrawn"),
    "erasure.ordered": _("Erasure approved"),
    "erasure.key-destroyed": _("Key destroyed"),
    "erasure.completed": _("Erasure completed"),
    "mentor.applied": _("Application"),
    "mentor.interviewed": _("Interview"),
    "mentor.selected": _("Selected"),
    "mentor.turned-down": _("Turned down"),
    "mentor.trained": _("Training"),
    "mentor.agreement-signed": _("Agreement signed"),
    "mentor.qualified": _("Award"),
    "mentor.attached": _("Attached to a tutor group"),
    "mentor.took-on": _("Took on a mentee"),
    "mentor.handed-back": _("No longer has a mentee"),
    "mentor.supervised": _("Supervision"),
    "mentor.appointed": _("Appointed to a post"),
    "mentor.stood-down": _("Stood down"),
    "mentee-case.referred": _("Mentoring referral"),
    "mentee-case.declined": _("Mentoring referral declined"),
    "mentee-case.matched": _("Matched"),
    "mentee-case.purpose-agreed": _("Purpose agreed"),
    "mentee-case.letter-sent": _("Letter home"),
    "mentee-case.session-arranged": _("Session arranged"),
    "mentee-case.session-held": _("Session held"),
    "mentee-case.session-missed": _("Session missed"),
    "mentee-case.more-asked-for": _("More sessions asked for"),
    "mentee-case.extended": _("Case extended"),
    "mentee-case.match-ended": _("Match ended"),
    "mentee-case.put-on-hold": _("Put on hold"),
    "mentee-case.hold-released": _("No longer on hold"),
    "mentee-case.closed": _("Case closed"),
    "mentee-case.reopened": _("Case reopened"),
    "mentee-case.confidentiality-broken": _("Confidentiality broken"),
    "concern.raised": _("Concern raised"),
    "concern.notified": _("Alert sent"),
    "concern.acknowledged": _("Concern acknowledged"),
    "concern.assessed": _("Concern assessed"),
    "concern.decided": _("Decision"),
    "concern.referred-out": _("Safeguarding referral"),
    "concern.outcome-received": _("Outcome received"),
    "concern.information-shared": _("Information shared"),
    "concern.action-assigned": _("Action assigned"),
    "concern.action-completed": _("Action completed"),
    "concern.child-informed": _("Child informed"),
    "concern.closed": _("Concern closed"),
    "concern.closing-approved": _("Closing approved"),
    "concern.reopened": _("Concern reopened"),
    "concern.transferred": _("File transferred"),
    "concern.receipt-confirmed": _("Receipt confirmed"),
    "scheme.adopted": _("Rules adopted"),
    "staff.account-opened": _("Account opened"),
    "staff.token-issued": _("Token issued"),
    "staff.account-ended": _("Account ended"),
}
