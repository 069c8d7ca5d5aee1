"""From the record to a story: as it stood at the checkpoint, by code unless named, and honest about gaps."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.documents.story import Kind, Story
from app.documents.telling import tell
from app.house import House
from app.settings import Settings
from app.wording import proof as wording
from domain.mentee_case import MenteeCase
from domain.scheme import SCHEME_ID
from tests.pages.conftest import School
from tests.pages.conftest import school as school

WHEN = datetime(2027, 1, 1, tzinfo=UTC)


def story_of(house: House, lead: UUID, size: int, *subjects: tuple[Kind, UUID], **reads: Any) -> Story:
    """A story told now."""
    return tell(
        house.casework,
        subjects,
        reads.get("reads", {}),
        made_by=lead,
        for_whom="Estyn",
        why="Inspection",
        made_at=WHEN,
        origin="casebook.example/tests",
        size=size,
        checkpoint_at=None,
    )


def test_it_tells_what_was_recorded_up_to_the_checkpoint_in_the_names_of_then(school: School) -> None:
    case_id = school.matched(sessions=1)
    lead, size = school.people["Ms Hughes"].account, school.facts()
    then = story_of(school.house, lead, size, ("case", case_id), ("scheme", SCHEME_ID))

    school.do("cases/close", case_id, outcome="purpose_reached", reason="All is well.")
    assert story_of(school.house, lead, size, ("case", case_id), ("scheme", SCHEME_ID)) == then
    (case, rules) = then.subjects
    assert [entry.version for entry in case.entries] == [1, 2, 3]
    assert [entry.index for entry in case.entries] == sorted(entry.index for entry in case.entries)
    assert case.entries[0].recorded_by == "Ms Price, coordinator"
    assert case.entries[0].late
    assert rules.title == "The scheme’s rules"
    assert then.made_by == "Ms Hughes, Designated Safeguarding Lead"
    assert then.school == "Our school"
    later = story_of(school.house, lead, school.facts(), ("case", case_id))
    assert len(later.subjects[0].entries) == 4
    assert wording.ERASED_LINKS not in later.left_out


def test_a_pupil_is_named_only_where_their_own_entries_go_with_the_pack(school: School) -> None:
    case_id = school.matched()
    case = school.house.casework.load(MenteeCase, case_id)
    assert case is not None
    pupil_id = case.pupil_id
    assert pupil_id is not None
    lead, size = school.people["Ms Hughes"].account, school.facts()

    coded = story_of(school.house, lead, size, ("case", case_id))
    named = story_of(school.house, lead, size, ("case", case_id), ("pupil", pupil_id))
    assert "O'Neill" not in repr(coded)
    assert pupil_id.hex[:6].upper() in coded.subjects[0].title
    assert not coded.with_names
    assert "Siân O'Neill" in named.subjects[0].title
    assert named.with_names
    assert "Clarke" not in repr(named), "a mentor is a pupil too, and this pack isn't about them"


def test_every_account_in_it_can_be_told_by_its_number(school: School) -> None:
    case_id = school.matched()
    lead = school.people["Ms Hughes"].account
    story = story_of(school.house, lead, school.facts(), ("case", case_id))

    known = {one.id: one.name for one in story.people}
    assert known[school.people["Ms Price"].account] == "Ms Price"
    assert known[lead] == "Ms Hughes"


def test_looks_are_told_one_by_one_and_what_passed_in_lists_together(school: School) -> None:
    case_id = school.matched()
    coordinator = school.as_("coordinator")
    for address in ("/cases", "/cases", "/cases", f"/cases/{case_id}", f"/cases/{case_id}"):
        coordinator.get(address)
    reads = {case_id: list(reversed(school.house.reads.readers(case_id)))}
    lead = school.people["Ms Hughes"].account
    story = story_of(school.house, lead, school.facts(), ("case", case_id), reads=reads)

    assert sorted((look.what, look.times) for look in story.looks) == [
        ("A line in lists", 3),
        ("The case, with its history", 1),
        ("The case, with its history", 1),
    ]
    assert {look.who for look in story.looks} == {"Ms Price"}


def test_a_look_that_cant_be_opened_is_told_as_one(school: School) -> None:
    case_id = school.matched()
    with school.house.pool.connection() as connection:
        connection.execute(
            "INSERT INTO record.reads (account, route, subjects, state) VALUES (%s, '/x', %s, 'x')",
            [UUID(int=7), [case_id]],
        )
    reads = {case_id: school.house.reads.readers(case_id)}
    lead = school.people["Ms Hughes"].account
    (look,) = story_of(school.house, lead, school.facts(), ("case", case_id), reads=reads).looks
    assert look.what == wording.BROKEN_LOOK


def test_what_was_erased_is_told_as_erased(school: School, settings: Settings) -> None:
    case_id = school.matched(sessions=1)
    lead, size = school.people["Ms Hughes"].account, school.facts()
    with school.house.keys_pool.connection() as connection:
        connection.execute(
            "UPDATE keys.data_keys SET wrapped = NULL, destroyed_at = now() WHERE originator_id = %s",
            [case_id],
        )
    with House(settings) as elsewhere:
        story = story_of(elsewhere, lead, size, ("case", case_id))
    (case,) = story.subjects
    # Its concerns can't be found any more: the pack says so, and not that there are none.
    assert wording.ERASED_LINKS in story.left_out
    assert case.erased
    assert "(erased)" in case.title
    assert [entry.version for entry in case.entries] == [1, 2, 3]
    assert "Often alone." not in repr(case)
    assert all(entry.recorded_by for entry in case.entries)
