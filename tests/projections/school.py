"""A school in which every kind of thing happens by chance, but never against the rules."""

from datetime import date, timedelta

from domain.erasure import Erasure, Grounds
from domain.fact import Subject
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor
from domain.policy import Policy
from domain.pupil import Pupil
from domain.retention import Matter, Scope
from domain.scheme import SCHEME_ID, Scheme
from domain.staff import Staff
from tests.projections.chance_cases import Cases
from tests.projections.chances import BEGAN, NAMES


class School(Cases):
    """A roll, mentors, cases, concerns, staff, the scheme, and what is forgotten of them."""

    def something(self) -> None:
        self.one_of(
            (2 if len(self.all(Pupil)) < 12 else 0.5, self.pupil),
            (3, self.pupil_changes),
            (3 if len(self.all(Mentor)) < 6 else 0.2, self.mentor),
            (6, self.mentor_changes),
            (3, self.refer),
            (24, self.case_changes),
            (0.5, self.concern),
            (12, self.concern_changes),
            (0.5, self.staff),
            (0.7, self.staff_changes),
            (0.2, self.scheme),
            (5, self.second_thoughts),
            (2, self.erasure),
        )

    @property
    def policy(self) -> Policy:
        scheme = self.with_id(Scheme, SCHEME_ID)
        return scheme.policy if scheme else super().policy

    def pupil(self) -> None:
        self.new(Pupil).enrol(
            self.by(),
            given_name=self.chance.choice(NAMES),
            family_name=self.chance.choice(NAMES),
            born_on=date(2011, 1, 1) + timedelta(days=self.chance.randrange(0, 900)),
            year_group=self.chance.randrange(7, 12),
            tutor_group="8B",
            known_as=self.chance.choice((None, "Jo")),
            upn=self.chance.choice((None, f"A{self.chance.randrange(10**11):011d}")),
        )

    def pupil_changes(self) -> None:
        pupil, by = self.some(Pupil), self.by()
        until = self.today + timedelta(days=self.chance.randrange(10, 900))
        self.one_of(
            (2, lambda: pupil.move_up(by, year_group=self.chance.randrange(7, 12), tutor_group="9C")),
            (0.5, lambda: pupil.leave(by, left_on=BEGAN, destination=None)),
            (3 if pupil.held else 0.7, lambda: self.legal_hold(pupil)),
            (0.7, lambda: pupil.keep_longer(by, until=until, reason="Siblings.")),
        )

    def legal_hold(self, pupil: Pupil) -> None:
        if pupil.held:
            pupil.release_legal_hold(self.by(), reason="It is settled.")
        else:
            pupil.put_legal_hold(self.by(), reason="A court asked.")

    def mentor(self) -> None:
        self.new(Mentor).apply(self.by(), pupil_id=self.some(Pupil).id, statement="I would like to.")

    def mentor_changes(self) -> None:
        mentor, by, day = self.some(Mentor), self.by(), self.today
        if mentor.standing == "applied":
            return self.one_of(
                (
                    0.5 if mentor.interviewed else 3,
                    lambda: mentor.interview(by, held_on=day, panel="Two", notes="Kind"),
                ),
                (3, lambda: mentor.select(by, reason="Kind")),
                (0.3, lambda: mentor.turn_down(by, reason="Not yet")),
            )
        self.one_of(
            (0.2 if mentor.trained else 3, lambda: mentor.train(by, course="Listening", completed_on=day)),
            (
                0.2 if mentor.signed else 3,
                lambda: mentor.sign_agreement(by, signed_on=day, agreement_version="2"),
            ),
            (0.8, lambda: mentor.attach(by, tutor_group=self.chance.choice(("7A", "7B")))),
            (1, lambda: mentor.supervise(by, kind="group", held_on=by.happened_on or day, notes="Well")),
            (1, lambda: mentor.qualify(by, award="Diana", awarded_on=day)),
            (0.6, lambda: mentor.appoint(by, post="Head Peer Mentor")),
            (1.5, lambda: mentor.stand_down(by, reason="Exams")),
        )

    def staff(self) -> None:
        role = self.chance.choice(("coordinator", "dsl", "mentor"))
        self.new(Staff).open_account(
            self.by(),
            name=self.chance.choice(NAMES),
            role=role,
            email=self.chance.choice((None, "somebody@school.example")),
            mentor_id=self.some(Mentor).id if role == "mentor" else None,
        )

    def staff_changes(self) -> None:
        person, by = self.some(Staff), self.by()
        self.one_of(
            (2, lambda: person.issue_token(by)),
            (1, lambda: person.end_account(by, reason="left")),
        )

    def scheme(self) -> None:
        scheme = self.with_id(Scheme, SCHEME_ID) or self.new(Scheme, SCHEME_ID)
        scheme.adopt(self.by(), school_name="Ours", sessions=self.chance.randrange(2, 4), caseload=5)

    def erasure(self) -> None:
        """Ask for one, or let its next step happen."""
        waiting = [one for one in self.all(Erasure) if one.state in ("requested", "ordered")]
        if not waiting:
            return self.request()
        erasure, by = self.chance.choice(waiting), self.by()
        if erasure.state == "requested":
            again = Matter("narrative", by.account, None, erasure.targets, (), keep_until=BEGAN)
            return self.one_of(
                (2, lambda: erasure.approve(by, matter=again)),
                (1, lambda: erasure.withdraw(by, reason="later")),
            )
        for target in erasure.targets:
            if target not in erasure.destroyed:
                return erasure.key_destroyed(by, target=target, kid="00")
        erasure.complete(by)

    def request(self) -> None:
        """Of a case with its concerns, or of one person."""
        subject: Subject = self.some(self.chance.choice((MenteeCase, MenteeCase, Pupil, Mentor, Staff)))
        targets = self.story_of(subject) if isinstance(subject, MenteeCase) else (subject.id,)
        pupil_id = subject.pupil_id if isinstance(subject, MenteeCase | Mentor) else None
        people = (pupil_id,) if pupil_id else ()
        scope: Scope = "narrative" if isinstance(subject, MenteeCase) else "identity"
        matter = Matter(scope, subject.id, pupil_id, targets, people, keep_until=BEGAN)
        grounds: Grounds = self.chance.choice(("retention", "data_subject"))
        self.new(Erasure).request(self.by(), matter=matter, grounds=grounds, reason="Time is over.")
