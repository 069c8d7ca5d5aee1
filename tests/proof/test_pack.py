"""Packs as the house makes them, on a real record with its anchor."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.access.person import Person
from app.casework import Done
from app.commands import BY_KEY
from app.documents.story import Story
from app.embedded import Embedded
from app.house import House
from app.proof.log_key import create_log_key
from app.proof.pack import OFFICE, PackRefused, make_pack, newest_moment
from app.proof.pack_files import Papers
from app.proof.verifier import Verified, verify_pack
from app.staff_office import StaffOffice
from domain.concern import Concern
from domain.mentee_case import MenteeCase
from domain.scheme import SCHEME_ID
from tests.conftest import fresh
from tests.databases import Templates
from tests.giving import Someone, a_matched_case, give, load
from tests.proof.conftest import Proven, with_an_anchor
from tests.proof.packs import files_of

FOR: dict[str, Any] = {"for_whom": "Estyn", "why": "Inspection in June"}


@dataclass
class School:
    """A case with a disclosure, one beside it with a worry about staff, and who may make packs."""

    proven: Proven
    case_id: UUID
    concern_id: UUID
    other_case_id: UUID
    staff_concern_id: UUID
    dsl: Person
    inspector: Person

    @property
    def lead(self) -> Someone:
        return Someone(self.dsl.account, "dsl")

    @property
    def house(self) -> House:
        return self.proven.house

    def pack(self, person: Person | None = None, *cases: UUID, **said: Any) -> bytes:
        found: Any = {**FOR, "papers": told_briefly, **said}
        return make_pack(self.house, person or self.dsl, cases or (self.case_id,), **found)

    def verified(self, pack: bytes, **said: Any) -> Verified:
        return verify_pack(pack, [self.proven.key.verifier_key], **said)


def told_briefly(story: Story, events: bytes, keys: bytes) -> Papers:
    """Papers small enough to look at each byte of what is beside them."""
    looks = "".join(f"{look.who} {look.why}\n" for look in story.looks)
    titles = "".join(f"{subject.title} {len(subject.entries)}\n" for subject in story.subjects)
    return Papers((titles + looks).encode(), b"%d" % len(events + keys), story.made_by.encode())


def worry(house: House, case_id: UUID, said: dict[str, Any], by: Person) -> Done:
    doing = BY_KEY["cases/break-confidentiality"]
    key = house.casework.key(by, "worry", None, said)
    return house.casework.raise_concern(by, doing.schema.load(said), key=key, case_id=case_id)


def account(house: House, name: str, role: Any) -> Person:
    opened = StaffOffice(house.casework, house.accounts).add(name, role, can_sign_in=False)
    return Person(opened.account, role, name)


def concern_of(house: House, case_id: UUID) -> UUID:
    facts = [one.fact for one in house.casework.stream(MenteeCase, case_id)]
    return next(UUID(str(vars(fact)["concern_id"])) for fact in facts if "concern_id" in vars(fact))


@pytest.fixture(scope="module")
def record(
    cluster: Embedded, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proven]:
    """One record for most of these tests, to which each adds cases of its own."""
    folder = tmp_path_factory.mktemp("record")
    with (
        fresh(cluster, templates, "school", folder) as settings,
        with_an_anchor(settings, cluster, folder) as made,
    ):
        yield made


@pytest.fixture
def school(record: Proven) -> School:
    return a_school(record)


def a_school(proven: Proven) -> School:
    house = proven.house
    name = uuid4().hex[:6]
    dsl, inspector = account(house, f"Ms {name}", "dsl"), account(house, f"Mr {name}", "inspector")
    case_id, _ = a_matched_case(house)
    other_case_id, _ = a_matched_case(house)
    worry(house, case_id, {"childs_words": "He hits me"}, dsl)
    worry(house, other_case_id, {"childs_words": "He shouts", "about": "staff", "about_words": "A"}, dsl)
    proven.anchor().checkpoint()
    ids = concern_of(house, case_id), concern_of(house, other_case_id)
    return School(proven, case_id, ids[0], other_case_id, ids[1], dsl, inspector)


def rest_of(found: Verified) -> list[str]:
    """The subjects without the rules, which are there once they were adopted."""
    return [subject for subject in found.subjects if subject != str(SCHEME_ID)]


def test_a_pack_of_a_case_holds_the_case_and_the_concern_that_it_opened(school: School) -> None:
    found = school.verified(school.pack())
    assert rest_of(found) == [str(school.case_id), str(school.concern_id)]
    assert all(fact.payload is not None for fact in found.facts)
    assert "He hits me" in str(found.facts)
    assert "O'Neill" not in str(found.facts)
    newest = school.proven.file.newest(school.proven.key.name)
    assert newest is not None
    assert found.checkpoint == newest[0]
    assert found.time is not None


def test_with_names_it_holds_the_pupil_too(school: School) -> None:
    case = load(school.house, MenteeCase, school.case_id)
    found = school.verified(school.pack(with_names=True))
    assert rest_of(found) == [str(school.case_id), str(school.concern_id), str(case.pupil_id)]
    assert "O'Neill" in str(found.facts)
    assert b"O'Neill" in files_of(school.pack(with_names=True))["history.html"]
    assert b"O'Neill" not in files_of(school.pack())["history.html"]


def test_the_rules_of_the_scheme_go_with_it(school: School) -> None:
    give(school.house, "scheme/adopt", adopted(school.house), SCHEME_ID)
    school.proven.anchor().checkpoint()
    assert school.verified(school.pack()).subjects[-1] == str(SCHEME_ID)


def adopted(house: House) -> dict[str, Any]:
    doing = BY_KEY["scheme/adopt"]
    policy = house.casework.policy()
    asked = {name: getattr(policy, name) for name in doing.schema.fields if hasattr(policy, name)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asked.items()}


def test_a_concern_about_staff_stays_out_and_its_sealed_facts_are_proven_all_the_same(school: School) -> None:
    for person in (school.dsl, school.inspector, OFFICE):
        pack = school.pack(person, school.other_case_id)
        assert rest_of(school.verified(pack)) == [str(school.other_case_id)]
        assert b"He shouts" not in pack
        assert school.staff_concern_id.bytes in files_of(pack)["skeleton.bin"]


def test_the_same_pack_is_made_again_to_the_byte(school: School) -> None:
    when = newest_moment(school.house)
    both = school.case_id, school.other_case_id
    first = school.pack(None, *both, when=when)
    give(school.house, "cases/release", {"reason": "Settled"}, school.case_id, person=school.lead)
    assert school.pack(None, *both, when=when) == first
    assert school.pack(None, *reversed(both), when=when) == first
    assert school.pack(None, *both, when=when, why="Another") != first
    with House(school.proven.settings) as another:
        kept = replace(school, proven=replace(school.proven, house=another))
        assert kept.pack(None, *both, when=when) == first


def test_a_pack_ends_at_its_checkpoint(school: School) -> None:
    give(school.house, "cases/release", {"reason": "Settled"}, school.case_id, person=school.lead)
    assert "mentee-case.hold-released" not in str(school.verified(school.pack()).facts)
    older = school.proven.file.newest(school.proven.key.name)
    assert older is not None
    school.proven.anchor().checkpoint()
    assert "mentee-case.hold-released" in str(school.verified(school.pack()).facts)
    assert "mentee-case.hold-released" not in str(school.verified(school.pack(checkpoint=older[1])).facts)


def test_making_a_pack_is_noted_before_anything_of_it_is_put_together(school: School) -> None:
    def stopped(_story: Story, _events: bytes, _keys: bytes) -> Papers:
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        school.pack(papers=stopped)
    for subject in (school.case_id, school.concern_id):
        read = school.house.reads.readers(subject)[0]
        assert (read.account, read.route, read.role) == (school.dsl.account, "/evidence", "dsl")
        assert (read.field_class, read.reason) == ("evidence", "Inspection in June (for Estyn)")
        assert read.position == school.verified(school.pack()).checkpoint.size


def test_who_looked_is_told_up_to_the_moment_of_the_pack(school: School) -> None:
    when = newest_moment(school.house)
    assert school.inspector.name.encode() not in files_of(school.pack(when=when))["history.html"]
    school.house.reads.log(
        school.inspector.account,
        "/cases/{id}",
        [school.case_id],
        role="inspector",
        field_class="case",
        reason="Chosen by lot",
        position=1,
    )
    assert school.inspector.name.encode() not in files_of(school.pack(when=when))["history.html"]
    later = when
    while later <= when + timedelta(seconds=1):
        later = newest_moment(school.house)
    assert (
        f"{school.inspector.name} Chosen by lot".encode() in files_of(school.pack(when=later))["history.html"]
    )


def test_of_an_erased_concern_the_facts_stay_and_no_key_goes_with_them(school: School) -> None:
    before = school.verified(school.pack())
    with psycopg.connect(keys_superuser(school)) as connection:
        connection.execute(
            "UPDATE keys.data_keys SET wrapped = NULL, destroyed_at = now() WHERE originator_id = %s",
            [school.concern_id],
        )
    with House(school.proven.settings) as fresh:
        found = school.verified(make_pack(fresh, school.dsl, [school.case_id], **FOR, papers=told_briefly))
    assert len(found.facts) == len(before.facts)
    sealed = [fact for fact in found.facts if fact.payload is None]
    assert {fact.originator_id for fact in sealed} == {str(school.concern_id)}
    assert "He hits me" not in str(found.facts)


def keys_superuser(school: School) -> str:
    name = conninfo_to_dict(school.proven.settings.keys_database_url)["dbname"]
    return make_conninfo(school.proven.superuser, dbname=name)


def test_a_pack_of_a_record_that_was_altered_or_has_no_checkpoint_is_refused(proven: Proven) -> None:
    with pytest.raises(PackRefused, match="no checkpoint"):
        make_pack(proven.house, account(proven.house, "Ms Lee", "dsl"), [uuid4()], **FOR)
    school = a_school(proven)
    school.proven.attack(
        "UPDATE record.events SET recorded_at = recorded_at - interval '1 day' WHERE notification_id = 3"
    )
    with pytest.raises(PackRefused, match=r"doesn't match its checkpoint \(root\)"):
        school.pack()


def test_a_record_that_lacks_a_fact_of_the_case_is_refused_in_words(proven: Proven) -> None:
    school = a_school(proven)
    proven.attack(
        f"DELETE FROM record.events WHERE originator_version = 2 AND originator_id = '{school.case_id}'",
    )
    proven.house.forget()
    with pytest.raises(PackRefused, match="let casebook verify say which"):
        school.pack()


def test_after_the_log_key_changed_a_checkpoint_of_the_former_key_still_serves(school: School) -> None:
    former = school.proven.key.verifier_key
    folder = school.proven.settings.data_dir
    key = create_log_key(folder / f"log-key-{uuid4().hex}", former.name)
    changed = replace(
        school.proven.settings,
        log_key_file=max(folder.glob("log-key-*"), key=lambda path: path.stat().st_mtime_ns),
    )
    with House(changed) as house, pytest.raises(PackRefused, match="log key"):
        make_pack(house, school.dsl, [school.case_id], **FOR, papers=told_briefly)
    with House(replace(changed, log_vkey=f"{key.verifier_key} {former}")) as house:
        pack = make_pack(house, school.dsl, [school.case_id], **FOR, papers=told_briefly)
    assert verify_pack(pack, [key.verifier_key, former]).signed_by == key.verifier_key


def test_whom_and_what_no_pack_is_made_for(school: School) -> None:
    for person in (account(school.house, "Ms Price", "coordinator"), Person(uuid4(), "admin", "Root")):
        with pytest.raises(PackRefused, match="answer for safeguarding"):
            school.pack(person)
    with pytest.raises(PackRefused, match="isn't there"):
        school.pack(None, uuid4())
    with pytest.raises(PackRefused, match="isn't there"):
        school.pack(None, school.concern_id)
    with pytest.raises(PackRefused, match="for whom"):
        school.pack(why=" ")
    with pytest.raises(PackRefused, match="still to come"):
        school.pack(when=datetime.now(UTC) + timedelta(days=1))
    with pytest.raises(PackRefused, match="between one case"):
        make_pack(school.house, school.dsl, [], **FOR)
    newer, _ = a_matched_case(school.house)
    with pytest.raises(PackRefused, match="newer than the checkpoint"):
        school.pack(None, newer)
    reads = [note for note in school.proven.file.notes() if b"/reads\n" in note]
    school.proven.log_read()
    for note in [*reads, b"x"]:
        with pytest.raises(PackRefused, match="checkpoint"):
            school.pack(checkpoint=note)


def test_without_the_log_key_there_is_no_pack(school: School) -> None:
    settings = replace(school.proven.settings, log_key_file=None)
    with House(settings) as house, pytest.raises(PackRefused, match="log key"):
        make_pack(house, school.dsl, [school.case_id], **FOR)
    assert load(school.house, Concern, school.concern_id)
