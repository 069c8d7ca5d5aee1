"""Every command as a POST: one view, made once for each line of the table of commands.

The order of checks is the same everywhere: account and role (before the view), there and yours, idempotency,
If-Match, schema, rule.
"""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from flask import Response, request
from marshmallow import ValidationError
from psycopg.errors import UndefinedTable
from werkzeug.exceptions import HTTPException

from app.access.person import Person
from app.access.policy import house, person
from app.access.relation import about_of, may_raise_about, may_see_case, may_see_concern
from app.access.throttling import MENTORING_REFERRALS
from app.api import resources, things
from app.api.answering import POSITION, answer, looked
from app.api.asking import IDEMPOTENCY, idempotency_key, must_have_seen, sent
from app.casework import Busy, CommandReused, Done, NotFound, Told
from app.commands import BREAK_CONFIDENTIALITY, RAISE_CONCERN, Doing
from app.errors import UNREACHABLE, failed, problem, unreachable
from app.reference import reference_of
from app.wording.common import _
from domain.concern import Concern
from domain.fact import Subject
from domain.mentee_case import MenteeCase
from domain.mentor import Mentor
from domain.scheme import SCHEME_ID, Scheme
from projections.positions import wait_for
from projections.roll import Roll

View = Callable[..., Response]
API: Final = "/api/v1"
DUPLICATES_SECONDS: Final = 0.2
RECORDED: Final = _(
    "It was recorded, but it can't be shown just now. Send it again with the same Idempotency-Key, and you "
    "get the answer."
)
UNSAVED: Final = _(
    "Nothing could be saved. Don't wait: tell the safeguarding lead or any adult in school now, and in "
    "danger call 999. Then send it again with the same Idempotency-Key."
)
_UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError)


def view_of(doing: Doing) -> View:
    """The view of one command."""
    if doing is RAISE_CONCERN:
        return _raise_concern
    if doing is BREAK_CONFIDENTIALITY:
        return _break_confidentiality

    def view(subject_id: UUID | None = None) -> Response:
        return _command(doing, SCHEME_ID if doing.thing == "scheme" else subject_id)

    return view


def _command(doing: Doing, subject_id: UUID | None) -> Response:
    who, work = person(), house().casework
    subject = _there_and_yours(doing, who, subject_id) if subject_id else None
    body = sent()
    asked = {"subject": str(subject_id) if subject_id else None, "body": body.said}
    given = idempotency_key()
    key = work.key(who, f"POST {API}{doing.rule}", given, asked)
    done = work.answered(doing, key) if given else None
    if done is None:
        if subject is not None:
            must_have_seen(_shown_version(subject))
        said = body.load(doing.schema)
        if doing.kind is MenteeCase and doing.verb is None and who.role == "referrer":
            house().accounts.throttle.attempt(
                f"referrer:{who.account}", key.command_id.hex, MENTORING_REFERRALS, once=True
            )
        expected = subject.version if subject is not None else None
        done = work.run(doing, who, said, key=key, subject_id=subject_id, expected=expected)
    return _shown(done, lambda: _answer(doing, who, done))


def _there_and_yours(doing: Doing, who: Person, subject_id: UUID) -> Subject:
    subject = house().casework.load(doing.kind, subject_id)
    if doing.kind is Scheme:
        return subject or Scheme.blank(SCHEME_ID)
    if isinstance(subject, MenteeCase):
        yours = may_see_case(who, subject.mentor_id) and (who.role != "mentor" or doing.own)
    elif isinstance(subject, Concern):
        yours = may_see_concern(who, about_of(subject))
    else:
        yours = subject is not None
    if subject is None or not yours:
        raise NotFound
    return subject


def _shown_version(subject: Subject) -> int:
    return subject.policy.version if isinstance(subject, Scheme) else subject.version


def _answer(doing: Doing, who: Person, done: Done) -> Response:
    """The subject as it stood right after the command, so that a repeated request gets an equal answer."""
    made = doing.verb is None
    status = 201 if made else 200
    if isinstance(done.subject, Scheme):
        policy = done.subject.policy
        return answer(vars(policy), status, version=policy.version, position=done.position)
    told = house().casework.stream(doing.kind, done.subject.id)[: done.subject.version]
    if isinstance(done.subject, MenteeCase) and made and not may_see_case(who, done.subject.mentor_id):
        receipt = things.Receipt(reference_of(done.subject.id), told[0].recorded_at)
        return answer(receipt, status, position=done.position, location=_place(who, doing.thing, done))
    body = _resource(doing, who, done, told)
    others = [one.id for one in body.possible_duplicates] if isinstance(body, things.Enrolled) else []
    looked([*_subjects(done.subject), *others], doing.thing, done.position)
    location = _place(who, doing.thing, done) if made else None
    return answer(body, status, version=done.subject.version, position=done.position, location=location)


def _place(who: Person, thing: str, done: Done) -> str | None:
    """Where the new subject is. A referrer, who may read nothing, isn't told."""
    return None if who.role == "referrer" else f"{API}/{thing}/{done.subject.id}"


def _resource(doing: Doing, who: Person, done: Done, told: list[Told]) -> Any:
    if doing.kind is MenteeCase:
        return resources.case_in(told, who)
    if doing.kind is Concern:
        return resources.concern_in(told, who)
    if doing.kind is Mentor:
        return resources.mentor_in(told, who, house().casework.policy())
    pupil = resources.pupil_in(told)
    return _with_duplicates(pupil, done.position) if doing.verb is None else pupil


def _with_duplicates(pupil: things.Pupil, position: int) -> things.Enrolled:
    """Who was on the roll before this pupil and may be the same: later ones aren't this answer's business."""
    wait_for(house().pool, position - 1, ["roll"], DUPLICATES_SECONDS)
    try:
        found = Roll(house().pool).possible_duplicates(pupil.given_name, pupil.family_name, pupil.born_on)
    except UndefinedTable:
        found = []
    before = [row for row in found if row.pupil_id != pupil.id and row.number < position]
    shown = [things.PossibleDuplicate(row.pupil_id, row.year_group, row.tutor_group) for row in before]
    return things.Enrolled(**vars(pupil), possible_duplicates=shown)


def _subjects(subject: Subject) -> tuple[UUID | None, ...]:
    about = getattr(subject, "pupil_id", None)
    return (subject.id, about if isinstance(about, UUID) else None)


def _shown(done: Done, make: Callable[[], Response]) -> Response:
    """The answer; when it can't be made or noted any more, at least that the command was recorded."""
    try:
        return make()
    except UNREACHABLE as error:
        unreachable(error)
        return problem(503, RECORDED, headers={POSITION: str(done.position), "Retry-After": "30"})


def _raise_concern() -> Response:
    return _tell(RAISE_CONCERN, None)


def _break_confidentiality(subject_id: UUID) -> Response:
    try:
        case = house().casework.load(MenteeCase, subject_id)
        known = case is not None and may_raise_about(person(), case)
    except _UNREADABLE:
        # A case that can't be read must not stop a child from being heard.
        known = True
    if not known:
        raise NotFound
    return _tell(BREAK_CONFIDENTIALITY, subject_id)


def _tell(doing: Doing, case_id: UUID | None) -> Response:
    """Raise a concern: no version is asked for, and nothing but the body's own form can be wrong."""
    who, work, body = person(), house().casework, sent()
    asked = {"subject": str(case_id) if case_id else None, "body": body.said}
    # A key that says nothing is no reason to refuse somebody who tells.
    given = request.headers.get(IDEMPOTENCY, "").strip() or None
    key = work.key(who, f"POST {API}{doing.rule}", given, asked)
    try:
        done = work.raised_before(key, case_id) if given else None
        if done is None:
            done = work.raise_concern(who, body.load(doing.schema), key=key, case_id=case_id)
    except (CommandReused, ValidationError, HTTPException):
        raise
    except (Busy, *UNREACHABLE) as error:
        unreachable(error)
        return problem(503, UNSAVED, headers={"Retry-After": "5"})
    except Exception as error:
        # Whoever tells must hear at once that nobody has been told, whatever the fault is.
        return problem(503, UNSAVED, headers={"Retry-After": "5"}, reference=failed(error))
    answer_of = _told_the_lead if case_id else _received
    return _shown(done, lambda: answer_of(who, done))


def _may_show(subject: Subject, thing: str, position: int) -> bool:
    """Note the look. When that fails, whoever raised a concern still hears that it was heard."""
    try:
        looked(_subjects(subject), thing, position)
    except UNREACHABLE as error:
        unreachable(error)
        return False
    return True


def _told_the_lead(who: Person, done: Done) -> Response:
    at = house().casework.stream(Concern, done.subject.id)[0].recorded_at
    told = things.ToldTheLead(done.subject.id, at)
    case = done.case
    if case is None or not may_see_case(who, case.mentor_id) or not _may_show(case, "cases", done.position):
        return answer(told, position=done.position)
    facts = house().casework.stream(MenteeCase, case.id)[: case.version]
    shown = vars(resources.case_in(facts, who)) | vars(told)
    return answer(shown, version=case.version, position=done.position)


def _received(who: Person, done: Done) -> Response:
    told = house().casework.stream(Concern, done.subject.id)[: done.subject.version]
    received = things.Received(
        done.subject.id, reference_of(done.subject.id), "received", told[0].recorded_at
    )
    location = _place(who, "concerns", done)
    if (
        not isinstance(done.subject, Concern)
        or not may_see_concern(who, about_of(done.subject))
        or not _may_show(done.subject, "concerns", done.position)
    ):
        return answer(received, 201, position=done.position, location=location)
    return answer(
        vars(resources.concern_in(told, who)) | vars(received),
        201,
        version=done.subject.version,
        position=done.position,
        location=location,
    )
