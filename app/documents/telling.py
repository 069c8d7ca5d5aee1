"""Put facts into a story: what one pack tells, from the record alone and as it stood at the checkpoint."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Final
from uuid import UUID

from app import history
from app.access.person import Person
from app.casework.answers import Told
from app.casework.reading import Reading
from app.documents.names import names_at
from app.documents.story import Correction, Dispute, Entry, Kind, Known, Look, Story, Subject
from app.record.reads import Read
from app.wording import proof as wording
from app.wording.common import ERASED_TEXT, _, day
from app.wording.facts import label
from app.wording.names import Names
from domain import fact as facts
from domain.concern import Concern
from domain.mentee_case import MenteeCase
from domain.policy import DEFAULT_POLICY, Policy
from domain.pupil import Pupil
from domain.scheme import SCHEME_ID, Scheme

KINDS: Final[Mapping[Kind, type[facts.Subject]]] = {
    "case": MenteeCase,
    "concern": Concern,
    "pupil": Pupil,
    "scheme": Scheme,
}


_EVERYTHING: Final = Person(UUID(int=0), "dsl", "")
"""A reader of all that the pack holds: whether a subject belongs into it was decided before."""


def tell(
    casework: Reading,
    subjects: Sequence[tuple[Kind, UUID]],
    reads: Mapping[UUID, Iterable[Read]],
    *,
    made_by: UUID,
    for_whom: str,
    why: str,
    made_at: datetime,
    origin: str,
    size: int,
    checkpoint_at: datetime | None,
    demo: bool = False,
) -> Story:
    """The story of a pack about these subjects, in this order, of the first `size` facts of the record.

    `reads` are the looks at each subject, by its id; `made_by` is the account that makes the pack. A pupil is
    named when the pupil is one of the subjects. Raises what the record and the key store raise.
    """
    told = {
        subject_id: [one for one in casework.stream(KINDS[kind], subject_id) if one.position <= size]
        for kind, subject_id in subjects
    }
    looks = {subject_id: list(reads.get(subject_id, ())) for subject_id in told}
    accounts = {made_by, *(one.account for some in looks.values() for one in some)}
    named = {subject_id for kind, subject_id in subjects if kind == "pupil"}
    policy = _policy(casework, size)
    names = names_at(casework, size, policy, told.values(), accounts, named)
    about = tuple(_subject(kind, subject_id, told[subject_id], names) for kind, subject_id in subjects)
    return Story(
        made_by=_called(names, made_by),
        for_whom=for_whom,
        why=why,
        made_at=made_at,
        origin=origin,
        size=size,
        checkpoint_at=checkpoint_at,
        school=policy.school_name,
        lead_title=policy.lead_title,
        subjects=about,
        looks=tuple(_looks(about, looks, names)),
        people=_known(told.values(), accounts, names),
        left_out=tuple(_left_out(about, named=bool(named))),
        with_names=bool(named),
        demo=demo,
    )


def _left_out(about: Iterable[Subject], *, named: bool) -> Iterator[str]:
    yield wording.WITH_NAMES if named else wording.WITHOUT_NAMES
    if any(entry.erased for one in about if one.kind == "case" for entry in one.entries):
        yield wording.ERASED_LINKS
    yield from wording.LEFT_OUT_ALWAYS


def _policy(casework: Reading, size: int) -> Policy:
    scheme = casework.load(Scheme, SCHEME_ID, upto=size)
    return scheme.policy if scheme else DEFAULT_POLICY


def _called(names: Names, account: UUID) -> str:
    role = names.role(account)
    return f"{names.person(account)}, {names.title(role)}" if role else names.person(account)


def _known(told: Iterable[Sequence[Told]], accounts: Collection[UUID], names: Names) -> tuple[Known, ...]:
    found = {one.fact.recorded_by for some in told for one in some}.union(accounts, names.people)
    people = [Known(one, names.person(one), names.title(names.role(one) or "")) for one in found]
    return tuple(sorted(people, key=lambda one: (one.role, one.name, one.id)))


# Subjects


def _subject(kind: Kind, subject_id: UUID, told: Sequence[Told], names: Names) -> Subject:
    found = history.entries(told, _EVERYTHING, names)
    erased = {one.fact.originator_version for one in told if facts.ERASED in vars(one.fact).values()}
    return Subject(
        kind,
        subject_id,
        _title(kind, subject_id, told, names),
        tuple(_entry(one, one.version in erased) for one in found),
    )


def _title(kind: Kind, subject_id: UUID, told: Sequence[Told], names: Names) -> str:
    if kind == "scheme":
        return _("The scheme’s rules")
    if kind == "pupil":
        return _("{who}: on the roll").format(who=names.pupil(subject_id))
    subject = KINDS[kind].blank(subject_id)
    for one in told:
        one.fact.mutate(subject)
    pupil_id = getattr(subject, "pupil_id", None)
    who = ERASED_TEXT if pupil_id is facts.ERASED else names.pupil(pupil_id)
    since = day(told[0].recorded_at) if told else ""
    if kind == "case":
        return _("Case of {who}, recorded from {day} on").format(who=who, day=since)
    return _("Concern about {who}, raised {day}").format(who=who, day=since)


def _entry(found: history.Entry, erased: bool) -> Entry:
    return Entry(
        index=found.position - 1,
        version=found.version,
        recorded_at=found.recorded_at,
        happened_on=found.happened_on,
        recorded_by=found.recorded_by.text,
        sentence=found.sentence,
        fields=tuple(found.details),
        corrections=tuple(
            Correction(label(one.field), one.old, one.new, one.reason, one.recorded_by.text, one.recorded_at)
            for one in found.corrections
        ),
        disputes=tuple(
            Dispute(
                one.words if isinstance(one.words, str) else ERASED_TEXT,
                one.recorded_by.text,
                one.recorded_at,
            )
            for one in found.disputes
        ),
        late=found.late,
        erased=erased,
    )


# Who looked


def _looks(about: Sequence[Subject], reads: Mapping[UUID, Iterable[Read]], names: Names) -> list[Look]:
    """One line for each look; what passed by in lists is one line for each person and subject."""
    found = []
    for subject in about:
        opened = [one for one in reads[subject.id] if one.field_class not in wording.IN_PASSING]
        found += [_look(subject, [one], names) for one in opened]
        passed = (one for one in reads[subject.id] if one.field_class in wording.IN_PASSING)
        in_turn = sorted(passed, key=lambda one: (one.account.bytes, one.role or "", one.id))
        found += [
            _look(subject, list(some), names)
            for _key, some in groupby(in_turn, key=attrgetter("account", "role"))
        ]
    return sorted(found, key=lambda look: look.at)


def _look(subject: Subject, reads: Sequence[Read], names: Names) -> Look:
    first, last = reads[0], reads[-1]
    return Look(
        at=first.read_at,
        who=names.person(first.account),
        role=names.title(first.role) if first.role else "",
        what=wording.BROKEN_LOOK if first.broken else wording.looked_at(first.field_class),
        about=subject.title,
        why=first.reason or "",
        times=len(reads),
        until=last.read_at if len(reads) > 1 else None,
    )
