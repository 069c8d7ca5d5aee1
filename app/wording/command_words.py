"""Each command in words. Questions are the fields' own; `ask` holds those that a command puts otherwise."""

from typing import Final

from app.wording.common import _
from app.wording.fields import Field
from app.wording.forgetting_words import FORGETTING
from app.wording.words import Words, ask

TELL_SOMEBODY: Final = _(
    "Stay with them. Find any adult in school now. Writing it here is not telling someone."
)
ALERTED: Final = _("The safeguarding lead is being alerted. Find an adult in school now if you haven’t yet.")

COMMANDS: Final[dict[str, Words]] = {
    # pupils
    "pupils/enrol": Words(
        _("Add a pupil to the roll"),
        _("Pupil added to the roll."),
        _("You can make a mentoring referral for this pupil now."),
        _("Add pupil"),
    ),
    "pupils/move-up": Words(_("Change year or tutor group"), _("Year and tutor group recorded.")),
    "pupils/leave": Words(
        _("Record that a pupil left"),
        _("Leaving recorded."),
        _("Close or hand over any case that this pupil has."),
        ask={"destination": ask(_("Where did they go?"), _("The new school, if you know it."))},
    ),
    # mentors
    "mentors/apply": Words(
        _("Apply to be a peer mentor"),
        _("Application recorded."),
        _("An interview comes next."),
        _("Send application"),
        ask={"pupil_id": ask(_("Which pupil is applying?"))},
    ),
    "mentors/interview": Words(
        _("Record an interview"),
        _("Interview recorded."),
        _("Select this applicant or turn the application down."),
        ask={"held_on": ask(_("When was the interview?"))},
    ),
    "mentors/select": Words(
        _("Select this mentor"),
        _("Mentor selected."),
        _("Training and the confidentiality agreement come next."),
    ),
    "mentors/turn-down": Words(
        _("Turn down this application"),
        _("Application turned down."),
        _("Tell the pupil in person, and say what else they could do."),
    ),
    "mentors/train": Words(_("Record training"), _("Training recorded.")),
    "mentors/sign-agreement": Words(
        _("Record the signed agreement"), _("Agreement recorded."), button=_("Record agreement")
    ),
    "mentors/qualify": Words(_("Record an award"), _("Award recorded.")),
    "mentors/attach": Words(
        _("Attach to a tutor group"),
        _("Tutor group recorded."),
        ask={"tutor_group": ask(_("Which tutor group?"), _("For example, 7B."))},
    ),
    "mentors/supervise": Words(
        _("Record supervision"),
        _("Supervision recorded."),
        ask={
            "held_on": ask(_("When was it?")),
            "notes": ask(_("Notes"), _("How is the mentor? What do they need?")),
        },
    ),
    "mentors/appoint": Words(_("Appoint to a post"), _("Post recorded.")),
    "mentors/stand-down": Words(
        _("Stand down this mentor"), _("Mentor stood down."), _("This mentor takes no more mentees.")
    ),
    # cases
    "cases/refer": Words(
        _("Make a mentoring referral"),
        _("Mentoring referral recorded."),
        _("The coordinator looks for a peer mentor next."),
        _("Send mentoring referral"),
        ask={
            "words": ask(
                _("What would you like the mentor to help with?"), _("Use the pupil’s own words if you can.")
            ),
        },
    ),
    "cases/decline": Words(
        _("Decline this mentoring referral"),
        _("Mentoring referral declined."),
        _("Tell whoever asked, and the pupil. The case can be opened again."),
        ask={"reason": ask(_("Why isn’t peer mentoring the right help?"))},
    ),
    "cases/match": Words(
        _("Match a mentor"),
        _("Mentor matched."),
        _("Tell both pupils, then arrange their first session."),
        ask={"reason": ask(_("Why this mentor?"))},
    ),
    "cases/end-match": Words(
        _("End this match"),
        _("Match ended."),
        _("The case waits for another mentor."),
        ask={"reason": ask(_("Why is this match ending?"))},
    ),
    "cases/agree-purpose": Words(
        _("Agree the purpose"), _("Purpose recorded."), _("Give each session a focus that fits it.")
    ),
    "cases/send-letter": Words(
        _("Record a letter home"),
        _("Letter home recorded."),
        ask={
            "kind": Field(
                _("About"), _("What was the letter about?"), _("For example, that mentoring begins.")
            ),
            "sent_on": ask(_("When was it sent?")),
        },
    ),
    "cases/arrange-session": Words(_("Arrange a session"), _("Session arranged.")),
    "cases/hold-session": Words(
        _("Record a session"),
        _("Session recorded."),
        _("Arrange the next session, or review the case if this was the last one."),
        intro=_("If you are worried about someone, tell an adult in school now."),
    ),
    "cases/miss-session": Words(
        _("Record a missed session"),
        _("Missed session recorded."),
        _("Arrange another session soon, so that the meetings keep their rhythm."),
        ask={"reason": ask(_("Why didn’t you meet?"))},
    ),
    "cases/ask-for-more": Words(
        _("Ask for more sessions"),
        _("Wish for more sessions recorded."),
        _("The coordinator sees it at the review."),
        ask={"words": ask(_("What did the mentee say?"), _("Use their own words."))},
    ),
    "cases/extend": Words(
        _("Extend this case"),
        _("Case extended."),
        _("They go on meeting. The case comes back for review after the last of these sessions."),
        ask={"reason": ask(_("Why are more sessions needed?"))},
    ),
    "cases/close": Words(
        _("Close this case"),
        _("Case closed."),
        _("Tell both pupils. The mentor has a free place again, and the case can be opened again."),
        ask={"reason": ask(_("Why are you closing this case?"))},
    ),
    "cases/reopen": Words(
        _("Reopen this case"),
        _("Case reopened."),
        _("It waits for a mentor."),
        ask={"reason": ask(_("Why is it being opened again?"))},
    ),
    "cases/hold": Words(
        _("Put this case on hold"),
        _("Case put on hold."),
        _("It can’t be closed until the hold is released."),
        ask={"reason": ask(_("Why?"), _("If a parent or guardian objects, say what to."))},
    ),
    "cases/release": Words(
        _("Release the hold"), _("Hold released."), _("The coordinator can decide on this case again.")
    ),
    "cases/break-confidentiality": Words(
        _("I’m worried about someone"),
        _("Your concern is recorded."),
        ALERTED,
        _("Send to the safeguarding lead"),
        TELL_SOMEBODY,
    ),
    # concerns
    "concerns/raise-concern": Words(
        _("Raise a concern"),
        _("Your concern is recorded."),
        ALERTED,
        _("Send to the safeguarding lead"),
        TELL_SOMEBODY,
    ),
    "concerns/acknowledge": Words(
        _("Acknowledge this concern"),
        _("Concern acknowledged."),
        _("Whoever raised it can see that it was read. The alerts stop."),
        _("I have read this"),
    ),
    "concerns/assess": Words(
        _("Assess this concern"), _("Assessment recorded."), _("Decide what to do next.")
    ),
    "concerns/decide": Words(
        _("Decide what to do"),
        _("Decision recorded."),
        _("Record what was done: safeguarding referrals, actions, and what the child was told."),
        _("Record decision"),
    ),
    "concerns/refer-out": Words(
        _("Record a safeguarding referral"),
        _("Safeguarding referral recorded."),
        _("Record the outcome when it comes."),
    ),
    "concerns/record-outcome": Words(
        _("Record an outcome"),
        _("Outcome recorded."),
        ask={"outcome": ask(_("What was the answer?"))},
    ),
    "concerns/share": Words(
        _("Record that information was shared"),
        _("Sharing recorded."),
        button=_("Record sharing"),
        ask={
            "basis": ask(_("On what basis was it shared?"), _("For example, consent, or a child’s safety."))
        },
    ),
    "concerns/assign-action": Words(
        _("Assign an action"),
        _("Action assigned."),
        _("Record it as done when it is."),
        ask={"due_on": ask(_("By when?"))},
    ),
    "concerns/complete-action": Words(_("Record a completed action"), _("Action completed.")),
    "concerns/inform-child": Words(
        _("Record what the child was told"),
        _("Recorded what the child was told."),
        button=_("Record"),
        ask={"words": ask(_("What was the child told?"))},
    ),
    "concerns/close": Words(
        _("Close this concern"),
        _("Concern closed."),
        _("A hold on the pupil’s case stays until you release it. The concern can be opened again."),
    ),
    "concerns/approve-closing": Words(_("Approve the closing"), _("Closing approved.")),
    "concerns/reopen": Words(
        _("Reopen this concern"), _("Concern reopened."), _("It needs a decision of its own.")
    ),
    "concerns/transfer": Words(
        _("Record that the file was sent"), _("Transfer recorded."), _("Record the receipt when it comes.")
    ),
    "concerns/confirm-receipt": Words(_("Record the receipt"), _("Receipt recorded.")),
    **FORGETTING,
    # scheme and accounts
    "scheme/adopt": Words(
        _("Adopt the scheme’s rules"),
        _("Rules adopted."),
        _("New cases follow them. Earlier cases keep the rules that they were opened under."),
        ask={"sessions": ask(_("How many sessions before the review?"))},
    ),
    "staff/open-account": Words(
        _("Open an account"),
        _("Account opened."),
        ask={"mentor_id": ask(_("Which peer mentor is this?"), _("Only for a mentor’s account."))},
    ),
    "staff/issue-token": Words(
        _("Issue a token"),
        _("Token issued."),
        _("A program that has it can act for this account. Keep it secret."),
    ),
    "staff/end-account": Words(
        _("End this account"), _("Account ended."), _("This person can’t sign in any more.")
    ),
}

OF_AN_ENTRY: Final[dict[str, Words]] = {
    "correct": Words(
        _("Correct an entry"),
        _("Correction recorded."),
        _("The old words stay in the history beside the new ones."),
        _("Record correction"),
        _("Nothing is deleted: the entry stays, with your correction beside it."),
        ask={"reason": ask(_("Why is it being corrected?"))},
    ),
    "dispute": Words(
        _("Dispute an entry"),
        _("Dispute recorded."),
        _("The entry stays and is marked. It should be answered within a month."),
        _("Record dispute"),
        ask={"words": ask(_("What isn’t right?"), _("Use the words of whoever disputes it."))},
    ),
}
"""Commands about an earlier entry, alike for every thing."""
