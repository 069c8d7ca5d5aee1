"""One mentee's case, from mentoring referral to close: what the whole product turns on.

referred → matched → at review (as many sessions held as planned) → closed
referred → declined; extended: matched again with more planned; match ended or reopened: referred again
"on hold" is a flag beside the state; while it is up the case can't be closed, and the DSL takes it down
"""

from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

from domain.fact import By, Subject, day, records
from domain.mentee_case_facts import (
    Closed,
    ConfidentialityBroken,
    Corrected,
    Declined,
    Disputed,
    Extended,
    HoldReleased,
    LetterSent,
    Matched,
    MatchEnded,
    MoreAskedFor,
    PurposeAgreed,
    PutOnHold,
    Referred,
    Reopened,
    SessionArranged,
    SessionHeld,
    SessionMissed,
)

State = Literal["referred", "matched", "at_review", "closed", "declined"]
MOST_MINUTES: Final = 480
MOST_MORE_SESSIONS: Final = 30


class MenteeCase(Subject):
    """A case, as later decisions need to know it."""

    corrected = Corrected
    disputed = Disputed

    def begin(self) -> None:
        """Start before the mentoring referral."""
        super().begin()
        self.state: State = "referred"
        self.on_hold = False
        self.pupil_id: UUID | None = None
        self.mentor_id: UUID | None = None
        self.mentors: tuple[UUID, ...] = ()
        self.referrer: UUID | None = None
        self.referred_on: date | None = None
        self.matched_on: date | None = None
        self.last_held_on: date | None = None
        self.next_meeting: SessionArranged | None = None
        self.sessions_held = 0
        self.sessions_planned = 0
        self.more_asked_for = False

    # What people may do

    @records(Referred)
    def refer(self, by: By, **said: Any) -> None:
        """Ask for a peer mentor: a mentoring referral."""
        if self.version:
            self.refuse("This mentoring referral is already recorded.")
        if not said.get("pupil_id") and not said.get("pupil_in_words"):
            self.refuse("Say which pupil this is about.")
        self.record(Referred, by, sessions_planned=by.policy.sessions, **said)

    @records(Declined)
    def decline(self, by: By, **said: Any) -> None:
        """Say that the scheme isn't the right help, and why."""
        self._only_when("referred", "Only a case that is waiting for a mentor can be declined.", "close")
        self._not_on_hold(by, "declining it")
        self._in_order(by)
        self.record(Declined, by, **said)

    @records(Matched)
    def match(self, by: By, *, mentor_id: UUID, reason: str | None = None) -> None:
        """Give the case to a mentor. Whether the mentor can take it is the mentor's rule."""
        self._only_when("referred", "This case isn't waiting for a mentor.", "end-match")
        self._not_on_hold(by, "matching a mentor")
        if self.pupil_id is None:
            self.refuse(
                "Find the pupil on the roll before matching a mentor: correct “pupil_id” of entry 1.",
                "correct",
            )
        self._in_order(by)
        planned = self.sessions_planned
        if planned <= self.sessions_held:
            planned = self.sessions_held + by.policy.sessions
        self.record(Matched, by, mentor_id=mentor_id, sessions_planned=planned, reason=reason)

    @records(MatchEnded)
    def end_match(self, by: By, *, reason: str) -> None:
        """Take the case from its mentor; it waits for another."""
        self._must_be_matched("ending the match")
        self._in_order(by)
        self.record(MatchEnded, by, reason=reason, mentor_id=self.mentor_id)

    @records(PurposeAgreed)
    def agree_purpose(self, by: By, **said: Any) -> None:
        """Record what the meetings are for."""
        self._must_be_matched("agreeing a purpose")
        self._in_order(by)
        self.record(PurposeAgreed, by, **said)

    @records(LetterSent)
    def send_letter(self, by: By, **said: Any) -> None:
        """Record a letter home. A school writes home at any time, also to say no or good-bye."""
        self._in_order(by)
        self.record(LetterSent, by, **said)

    @records(SessionArranged)
    def arrange_session(self, by: By, **said: Any) -> None:
        """Arrange when and where they meet next."""
        self._must_be_matched("arranging a session")
        self._in_order(by)
        self.record(SessionArranged, by, **said)

    @records(SessionHeld)
    def hold_session(self, by: By, **said: Any) -> None:
        """Record that they met. The last planned session brings the case to its review."""
        self._must_be_matched("recording a session")
        if self.state == "at_review":
            self.refuse(
                f"All {self.sessions_planned} planned sessions have been held. Extend the case before"
                " recording another.",
                "extend",
            )
        if not 1 <= said["minutes"] <= MOST_MINUTES:
            self.refuse(f"Give the length of the session in minutes, from 1 to {MOST_MINUTES}.")
        self._since_match(by, said["held_on"])
        self.record(SessionHeld, by, **said)

    @records(SessionMissed)
    def miss_session(self, by: By, **said: Any) -> None:
        """Record that a planned meeting didn't happen."""
        self._must_be_matched("recording a missed session")
        self._since_match(by, said["due_on"])
        self.record(SessionMissed, by, **said)

    @records(MoreAskedFor)
    def ask_for_more(self, by: By, **said: Any) -> None:
        """Record that the mentee would like more sessions."""
        self._must_be_matched("asking for more sessions")
        self._in_order(by)
        self.record(MoreAskedFor, by, **said)

    @records(Extended)
    def extend(self, by: By, **said: Any) -> None:
        """Agree more sessions at the review."""
        self._only_when("at_review", "A case can be extended at its review, after the last planned session.")
        self._not_on_hold(by, "extending it")
        if not 1 <= said["sessions"] <= MOST_MORE_SESSIONS:
            self.refuse(f"Extend by at least 1 and at most {MOST_MORE_SESSIONS} sessions.")
        self._in_order(by, self.last_held_on, "the last session")
        self.record(Extended, by, **said)

    @records(Closed)
    def close(self, by: By, **said: Any) -> None:
        """Close the case at its review, or earlier where the mentoring stops."""
        self._only_when(
            ("matched", "at_review"),
            "Only a case that has a mentor can be closed. Decline it, or match a mentor first."
            if self.state == "referred"
            else f"This case is already {self.state}.",
            "decline" if self.state == "referred" else "reopen",
        )
        self._not_on_hold(by, "closing it")
        self._in_order(by, self.last_held_on, "the last session")
        self.record(Closed, by, **said)

    @records(Reopened)
    def reopen(self, by: By, **said: Any) -> None:
        """Open a closed or declined case again; it waits for a mentor."""
        self._only_when(("closed", "declined"), "This case is still open.")
        self._in_order(by)
        self.record(Reopened, by, **said)

    @records(PutOnHold)
    def hold(self, by: By, **said: Any) -> None:
        """Put the case on hold, so that it can't be closed."""
        if self.on_hold:
            self.refuse("This case is already on hold.")
        self.record(PutOnHold, by, **said)

    @records(HoldReleased)
    def release(self, by: By, **said: Any) -> None:
        """Take the hold away."""
        if not self.on_hold:
            self.refuse("This case isn't on hold.")
        self.record(HoldReleased, by, **said)

    def break_confidentiality(self, by: By, *, concern_id: UUID) -> None:
        """Say that the safeguarding lead was told, and put the case on hold. No state refuses this."""
        self.record(ConfidentialityBroken, by, concern_id=concern_id)
        if not self.on_hold:
            self.record(PutOnHold, by)

    @records(Corrected)
    def correct(self, by: By, *, version: int, field: str, value: str, reason: str) -> None:
        """Correct an entry. Correcting the first one's pupil says who the referrer's words meant."""
        if field == "pupil_id":
            try:
                UUID(value)
            except ValueError:
                self.refuse("Choose a pupil from the roll.")
        super().correct(by, version=version, field=field, value=value, reason=reason)

    # The rules

    def _only_when(self, states: str | tuple[str, ...], sentence: str, way_out: str | None = None) -> None:
        if self.state not in ((states,) if isinstance(states, str) else states):
            self.refuse(sentence, way_out)

    def _must_be_matched(self, doing: str) -> None:
        if self.state in ("closed", "declined"):
            self.refuse(f"This case is {self.state}. Reopen it and match a mentor before {doing}.", "reopen")
        if self.mentor_id is None:
            self.refuse(f"Match a mentor before {doing}.", "match")

    def _not_on_hold(self, by: By, doing: str) -> None:
        """One sentence for every kind of hold, so that it tells nobody why."""
        if self.on_hold:
            self.refuse(f"This case is on hold. Speak to {by.lead} before {doing}.")

    def _in_order(self, by: By, since: date | None = None, what: str = "") -> None:
        """Nothing in a case happened before the mentoring referral that opened it."""
        happened_on = by.happened_on or by.today
        if self.referred_on and happened_on < self.referred_on:
            self.refuse(f"{day(happened_on)} is before the mentoring referral on {day(self.referred_on)}.")
        if since and happened_on < since:
            self.refuse(f"{day(happened_on)} is before {what} on {day(since)}.")

    def _since_match(self, by: By, on: date) -> None:
        """A session belongs to the time since this mentor was matched."""
        for when in (on, by.happened_on or on):
            if self.matched_on and when < self.matched_on:
                self.refuse(f"{day(when)} is before the match on {day(self.matched_on)}. Check the date.")

    # What the facts changed

    def on_referred(self, fact: Referred) -> None:
        self.pupil_id = fact.pupil_id
        self.referrer = fact.recorded_by
        self.referred_on = fact.happened_on
        self.sessions_planned = fact.sessions_planned

    def on_declined(self, _: Declined) -> None:
        self.state = "declined"

    def on_matched(self, fact: Matched) -> None:
        self.state = "matched"
        self.mentor_id = fact.mentor_id
        self.mentors += (fact.mentor_id,)
        self.matched_on = fact.happened_on
        self.sessions_planned = fact.sessions_planned

    def on_session_arranged(self, fact: SessionArranged) -> None:
        self.next_meeting = fact

    def on_session_held(self, fact: SessionHeld) -> None:
        self.next_meeting = None
        self.sessions_held += 1
        self.last_held_on = max(fact.held_on, self.last_held_on or fact.held_on)
        if self.sessions_held >= self.sessions_planned:
            self.state = "at_review"

    def on_session_missed(self, _: SessionMissed) -> None:
        self.next_meeting = None

    def on_more_asked_for(self, _: MoreAskedFor) -> None:
        self.more_asked_for = True

    def on_extended(self, fact: Extended) -> None:
        self.state = "matched"
        self.sessions_planned += fact.sessions
        self.more_asked_for = False

    def on_match_ended(self, _: MatchEnded) -> None:
        self._wait("referred")

    def on_closed(self, _: Closed) -> None:
        self._wait("closed")

    def on_reopened(self, _: Reopened) -> None:
        self._wait("referred")

    def on_put_on_hold(self, _: PutOnHold) -> None:
        self.on_hold = True

    def on_hold_released(self, _: HoldReleased) -> None:
        self.on_hold = False

    def on_corrected(self, fact: Corrected) -> None:
        if fact.field == "pupil_id" and not self.erased:
            self.pupil_id = UUID(fact.value)

    def _wait(self, state: State) -> None:
        self.state = state
        self.mentor_id = None
        self.next_meeting = None
