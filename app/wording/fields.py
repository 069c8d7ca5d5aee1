"""Each field by name, once: its label in a history, the question that asks for it, and how it is asked.

Where a command needs another question for the same field, `command_words.py` has it.
"""

from dataclasses import dataclass
from typing import Final, Literal

from app.wording.common import ROLES, _

Kind = Literal["text", "words", "number", "date", "datetime", "choice", "choices", "flag"]
"""How a field is asked: text is one line, words are many, choice is one of, choices are any of."""


@dataclass(frozen=True)
class Field:
    """One field. `options` pairs what is stored with what people read; other values may be stored too."""

    label: str
    question: str = ""
    hint: str = ""
    kind: Kind = "text"
    options: tuple[tuple[str, str], ...] = ()


YEARS: Final = tuple((str(n), _("Year {n}").format(n=n)) for n in range(7, 14))

FIELDS: Final[dict[str, Field]] = {
    # who and where
    "given_name": Field(_("Given name"), _("Given name")),
    "family_name": Field(_("Family name"), _("Family name")),
    "known_as": Field(_("Known as"), _("Known as"), _("The name that they use, if it is another one.")),
    "born_on": Field(_("Date of birth"), _("Date of birth"), _("For example, 27 3 2013."), "date"),
    "year_group": Field(_("Year group"), _("Year group"), _("From 0 (Reception) to 13."), "number"),
    "tutor_group": Field(_("Tutor group"), _("Tutor group"), _("For example, 7B.")),
    "upn": Field(
        _("Unique pupil number"), _("Unique pupil number (UPN)"), _("One letter and 12 digits or letters.")
    ),
    "left_on": Field(_("Left on"), _("When did they leave?"), kind="date"),
    "destination": Field(_("Destination"), _("Where did they go?")),
    "pupil_id": Field(_("Pupil"), _("Which pupil is this about?"), kind="choice"),
    "pupil_in_words": Field(
        _("Pupil, as named"),
        _("Which pupil is this about?"),
        _("Full name, and year or tutor group if you know it."),
    ),
    "mentor_id": Field(_("Peer mentor"), _("Which peer mentor?"), kind="choice"),
    "name": Field(_("Name"), _("Name"), _("As pupils and staff call them, for example Ms Price.")),
    "role": Field(_("Role"), _("Role"), kind="choice", options=tuple(ROLES.items())),
    "email": Field(_("Email address"), _("Email address")),
    # a mentor
    "statement": Field(_("Statement"), _("Why would they like to be a peer mentor?"), kind="words"),
    "panel": Field(_("Panel"), _("Who was on the panel?")),
    "course": Field(_("Course"), _("Which course did they complete?")),
    "completed_on": Field(_("Completed on"), _("When did they complete it?"), kind="date"),
    "signed_on": Field(_("Signed on"), _("When did they sign it?"), kind="date"),
    "agreement_version": Field(
        _("Version of the agreement"), _("Which version of the agreement?"), _("For example, September 2026.")
    ),
    "award": Field(_("Award"), _("Which award?"), _("For example, ASDAN Peer Mentoring.")),
    "awarded_on": Field(_("Awarded on"), _("When was it awarded?"), kind="date"),
    "kind": Field(
        _("Kind"),
        _("What kind of supervision was it?"),
        "",
        "choice",
        (("one_to_one", _("One to one")), ("group", _("In a group"))),
    ),
    "post": Field(_("Post"), _("Which post?"), _("For example, Head Peer Mentor.")),
    # a case
    "route": Field(
        _("Who asked"),
        _("Who is asking for a peer mentor?"),
        "",
        "choice",
        (
            ("self", _("The pupil")),
            ("parent", _("A parent or guardian")),
            ("staff", _("A member of staff")),
            ("mentor", _("A peer mentor")),
        ),
    ),
    "reasons": Field(
        _("Reasons"),
        _("What would mentoring help with?"),
        _("Choose all that fit."),
        "choices",
        (
            ("friendships", _("Friendships")),
            ("settling_in", _("Settling in")),
            ("bullying", _("Bullying")),
            ("attendance", _("Attendance")),
            ("under_achievement", _("Under-achievement")),
            ("behaviour", _("Behaviour")),
            ("self_esteem", _("Self-esteem")),
            ("other", _("Something else")),
        ),
    ),
    "words": Field(_("In their words"), _("What did they say?"), _("Use their own words."), "words"),
    "referred_by": Field(_("Asked by"), _("Name of the person who is asking")),
    "signposted_to": Field(_("Pointed to"), _("Which other help were they pointed to?")),
    "purpose": Field(_("Purpose"), _("What are the meetings for?"), _("What they both agreed on."), "words"),
    "expectations": Field(_("Expectations"), _("What does each of them expect?"), kind="words"),
    "at": Field(
        _("Meeting at"), _("When will they meet?"), _("For example, 14 9 2026 at 1:05pm."), "datetime"
    ),
    "place": Field(_("Place"), _("Where will they meet?")),
    "held_on": Field(_("Held on"), _("When did you meet?"), kind="date"),
    "minutes": Field(_("Minutes"), _("How many minutes did it last?"), kind="number"),
    "focus": Field(_("Focus"), _("What did you talk about?"), _("A few words are enough.")),
    "notes": Field(_("Notes"), _("Notes"), _("Write what happened. Keep facts apart from opinion."), "words"),
    "friend_came": Field(_("A friend came"), _("A friend came along"), kind="flag"),
    "due_on": Field(_("Due on"), _("When was it due?"), kind="date"),
    "sessions": Field(_("Sessions"), _("How many more sessions?"), kind="number"),
    "mentee_wishes": Field(
        _("The mentee’s wishes"), _("What does the mentee want?"), _("Ask before you decide."), "words"
    ),
    "outcome": Field(_("Outcome"), _("What was the outcome?"), kind="words"),
    "reason": Field(
        _("Reason"), _("Why?"), _("Whoever reads this later should understand the reason."), "words"
    ),
    # a concern
    "childs_words": Field(
        _("The child’s own words"),
        _("What did the child say?"),
        _("Use the child’s own words, as near as you can."),
        "words",
    ),
    "facts": Field(
        _("What was seen or heard"), _("What did you see or hear yourself?"), _("Facts only."), "words"
    ),
    "opinion": Field(
        _("Opinion"), _("What do you think is happening?"), _("Your opinion, apart from facts."), "words"
    ),
    "immediate_danger": Field(_("In danger now"), _("Somebody is in danger now"), kind="flag"),
    "disclosed_at": Field(_("Told at"), _("When did the child tell you?"), kind="datetime"),
    "passed_on": Field(_("Passed on to"), _("Whom have you told, and when?"), kind="words"),
    "basis": Field(_("Basis"), _("Why may this be passed on?"), kind="words"),
    "mentee_informed": Field(
        _("Child knows it was passed on"), _("Does the child know that you are passing this on?")
    ),
    "about": Field(
        _("About"),
        _("Whom is your concern about?"),
        "",
        "choice",
        (("pupil", _("A pupil")), ("staff", _("A member of staff or another adult in school"))),
    ),
    "about_words": Field(_("About whom"), _("Who is it?"), _("Their name, or how you know them.")),
    "involved": Field(_("Other pupils involved"), _("Which other pupils are involved?"), kind="choices"),
    "threshold": Field(
        _("Threshold"),
        _("How serious is it?"),
        _("In your local threshold document’s words: early help, child in need (s.17), s.47 enquiry."),
    ),
    "decision": Field(
        _("Decision"),
        _("What have you decided?"),
        "",
        "choice",
        (
            ("refer", _("Make a safeguarding referral")),
            ("early_help", _("Early help")),
            ("monitor", _("Monitor")),
            ("no_further_action", _("No further action")),
        ),
    ),
    "rationale": Field(
        _("Rationale"),
        _("Why?"),
        _("The reasons on what you knew then. “No further action” needs them too."),
        "words",
    ),
    "alternatives": Field(
        _("Alternatives rejected"), _("What else did you consider, and why not?"), kind="words"
    ),
    "body": Field(_("Sent to"), _("Which body was it sent to?"), _("For example, the front door or MASH.")),
    "sent_at": Field(_("Sent at"), _("When was it sent?"), kind="datetime"),
    "reference": Field(_("Their reference"), _("What reference did they give?")),
    "received_on": Field(_("Received on"), _("When did it arrive?"), kind="date"),
    "with_whom": Field(_("Shared with"), _("With whom was it shared?")),
    "what": Field(_("What was shared"), _("What was shared?"), kind="words"),
    "action": Field(_("Action"), _("What is to be done?"), kind="words"),
    "owner": Field(_("Who does it"), _("Who will do it?")),
    "action_version": Field(_("Action"), _("Which action was done?"), kind="number"),
    "done_on": Field(_("Done on"), _("When was it done?"), kind="date"),
    "told_on": Field(_("Told on"), _("When was the child told?"), kind="date"),
    "to_school": Field(_("New school"), _("Which school was the file sent to?")),
    "sent_on": Field(_("Sent on"), _("When was it sent?"), kind="date"),
    "by_whom": Field(_("Confirmed by"), _("Who confirmed it?")),
    # an earlier entry
    "version": Field(_("Entry"), _("Which entry?"), kind="number"),
    "field": Field(_("What was wrong"), _("What is wrong in it?"), kind="choice"),
    "value": Field(_("Corrected to"), _("What should it have been?"), kind="words"),
    # the scheme's rules
    "school_name": Field(_("School"), _("Name of the school")),
    "days_between_sessions": Field(
        _("Days between sessions"), _("How many days between sessions?"), kind="number"
    ),
    "caseload": Field(
        _("Most mentees for one mentor"), _("How many mentees may one mentor have?"), kind="number"
    ),
    "mentor_years": Field(
        _("Mentors’ year groups"), _("Which year groups do mentors come from?"), "", "choices", YEARS
    ),
    "lead_title": Field(
        _("Title of the safeguarding lead"),
        _("What is your safeguarding lead called?"),
        _("In Wales, Designated Safeguarding Person."),
    ),
    "lead_short_title": Field(_("Short title"), _("And in short?"), _("For example, DSL or DSP.")),
    "acknowledge_within_hours": Field(
        _("Hours to acknowledge a concern"),
        _("Within how many hours must a concern be acknowledged?"),
        kind="number",
    ),
    "decide_within_hours": Field(
        _("Hours to decide on a concern"), _("Within how many hours must it be decided on?"), kind="number"
    ),
    "alert_again_after_minutes": Field(
        _("Minutes between alerts"), _("After how many minutes is the lead alerted again?"), kind="number"
    ),
    "quiet_after_days": Field(
        _("Days until a case has gone quiet"),
        _("After how many days without a session has a case gone quiet?"),
        kind="number",
    ),
    "supervision_every_days": Field(
        _("Days between supervisions"), _("Every how many days should a mentor be supervised?"), kind="number"
    ),
    "closing_needs_second_person": Field(
        _("Second person approves closing"),
        _("A second person must approve the closing of a concern"),
        kind="flag",
    ),
    "emergency_words": Field(
        _("Words for an emergency"),
        _("What should anyone read first who is worried about a child?"),
        kind="words",
    ),
    "keep_concerns_until_age": Field(
        _("Age until which concerns are kept"),
        _("Until which age of the pupil are concerns kept, before somebody reviews them?"),
        kind="number",
    ),
    "keep_mentoring_years": Field(
        _("Years that mentoring is kept"),
        _("How many years after leaving is mentoring without any concern kept?"),
        kind="number",
    ),
    "keep_mentors_years": Field(
        _("Years that mentors’ records are kept"),
        _("How many years after leaving is a mentor’s own record kept?"),
        kind="number",
    ),
    # forgetting
    "subject_id": Field(_("Entry"), _("Which entry?"), kind="choice"),
    "scope": Field(
        _("What"),
        _("What is to be erased?"),
        "",
        "choice",
        (
            ("identity", _("A pupil’s names and date of birth")),
            ("narrative", _("A case with its concerns")),
            ("mentor", _("A mentor’s own record")),
        ),
    ),
    "grounds": Field(
        _("Why now"),
        _("Why is it to be erased?"),
        "",
        "choice",
        (
            ("retention", _("It was kept for as long as the school’s rules say")),
            ("data_subject", _("The person it is about asks for it")),
        ),
    ),
    "until": Field(_("Kept until"), _("Until when is it kept?"), kind="date"),
    # worked out, never asked
    "sessions_planned": Field(_("Sessions planned in all")),
    "case_id": Field(_("Case")),
    "targets": Field(_("Parts")),
    "target": Field(_("Part")),
    "people": Field(_("Pupils in it")),
    "kid": Field(_("Key")),
    "concern_id": Field(_("Concern")),
    "gaps": Field(_("To ask about")),
    "told": Field(_("Alerted")),
    "channel": Field(_("By"), options=(("outbox", _("e-mail kept as a file")),)),
    "times": Field(_("Alert number")),
}

HAPPENED_ON: Final = Field(
    _("Happened on"), _("When did this happen?"), _("Leave this empty if it was today."), "date"
)
"""What every command may ask beside its own: a day in the school's time zone, never in the future."""
ANOTHER_DAY: Final = _("It happened on another day")
"""Under this, that question waits: what is recorded has mostly happened today."""
