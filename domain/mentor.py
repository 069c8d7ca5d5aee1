"""A peer mentor: from application to standing down, and which cases they carry.

    applied → interviewed → selected (or turned down) → trained and signed → takes cases → stood down

The names of the facts and of their fields are a storage format and never change.
"""

from typing import Any, Literal
from uuid import UUID

from domain.fact import By, CorrectedFact, DisputedFact, Fact, OnDay, Subject, pinned, records
from domain.policy import Policy


class Applied(Fact):
    """A pupil would like to be a peer mentor."""

    pupil_id: UUID
    statement: str
    TOPIC = "mentor.applied"


class Interviewed(Fact):
    """A panel met them."""

    held_on: OnDay
    panel: str
    notes: str
    TOPIC = "mentor.interviewed"


class Selected(Fact):
    """They were chosen."""

    reason: str
    TOPIC = "mentor.selected"


class TurnedDown(Fact):
    """They weren't chosen this time."""

    reason: str
    TOPIC = "mentor.turned-down"


class Trained(Fact):
    """They completed a course."""

    course: str
    completed_on: OnDay
    TOPIC = "mentor.trained"


class AgreementSigned(Fact):
    """They signed the confidentiality agreement, with its exceptions."""

    signed_on: OnDay
    agreement_version: str
    TOPIC = "mentor.agreement-signed"


class Qualified(Fact):
    """They earned an award."""

    award: str
    awarded_on: OnDay
    TOPIC = "mentor.qualified"


class Attached(Fact):
    """They go with a tutor group."""

    tutor_group: str
    TOPIC = "mentor.attached"


class TookOn(Fact):
    """They have this case now."""

    case_id: UUID
    TOPIC = "mentor.took-on"


class HandedBack(Fact):
    """They no longer have this case."""

    case_id: UUID
    TOPIC = "mentor.handed-back"


class Supervised(Fact):
    """Somebody looked after the mentor: one to one, or in a group."""

    kind: Literal["one_to_one", "group"]
    held_on: OnDay
    notes: str
    TOPIC = "mentor.supervised"


class Appointed(Fact):
    """They hold a post, such as Head Peer Mentor."""

    post: str
    TOPIC = "mentor.appointed"


class StoodDown(Fact):
    """They mentor no longer."""

    reason: str
    TOPIC = "mentor.stood-down"


class Corrected(CorrectedFact):
    """An entry was wrong."""

    TOPIC = "mentor.corrected"


class Disputed(DisputedFact):
    """Somebody disputes an entry."""

    TOPIC = "mentor.disputed"


pinned(
    *(Applied, Interviewed, Selected, TurnedDown, Trained, AgreementSigned, Qualified, Attached),
    *(TookOn, HandedBack, Supervised, Appointed, StoodDown, Corrected, Disputed),
)

Standing = Literal["applied", "selected", "turned_down", "stood_down"]


class Mentor(Subject):
    """A mentor, as matching needs to know them."""

    corrected = Corrected
    disputed = Disputed

    def begin(self) -> None:
        """Start before the application."""
        super().begin()
        self.standing: Standing = "applied"
        self.pupil_id: UUID | None = None
        self.interviewed = False
        self.trained = False
        self.signed = False
        self.cases: tuple[UUID, ...] = ()

    def why_not_free(self, policy: Policy) -> str | None:
        """Why this mentor can't take another case, in words; None when they can."""
        if self.standing == "stood_down":
            return "This mentor has stood down."
        if self.standing != "selected":
            return "This mentor hasn't been selected yet."
        if not self.trained:
            return "This mentor hasn't completed the training yet."
        if not self.signed:
            return "This mentor hasn't signed the confidentiality agreement yet."
        if len(self.cases) >= policy.caseload:
            return f"This mentor already has {len(self.cases)} of at most {policy.caseload} mentees."
        return None

    @records(Applied)
    def apply(self, by: By, **said: Any) -> None:
        """Apply to be a peer mentor."""
        if self.version:
            self.refuse("This application is already recorded.")
        self.record(Applied, by, **said)

    @records(Interviewed)
    def interview(self, by: By, **said: Any) -> None:
        """Record the interview."""
        self._only_applied("interviewed")
        self.record(Interviewed, by, **said)

    @records(Selected)
    def select(self, by: By, **said: Any) -> None:
        """Choose the applicant, after an interview."""
        self._only_applied("selected")
        if not self.interviewed:
            self.refuse("Record the interview before selecting a mentor.", "interview")
        self.record(Selected, by, **said)

    @records(TurnedDown)
    def turn_down(self, by: By, **said: Any) -> None:
        """Turn the application down, with a reason."""
        self._only_applied("turned down")
        self.record(TurnedDown, by, **said)

    @records(Trained)
    def train(self, by: By, **said: Any) -> None:
        """Record a completed course."""
        self._must_be_selected("recording training")
        self.record(Trained, by, **said)

    @records(AgreementSigned)
    def sign_agreement(self, by: By, **said: Any) -> None:
        """Record the signed confidentiality agreement."""
        self._must_be_selected("recording the agreement")
        self.record(AgreementSigned, by, **said)

    @records(Qualified)
    def qualify(self, by: By, **said: Any) -> None:
        """Record an award."""
        self._must_be_selected("recording an award")
        self.record(Qualified, by, **said)

    @records(Attached)
    def attach(self, by: By, **said: Any) -> None:
        """Attach the mentor to a tutor group."""
        self._must_be_selected("attaching them to a tutor group")
        self.record(Attached, by, **said)

    @records(Supervised)
    def supervise(self, by: By, **said: Any) -> None:
        """Record supervision. It may follow standing down: a mentor is looked after as long as needed."""
        if self.standing not in ("selected", "stood_down"):
            self.refuse("Select this mentor before recording supervision.", "select")
        self.record(Supervised, by, **said)

    @records(Appointed)
    def appoint(self, by: By, **said: Any) -> None:
        """Appoint the mentor to a post."""
        self._must_be_selected("appointing them to a post")
        self.record(Appointed, by, **said)

    @records(StoodDown)
    def stand_down(self, by: By, **said: Any) -> None:
        """Record that the mentor stops. Their cases need another mentor first."""
        self._must_be_selected("standing them down")
        if self.cases:
            count = len(self.cases)
            self.refuse(
                f"This mentor still has {count} mentee{'' if count == 1 else 's'}. End each match first.",
                "end-match",
            )
        self.record(StoodDown, by, **said)

    def take_on(self, by: By, *, case_id: UUID) -> None:
        """Take a case, when there is a place."""
        why_not = self.why_not_free(by.policy)
        if why_not:
            self.refuse(why_not, "match")
        self.record(TookOn, by, case_id=case_id)

    def hand_back(self, by: By, *, case_id: UUID) -> None:
        """Hand a case back when it ends or goes to another. Without that case nothing changes."""
        if case_id in self.cases:
            self.record(HandedBack, by, case_id=case_id)

    def _only_applied(self, doing: str) -> None:
        if self.standing != "applied":
            words = {"selected": "selected", "turned_down": "turned down", "stood_down": "stood down"}
            self.refuse(f"This mentor has already been {words[self.standing]} and can't be {doing} now.")

    def _must_be_selected(self, doing: str) -> None:
        if self.standing == "stood_down":
            self.refuse(f"This mentor has stood down. A new application comes before {doing}.")
        if self.standing != "selected":
            self.refuse(f"Select this mentor before {doing}.", "select")

    def on_applied(self, fact: Applied) -> None:
        self.pupil_id = fact.pupil_id

    def on_interviewed(self, _: Interviewed) -> None:
        self.interviewed = True

    def on_selected(self, _: Selected) -> None:
        self.standing = "selected"

    def on_turned_down(self, _: TurnedDown) -> None:
        self.standing = "turned_down"

    def on_trained(self, _: Trained) -> None:
        self.trained = True

    def on_agreement_signed(self, _: AgreementSigned) -> None:
        self.signed = True

    def on_took_on(self, fact: TookOn) -> None:
        self.cases += (fact.case_id,)

    def on_handed_back(self, fact: HandedBack) -> None:
        self.cases = tuple(case for case in self.cases if case != fact.case_id)

    def on_stood_down(self, _: StoodDown) -> None:
        self.standing = "stood_down"
