"""A pupil on the school's roll: the only place with names and birth dates.

The names of the facts and of their fields are a storage format and never change.
"""

from datetime import date
from typing import Any

from domain.fact import By, CorrectedFact, DisputedFact, Fact, Kept, OnDay, Subject, pinned, records


class Enrolled(Fact):
    """The pupil is on the roll."""

    given_name: str
    family_name: str
    born_on: date
    year_group: int
    tutor_group: str
    known_as: str | None = None
    upn: str | None = None
    TOPIC = "pupil.enrolled"


class MovedUp(Fact):
    """The pupil is in another year or tutor group."""

    year_group: int
    tutor_group: str
    TOPIC = "pupil.moved-up"


class Left(Fact):
    """The pupil left the school."""

    left_on: OnDay
    destination: str | None = None
    TOPIC = "pupil.left"


class LegalHoldPut(Fact):
    """What is kept about the pupil must stay, whatever its age: a court, an enquiry, a claim."""

    reason: str
    TOPIC = "pupil.legal-hold-put"


class LegalHoldReleased(Fact):
    """The school's own rules decide again how long it is kept."""

    reason: str
    TOPIC = "pupil.legal-hold-released"


class KeptLonger(Fact):
    """Somebody reviewed what is kept about the pupil, and decided to keep it until a day."""

    until: Kept[date]
    reason: str
    TOPIC = "pupil.kept-longer"


class Corrected(CorrectedFact):
    """A detail on the roll was wrong."""

    TOPIC = "pupil.corrected"


class Disputed(DisputedFact):
    """Somebody disputes a detail on the roll."""

    TOPIC = "pupil.disputed"


pinned(Enrolled, MovedUp, Left, LegalHoldPut, LegalHoldReleased, KeptLonger, Corrected, Disputed)

YEAR_GROUPS = range(14)  # Reception (0) to Year 13


class Pupil(Subject):
    """A pupil, as the roll knows them now."""

    corrected = Corrected
    disputed = Disputed

    def begin(self) -> None:
        """Start with nobody."""
        super().begin()
        self.born_on: date | None = None
        self.year_group: int | None = None
        self.tutor_group: str | None = None
        self.left = False
        self.held = False

    @records(Enrolled)
    def enrol(self, by: By, **said: Any) -> None:
        """Put the pupil on the roll."""
        if self.version:
            self.refuse("This pupil is already on the roll.")
        if said["born_on"] > by.today:
            self.refuse("The date of birth is in the future. Check the year.")
        self._check_year(said["year_group"])
        self.record(Enrolled, by, **said)

    @records(MovedUp)
    def move_up(self, by: By, **said: Any) -> None:
        """Record another year or tutor group."""
        self._must_be_enrolled()
        self._check_year(said["year_group"])
        self.record(MovedUp, by, **said)

    @records(Left)
    def leave(self, by: By, **said: Any) -> None:
        """Record that the pupil left the school."""
        self._must_be_enrolled()
        self.record(Left, by, **said)

    @records(LegalHoldPut)
    def put_legal_hold(self, by: By, **said: Any) -> None:
        """Keep everything about the pupil, whatever its age. Also of one who left long ago."""
        if self.held:
            self.refuse("A legal hold is already in force.", "release-legal-hold")
        self.record(LegalHoldPut, by, **said)

    @records(LegalHoldReleased)
    def release_legal_hold(self, by: By, **said: Any) -> None:
        """Let the school's rules decide again."""
        if not self.held:
            self.refuse("There is no legal hold.", "put-legal-hold")
        self.record(LegalHoldReleased, by, **said)

    @records(KeptLonger)
    def keep_longer(self, by: By, **said: Any) -> None:
        """Decide, at a review, to keep what is due."""
        if said["until"] <= by.today:
            self.refuse("Give a day in the future, until which it is kept.")
        self.record(KeptLonger, by, **said)

    def record(self, fact_class: type[Fact], by: By, **said: Any) -> None:
        """Record a fact about this pupil. Refuses what happened before their own birth."""
        super().record(fact_class, by._replace(born_on=said.get("born_on", self.born_on)), **said)

    def _check_year(self, year_group: int) -> None:
        if year_group not in YEAR_GROUPS:
            self.refuse("The year group must be from 0 (Reception) to 13.")

    def _must_be_enrolled(self) -> None:
        if not self.version or self.left:
            self.refuse("This pupil is not on the roll.")

    def on_enrolled(self, fact: Enrolled) -> None:
        self.born_on = fact.born_on
        self.year_group, self.tutor_group = fact.year_group, fact.tutor_group

    def on_moved_up(self, fact: MovedUp) -> None:
        self.year_group, self.tutor_group = fact.year_group, fact.tutor_group

    def on_left(self, _: Left) -> None:
        self.left = True

    def on_legal_hold_put(self, _: LegalHoldPut) -> None:
        self.held = True

    def on_legal_hold_released(self, _: LegalHoldReleased) -> None:
        self.held = False
