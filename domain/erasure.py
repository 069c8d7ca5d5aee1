"""Forgetting: somebody asks for it, another person approves, the keys are destroyed, and the record says so.

    requested → ordered (the second person's approval) → each key destroyed → completed
    requested → withdrawn

The names of the facts and of their fields are a storage format and never change.
"""

from typing import Any, Literal
from uuid import UUID

from domain.fact import By, CorrectedFact, Derived, DisputedFact, Fact, Kept, Subject, day, pinned, records
from domain.retention import Matter, Scope

Grounds = Literal["retention", "data_subject"]
State = Literal["requested", "ordered", "completed", "withdrawn"]


class Requested(Fact):
    """Somebody reviewed a part of the record, and asks for it to be erased."""

    scope: Kept[Scope]
    subject_id: UUID
    grounds: Kept[Grounds]
    reason: str
    targets: Derived[tuple[UUID, ...]] = ()
    people: Derived[tuple[UUID, ...]] = ()
    pupil_id: Derived[UUID | None] = None
    TOPIC = "erasure.requested"


class Withdrawn(Fact):
    """It won't be erased on this request."""

    reason: str
    TOPIC = "erasure.withdrawn"


class Ordered(Fact):
    """Another person than the one who asked has approved it. From here on it can't be called back."""

    TOPIC = "erasure.ordered"


class KeyDestroyed(Fact):
    """The key of one part is gone: nobody can read it any more."""

    target: UUID
    kid: str
    TOPIC = "erasure.key-destroyed"


class Completed(Fact):
    """Every key is gone, and no program of ours remembers one."""

    TOPIC = "erasure.completed"


class Corrected(CorrectedFact):
    """An entry was wrong."""

    TOPIC = "erasure.corrected"


class Disputed(DisputedFact):
    """Somebody disputes an entry."""

    TOPIC = "erasure.disputed"


pinned(Requested, Withdrawn, Ordered, KeyDestroyed, Completed, Corrected, Disputed)


class Erasure(Subject):
    """One request, and what became of it."""

    corrected = Corrected
    disputed = Disputed

    def begin(self) -> None:
        """Start before anybody asked."""
        super().begin()
        self.state: State = "requested"
        self.scope: Scope | None = None
        self.grounds: Grounds | None = None
        self.subject_id: UUID | None = None
        self.pupil_id: UUID | None = None
        self.targets: tuple[UUID, ...] = ()
        self.people: tuple[UUID, ...] = ()
        self.destroyed: tuple[UUID, ...] = ()
        self.requested_by: UUID | None = None
        self.ordered_by: UUID | None = None

    @records(Requested)
    def request(self, by: By, *, matter: Matter, grounds: Grounds, reason: str) -> None:
        """Ask for the erasure of a matter, with the reason that its review came to."""
        if self.version:
            self.refuse("This request is already recorded.")
        self._check(by, matter, grounds)
        self.record(
            Requested,
            by,
            scope=matter.scope,
            subject_id=matter.subject_id,
            grounds=grounds,
            reason=reason,
            targets=matter.targets,
            people=matter.people,
            pupil_id=matter.pupil_id,
        )

    @records(Withdrawn)
    def withdraw(self, by: By, **said: Any) -> None:
        """Take the request back, before anybody approved it."""
        self._must_wait()
        self.record(Withdrawn, by, **said)

    @records(Ordered)
    def approve(self, by: By, *, matter: Matter) -> None:
        """Approve it as a second person, who looks at the same matter as it stands now."""
        self._must_wait()
        if by.account == self.requested_by:
            self.refuse("Another person must approve this: whoever asked can't also decide.")
        if set(matter.targets) != set(self.targets):
            self.refuse(
                "Something was recorded since this was asked for. Withdraw it and ask again.", "withdraw"
            )
        if self.grounds is not None:
            self._check(by, matter, self.grounds)
        self.record(Ordered, by)

    def key_destroyed(self, by: By, *, target: UUID, kid: str) -> None:
        """Record that one key is gone. Said twice, it is recorded once."""
        if self.state != "ordered" or target not in self.targets:
            self.refuse("This was never ordered to be erased.")
        if target not in self.destroyed:
            self.record(KeyDestroyed, by, target=target, kid=kid)

    def complete(self, by: By) -> None:
        """Record that nothing of it is left to be done."""
        if self.state != "ordered" or set(self.destroyed) != set(self.targets):
            self.refuse("Not every key has been destroyed yet.")
        self.record(Completed, by)

    def _must_wait(self) -> None:
        sentences = {
            "ordered": "This was already approved, and is being carried out.",
            "completed": "This has already been erased.",
            "withdrawn": "This request was withdrawn. Ask again.",
        }
        if self.state in sentences:
            self.refuse(sentences[self.state])

    def _check(self, by: By, matter: Matter, grounds: Grounds) -> None:
        if not matter.targets:
            self.refuse("This has already been erased.")
        if matter.held:
            self.refuse("A legal hold keeps this. It can be erased when the hold is released.")
        if matter.still_open:
            self.refuse(matter.still_open)
        if matter.kept_until is not None and matter.kept_until > by.today:
            self.refuse(f"Somebody reviewed this and decided to keep it until {day(matter.kept_until)}.")
        if matter.keep_until > by.today:
            until = day(matter.keep_until)
            if matter.with_concern:
                self.refuse(f"A concern belongs to this. The school’s rules keep it until {until}.")
            if grounds != "data_subject":
                self.refuse(f"The school’s rules keep this until {until}.")

    def on_requested(self, fact: Requested) -> None:
        self.scope, self.grounds = fact.scope, fact.grounds
        self.subject_id, self.pupil_id = fact.subject_id, fact.pupil_id
        self.targets, self.people = fact.targets, fact.people
        self.requested_by = fact.recorded_by

    def on_withdrawn(self, _: Withdrawn) -> None:
        self.state = "withdrawn"

    def on_ordered(self, fact: Ordered) -> None:
        self.state, self.ordered_by = "ordered", fact.recorded_by

    def on_key_destroyed(self, fact: KeyDestroyed) -> None:
        self.destroyed += (fact.target,)

    def on_completed(self, _: Completed) -> None:
        self.state = "completed"
