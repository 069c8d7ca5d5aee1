"""Make an evidence pack: the proven story of chosen cases, for somebody outside who needn't trust the school.

What is disclosed is what its maker may see, up to one checkpoint. Everything else of the record is in the
pack as a skeleton of digests, so that nothing can be missing unnoticed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from eventsourcing.domain import OriginatorVersionError

from app.access.person import Person
from app.access.reads import log
from app.access.relation import about_of, may_see_concern
from app.documents.story import Kind, Story
from app.documents.telling import tell
from app.history.visible import ALL, rule_for
from app.proof.checkpoints import Checkpoints
from app.proof.epoch import own_origin, statements_in
from app.proof.log_key import LogKeyRefused, load_log_key
from app.proof.note import Signs
from app.proof.pack_files import Asked, Event, Papers, events_jsonl, keys_json, packed
from app.proof.signer import NotSigned, RemoteKey
from app.proof.skeleton import leaves
from app.proof.verifier import Epoch, NotVerified, VerifierKey, read_checkpoint, verify_pack
from app.record.data_key import DataKey
from app.record.reads import Read
from app.record.rows import StoredRow
from app.record.sealing import SealBroken
from domain.concern import Concern
from domain.fact import Fact
from domain.mentee_case import MenteeCase
from domain.mentee_case_facts import ConfidentialityBroken
from domain.scheme import SCHEME_ID
from domain.staff import SYSTEM

if TYPE_CHECKING:
    from app.house import House

ROUTE: Final = "/evidence"
"""Under which the making of a pack is noted in the log of reads."""
MAKERS: Final = frozenset({"dsl", "deputy_dsl", "inspector"})
"""Who may make a pack; beside them the office, at the command line, as Casebook itself."""
OFFICE: Final = Person(SYSTEM, "admin", "Casebook")
MOST_CASES: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)


class PackRefused(Exception):
    """No pack was made; the message is a sentence for whoever asked. It names nobody."""


def newest_moment(house: "House") -> datetime:
    """The last whole second by the database's clock: when a pack that is asked for now is made."""
    with house.pool.connection() as connection:
        row = connection.execute("SELECT date_trunc('second', clock_timestamp())").fetchone()
    if row is None:
        raise PackRefused("The database doesn't tell the time.")
    found: datetime = row[0]
    return found


@contextmanager
def _refusing() -> Iterator[None]:
    """What can't be put together because the record isn't whole is refused in words."""
    try:
        yield
    except (OriginatorVersionError, SealBroken):
        raise PackRefused(
            "The record isn't whole: a fact of these cases is missing or was altered. Keep everything as it "
            "is, and let casebook verify say which."
        ) from None


@_refusing()
def make_pack(
    house: "House",
    person: Person,
    cases: Sequence[UUID],
    *,
    for_whom: str,
    why: str,
    when: datetime | None = None,
    with_names: bool = False,
    checkpoint: bytes | None = None,
    papers: Callable[[Story, bytes, bytes], Papers] | None = None,
) -> bytes:
    """The pack of these cases, their concerns and the scheme's rules, as a zip; with names the pupils too.

    Noted in the log of reads before anything of it is put together. `when` (now, if not given) is what the
    pack says of itself, and cuts the list of who looked; `checkpoint`, a signed note, is the newest one if
    not given; `papers` makes what people read of the story, the events and their keys. The same arguments
    give the same bytes, as long as no key was destroyed in between. Raises PackRefused, RecordUnavailable,
    KeyFault.
    """
    _check_asked(person, cases, for_whom, why)
    key = signing_key(house)
    now = newest_moment(house)
    when = when or now
    if when > now:
        raise PackRefused("A pack can't be made at a time that is still to come.")
    keys_known = log_keys(house, key)
    origin, epoch = _standing(house, keys_known)
    note = checkpoint or checkpoint_at(house, when=when, keys=keys_known)
    try:
        covers, signed_at = read_checkpoint(note, *keys_known)
    except NotVerified as error:
        raise PackRefused(f"The checkpoint isn't of this record's log key ({error.check}).") from None
    if covers.origin != origin:
        raise PackRefused("The checkpoint is of another log, or of this record before entries were lost.")
    # In a later epoch the statement of what was lost is the first leaf, and every fact stands one further.
    shift = 1 if epoch else 0
    upto = covers.size - shift
    subjects = _subjects(house, person, cases, upto, with_names=with_names)
    ids = [subject for _, subject in subjects]
    log(house, person, ROUTE, ids, "evidence", upto, f"{why} (for {for_whom})")
    streams = [house.recorder.rows(subject, upto=upto) for subject in ids]
    events = sorted((_event(row, shift) for rows in streams for row in rows), key=lambda event: event.index)
    lines = events_jsonl(events)
    keys = keys_json(_keys(house, person, events), events)
    story = tell(
        house.casework,
        subjects,
        {subject: _reads(house, subject, when) for kind, subject in subjects if kind != "scheme"},
        made_by=person.account,
        for_whom=for_whom,
        why=why,
        made_at=when,
        origin=covers.origin,
        size=upto,
        checkpoint_at=_EPOCH + timedelta(seconds=signed_at) if signed_at is not None else None,
        demo=covers.origin.endswith("/demo"),
    )
    asked = Asked(story.made_by, for_whom, why, when, tuple(ids))
    read = (papers or _papers)(_moved(story, shift), lines, keys)
    skeleton = (epoch.leaf if epoch else b"") + leaves(house.pool, upto)
    statement = epoch.raw if epoch else None
    try:
        made = packed(key, covers, note, asked, skeleton, lines, keys, read, statement)
        verify_pack(made, keys_known)
    except NotSigned as refused:
        raise PackRefused(str(refused)) from None
    except NotVerified as error:
        raise PackRefused(
            f"The record doesn't match its checkpoint ({error.check}). casebook verify says more."
        ) from None
    return made


def signing_key(house: "House") -> Signs:
    """The log key: this process's own, or the anchor's, which signs for it. Raises PackRefused."""
    settings = house.settings
    if settings.signer_url:
        try:
            return RemoteKey(settings.signer_url, settings.signer_token)
        except NotSigned as refused:
            raise PackRefused(str(refused)) from None
    if settings.log_key_file is None:
        raise PackRefused(
            "Packs are signed with the log key, which this machine doesn't have, and it knows no anchor that "
            "signs for it. Whoever runs the server sets CASEBOOK_SIGNER_URL."
        )
    with house.pool.connection() as connection:
        row = connection.execute("SELECT origin FROM record.origin").fetchone()
    try:
        return load_log_key(settings.log_key_file, row[0] if row else settings.origin)
    except LogKeyRefused as refused:
        raise PackRefused(str(refused)) from None


def log_keys(house: "House", key: Signs) -> tuple[VerifierKey, ...]:
    """The log key's public half, and those of keys that signed before it, by the settings.

    Raises PackRefused.
    """
    try:
        named = [VerifierKey.parse(text) for text in (house.settings.log_vkey or "").split()]
    except NotVerified as error:
        raise PackRefused(f"CASEBOOK_LOG_VKEY: {error.where}.") from None
    return tuple(dict.fromkeys((key.verifier_key, *(one for one in named if one.name == key.name))))


def _check_asked(person: Person, cases: Sequence[UUID], for_whom: str, why: str) -> None:
    if person.role not in MAKERS and person.account != SYSTEM:
        raise PackRefused("Evidence packs are made by those who answer for safeguarding, and by inspectors.")
    if not 0 < len(cases) <= MOST_CASES:
        raise PackRefused(f"Choose between one case and {MOST_CASES}.")
    if not why.strip() or not for_whom.strip():
        raise PackRefused("Say for whom the pack is, and why it is made.")


def _standing(house: "House", keys: Sequence[VerifierKey]) -> tuple[str, Epoch | None]:
    """Under which name the record's checkpoints are signed now, and its epoch, unless it is the first."""
    with house.pool.connection() as connection:
        epochs = statements_in(connection, keys)
        return (epochs[-1].origin, epochs[-1]) if epochs else (own_origin(connection), None)


def checkpoint_at(
    house: "House", size: int | None = None, *, when: datetime, keys: Sequence[VerifierKey] = ()
) -> bytes:
    """The checkpoint of this size (if not given, the newest that one of `keys` signed), as signed, with the
    witnesses' lines that were there at that time. Raises PackRefused."""
    origin, _ = _standing(house, keys)
    checkpoints = Checkpoints(house.pool, keys, house.published.witnesses)
    if size is None:
        newest = checkpoints.newest(origin)
        if newest is None:
            raise PackRefused("There is no checkpoint yet. Make one: casebook checkpoint.")
        size = newest.size
    found = checkpoints.at(origin, size, before=when)
    if found is None:
        raise PackRefused(f"There is no checkpoint over {size} entries.")
    return found.note.encode()


# What it is about


def _subjects(
    house: "House", person: Person, cases: Sequence[UUID], size: int, *, with_names: bool
) -> list[tuple[Kind, UUID]]:
    """Each case followed by its concerns, in the order of their first facts; then pupils, then the rules."""
    found: list[tuple[int, UUID, list[UUID]]] = []
    pupils: dict[UUID, None] = {}
    for case_id in dict.fromkeys(cases):
        told = [one for one in house.casework.stream(MenteeCase, case_id) if one.position <= size]
        if not told:
            raise PackRefused(
                "One of these cases isn't there, or is newer than the checkpoint (casebook checkpoint)."
            )
        concerns = _concerns(house, person, [one.fact for one in told], size)
        found.append((told[0].position, case_id, concerns))
        case = house.casework.load(MenteeCase, case_id, upto=size)
        if with_names and case is not None and isinstance(case.pupil_id, UUID):
            pupils[case.pupil_id] = None
    subjects: dict[UUID, Kind] = {}
    for _, case_id, concerns in sorted(found):
        subjects[case_id] = "case"
        subjects |= dict.fromkeys(concerns, "concern")
    subjects |= dict.fromkeys((one for one in pupils if house.recorder.rows(one, upto=size)), "pupil")
    if house.recorder.rows(SCHEME_ID, upto=size):
        subjects[SCHEME_ID] = "scheme"
    return [(kind, subject) for subject, kind in subjects.items()]


def _concerns(house: "House", person: Person, facts: Sequence[Fact], size: int) -> list[UUID]:
    """The concerns that a case's facts opened and that the maker may see, as they are and as they were."""
    seen_as = "dsl" if person.account == SYSTEM else person.role
    reader = Person(person.account, seen_as, person.name)
    opened = [vars(fact)["concern_id"] for fact in facts if isinstance(fact, ConfidentialityBroken)]
    found = []
    for concern_id in opened:
        if not isinstance(concern_id, UUID):
            continue  # erased
        now = house.casework.load(Concern, concern_id)
        then = house.casework.load(Concern, concern_id, upto=size)
        if now and then and all(may_see_concern(reader, about_of(one)) for one in (now, then)):
            found.append(concern_id)
    return found


# What it holds


def _event(row: StoredRow, shift: int) -> Event:
    number, at_us = row.notification_id - 1 + shift, (row.recorded_at - _EPOCH) // _TICK
    return Event(number, row.originator_id, row.originator_version, row.topic, at_us, row.state)


def _keys(house: "House", person: Person, events: Sequence[Event]) -> dict[str, bytes]:
    """The content key of each event that the maker may see and that wasn't erased: of no other."""
    role = "dsl" if person.account == SYSTEM else person.role
    found = house.keys.get_many({event.originator_id for event in events})
    disclosed = {}
    for event in events:
        key = found[event.originator_id]
        if isinstance(key, DataKey) and rule_for(role, event.topic) is ALL:
            disclosed[event.place] = key.content_key(event.originator_id, event.version)
    return disclosed


def _moved(story: Story, shift: int) -> Story:
    """The story with each entry's place as the pack's ledger has it."""
    subjects = [
        replace(one, entries=tuple(replace(entry, index=entry.index + shift) for entry in one.entries))
        for one in story.subjects
    ]
    return replace(story, subjects=tuple(subjects))


def _papers(story: Story, events: bytes, keys: bytes) -> Papers:
    # What draws papers is slow to load, and not every pack needs it.
    from app.documents.history import history_html, history_pdf
    from app.documents.readme import readme_txt

    return Papers(history_html(story), history_pdf(story, events, keys), readme_txt(story))


def _reads(house: "House", subject: UUID, before: datetime) -> list[Read]:
    """Who looked at a subject before a time, the oldest first."""
    found: list[Read] = []
    last: int | None = None
    while page := house.reads.readers(subject, limit=1000, before=last):
        found += page
        last = page[-1].id
    return [read for read in reversed(found) if read.read_at < before]
