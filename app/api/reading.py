"""What may be read: things and their histories from the record itself, lists from the read models."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from flask import Response
from marshmallow import Schema

from app.access import reads
from app.access.person import Person
from app.access.policy import house, person
from app.access.relation import (
    CASE_READERS,
    CONCERN_READERS,
    ROLL_READERS,
    about_of,
    concerns_seen_by,
    may_see_case,
    may_see_concern,
)
from app.api import resources, things
from app.api.answering import answer, answer_in, looked, looked_at_list, newest, page, rule, waited_for
from app.api.asking import one_of, place_of, query, sent
from app.api.queries import CasesQuery, ConcernsQuery, HistoryQuery, ListQuery, MentorsQuery, OneQuery, Search
from app.api.shapes import text_of
from app.casework import NotFound, Told
from app.commands import COORDINATOR, EVERYBODY, LEADS
from app.history import as_json as entry_json
from app.history import entries
from app.history.again import Again
from app.naming import names_for
from domain.concern import Concern
from domain.fact import Subject
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor
from domain.policy import Policy
from domain.pupil import Pupil
from domain.scheme import SCHEME_ID, Scheme
from projections.caseload import Caseload
from projections.concerns import Concerns
from projections.mentors import Mentors
from projections.roll import Roll

NUMBER: Final = r"\d{1,18}"
ID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@dataclass(frozen=True)
class Reading:
    """One address that can be read: who may, what it asks, what it answers."""

    path: str
    view: Callable[..., Response]
    roles: frozenset[str]
    asks: type[Schema]
    gives: type
    many: bool = False
    by_post: bool = False


# From the record itself


def case(subject_id: UUID) -> Response:
    """One case."""
    told = _stream_of_case(subject_id, "cases")
    query(OneQuery)
    found = resources.case_in(told, person())
    return answer(found, version=found.version)


def case_history(subject_id: UUID) -> Response:
    """What was recorded about a case, as far as this reader may see it."""
    return _history(_stream_of_case(subject_id, "history"))


def mentor(subject_id: UUID) -> Response:
    """One mentor."""
    told = _stream(Mentor, subject_id, "mentors")
    query(OneQuery)
    found = resources.mentor_in(told, person(), house().casework.policy())
    return answer(found, version=found.version)


def mentor_history(subject_id: UUID) -> Response:
    """What was recorded about a mentor."""
    return _history(_stream(Mentor, subject_id, "history"))


def pupil(subject_id: UUID) -> Response:
    """One pupil on the roll."""
    told = _stream(Pupil, subject_id, "pupils")
    query(OneQuery)
    found = resources.pupil_in(told)
    return answer(found, version=found.version)


def concern(subject_id: UUID) -> Response:
    """One concern, with what was told."""
    told = _stream_of_concern(subject_id, "concerns")
    query(OneQuery)
    found = resources.concern_in(told, person())
    return answer(found, version=found.version)


def concern_history(subject_id: UUID) -> Response:
    """What was recorded about a concern."""
    return _history(_stream_of_concern(subject_id, "history"))


def scheme() -> Response:
    """The rules in force."""
    query(OneQuery)
    found = house().casework.load(Scheme, SCHEME_ID) or Scheme.blank(SCHEME_ID)
    return answer(vars(found.policy), version=found.policy.version)


def me() -> Response:
    """Whose token this is."""
    query(OneQuery)
    who = person()
    return answer(things.Me(who.account, who.role, who.name, who.mentor_id))


def readers(subject_id: UUID) -> Response:
    """Who looked at a case, when and why; the newest first."""
    if house().casework.load(MenteeCase, subject_id) is None:
        raise NotFound
    asked = query(ListQuery)
    place = place_of(asked["cursor"], NUMBER)
    limit = asked["limit"]
    found = house().reads.readers(subject_id, limit=limit + 1, before=int(place) if place else None)
    accounts = {one.account for one in found}
    names = names_for(house(), person(), house().casework.policy(), accounts=accounts)
    looked([subject_id], "readers", None)
    items = [
        things.Reader(
            one.read_at,
            things.Someone(one.account, names.person(one.account), one.role),
            one.route,
            one.field_class,
            one.reason,
            one.break_glass,
        )
        for one in found[:limit]
    ]
    return page(items, limit, str(found[limit - 1].id) if len(found) > limit else None)


# From the lists


def cases() -> Response:
    """Cases, the oldest first; for a mentor those of their present mentees."""
    who, asked = person(), query(CasesQuery)
    place, limit, behind = _place(asked, "caseload")
    mentor_id = asked["mentor_id"]
    if who.role == "mentor":
        if who.mentor_id is None or mentor_id not in (None, who.mentor_id):
            return page([], limit, None, behind=behind)
        mentor_id = who.mentor_id
    found = Caseload(house().pool).cases(
        state=asked["state"], mentor_id=mentor_id, after=place, limit=limit + 1
    )
    shown = found[:limit]
    looked_at_list("caseload", [one for row in shown for one in (row.case_id, row.pupil_id)])
    items = [resources.case_of(row, who) for row in shown]
    return page(items, limit, str(shown[-1].number) if len(found) > limit else None, behind=behind)


def mentors() -> Response:
    """Mentors in the order in which they applied."""
    asked = query(MentorsQuery)
    place, limit, behind = _place(asked, "mentors")
    policy = house().casework.policy()
    below = policy.caseload if asked["free"] == "1" else None
    found = Mentors(house().pool).mentors(free_below=below, after=place, limit=limit + 1)
    shown = found[:limit]
    looked_at_list("mentors", [one for row in shown for one in (row.mentor_id, row.pupil_id)])
    items = [resources.mentor_of(row, person(), policy) for row in shown]
    return page(items, limit, str(shown[-1].number) if len(found) > limit else None, behind=behind)


def pupils() -> Response:
    """The roll, by name. A page's cursor holds no name."""
    asked = query(ListQuery)
    place = place_of(asked["cursor"], ID)
    limit, behind = asked["limit"], waited_for("roll")
    found = Roll(house().pool).pupils(left=True, after=UUID(place) if place else None, limit=limit + 1)
    shown = found[:limit]
    looked_at_list("roll", [row.pupil_id for row in shown])
    items = [resources.pupil_of(row) for row in shown]
    return page(items, limit, str(shown[-1].pupil_id) if len(found) > limit else None, behind=behind)


def search_pupils() -> Response:
    """Pupils whose names begin with these words. A POST, because no name belongs into an address."""
    asked = sent().load(one_of(Search))
    behind = waited_for("roll")
    found = Roll(house().pool).search(asked["q"], left=True, limit=asked["limit"])
    looked_at_list("roll", [row.pupil_id for row in found])
    return page([resources.pupil_of(row) for row in found], asked["limit"], None, behind=behind)


def concerns() -> Response:
    """Concerns with their clocks, the oldest first."""
    who, asked = person(), query(ConcernsQuery)
    place, limit, behind = _place(asked, "concerns")
    about: Any = next(iter(concerns_seen_by(who.role)))
    found = Concerns(house().pool).concerns(about=about, state=asked["state"], after=place, limit=limit + 1)
    shown = found[:limit]
    looked_at_list("concerns", [one for row in shown for one in (row.concern_id, row.pupil_id)])
    items = [resources.concern_of(row, who) for row in shown]
    return page(items, limit, str(shown[-1].number) if len(found) > limit else None, behind=behind)


def my_concerns() -> Response:
    """What became of the concerns that this person raised: their state, and nothing else."""
    asked = query(ListQuery)
    place, limit, behind = _place(asked, "concerns")
    found = Concerns(house().pool).raised_by(person().account, after=place, limit=limit + 1)
    shown = found[:limit]
    looked_at_list("concerns", [row.concern_id for row in shown])
    items = [things.MyConcern(row.concern_id, row.state, row.raised_at) for row in shown]
    return page(items, limit, str(shown[-1].number) if len(found) > limit else None, behind=behind)


def _place(asked: dict[str, Any], name: str) -> tuple[int, int, bool]:
    place = place_of(asked["cursor"], NUMBER)
    return int(place or 0), asked["limit"], waited_for(name)


def _stream(kind: type[Subject], subject_id: UUID, field_class: str) -> list[Told]:
    told = reads.log_and_stream(house(), person(), rule(), kind, subject_id, field_class)
    if not told:
        raise NotFound
    return told


def _stream_of_case(subject_id: UUID, field_class: str) -> list[Told]:
    """For a mentor it must be known whose case it is before anybody looks."""
    who = person()
    if who.role != "mentor":
        return _stream(MenteeCase, subject_id, field_class)
    return _checked(MenteeCase, subject_id, field_class, lambda found: may_see_case(who, found.mentor_id))


def _stream_of_concern(subject_id: UUID, field_class: str) -> list[Told]:
    who = person()
    return _checked(Concern, subject_id, field_class, lambda found: may_see_concern(who, about_of(found)))


def _checked(
    kind: type[Subject], subject_id: UUID, field_class: str, yours: Callable[[Any], bool]
) -> list[Told]:
    told = house().casework.stream(kind, subject_id)
    subject = kind.blank(subject_id)
    for one in told:
        one.fact.mutate(subject)
    if not told or not yours(subject):
        raise NotFound
    about = getattr(subject, "pupil_id", None)
    looked([subject_id, about if isinstance(about, UUID) else None], field_class, newest(told))
    return told


def _history(told: list[Told]) -> Response:
    who: Person = person()
    asked = query(HistoryQuery)
    facts = [one.fact for one in told]
    names = names_for(house(), who, house().casework.policy(), facts)
    part = asked["as_at"], asked["happened_until"]

    def text() -> str:
        return text_of({"facts": [entry_json(entry) for entry in entries(told, who, names, *part)]})

    reader = facts[0].originator_id, who.account, who.role, who.mentor_id
    return answer_in(_AGAIN.text((reader, part), facts, names, text), version=len(told))


_AGAIN: Final = Again()


@dataclass(frozen=True)
class HistoryShape:
    """What this reader may see of what was recorded, in order."""

    facts: list[dict[str, Any]]


ROLES_OF_LISTS: Final = COORDINATOR | LEADS
READINGS: Final[tuple[Reading, ...]] = (
    Reading("/me", me, EVERYBODY, OneQuery, things.Me),
    Reading("/me/concerns", my_concerns, EVERYBODY, ListQuery, things.MyConcern, many=True),
    Reading("/pupils", pupils, ROLL_READERS, ListQuery, things.Pupil, many=True),
    Reading("/pupils/search", search_pupils, ROLL_READERS, Search, things.Pupil, many=True, by_post=True),
    Reading("/pupils/<uuid:subject_id>", pupil, ROLL_READERS, OneQuery, things.Pupil),
    Reading("/mentors", mentors, ROLES_OF_LISTS, MentorsQuery, things.Mentor, many=True),
    Reading("/mentors/<uuid:subject_id>", mentor, ROLES_OF_LISTS, OneQuery, things.Mentor),
    Reading("/mentors/<uuid:subject_id>/history", mentor_history, ROLES_OF_LISTS, HistoryQuery, HistoryShape),
    Reading("/cases", cases, CASE_READERS, CasesQuery, things.Case, many=True),
    Reading("/cases/<uuid:subject_id>", case, CASE_READERS, OneQuery, things.Case),
    Reading("/cases/<uuid:subject_id>/history", case_history, CASE_READERS, HistoryQuery, HistoryShape),
    Reading(
        "/cases/<uuid:subject_id>/readers",
        readers,
        LEADS | {"inspector"},
        ListQuery,
        things.Reader,
        many=True,
    ),
    Reading("/concerns", concerns, CONCERN_READERS, ConcernsQuery, things.ConcernInList, many=True),
    Reading("/concerns/<uuid:subject_id>", concern, CONCERN_READERS, OneQuery, things.Concern),
    Reading(
        "/concerns/<uuid:subject_id>/history", concern_history, CONCERN_READERS, HistoryQuery, HistoryShape
    ),
    Reading("/scheme", scheme, EVERYBODY, OneQuery, Policy),
)
