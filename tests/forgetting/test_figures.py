"""Whoever is forgotten still counts: figures, the skeleton of decisions and its proofs stay as they were."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.forms import today
from app.proof.pack import OFFICE, make_pack
from app.proof.verifier import unpacked, verify_pack
from app.wording.common import ERASED_TEXT
from domain.mentee_case import MenteeCase
from projections.all_models import MODELS
from projections.caseload import Caseload
from projections.figures import Count, Figures
from projections.rebuild import rebuild
from tests.forgetting.conftest import Office
from tests.pages.conftest import STAFF, School
from tests.proof.conftest import Proven

SEALED: Final = ("Often alone.", "More time.", "Settled.", "He hits me.", "Watch.", "Siân")
SKELETON: Final = (ERASED_TEXT, "Ms Price")


def office_of(school: School) -> Office:
    """The same people, giving commands beside the pages."""
    return Office(school.house, {role: school.people[name] for role, name in STAFF.items()})


def a_year_of(school: School) -> tuple[UUID, UUID, UUID]:
    """A long case, one that was declined, and the first one's concern; of pupils who left long ago."""
    office = office_of(school)
    mentor, pupil, then = school.mentor(), office.pupil(), today() - timedelta(days=50)
    case = school.case(pupil_id=pupil)
    school.do("cases/match", case, mentor_id=mentor, reason=None, happened_on=then)
    for number in range(6):
        held: dict[str, Any] = {
            "held_on": then + timedelta(days=number),
            "minutes": 30,
            "focus": "f",
            "notes": "n",
        }
        school.do("cases/hold-session", case, **held, friend_came=False)
    school.do("cases/extend", case, sessions=2, reason="More time.", mentee_wishes="Yes.")
    concern = office.concern(case)
    school.do("cases/release", case, by="Ms Hughes", reason="Settled.")
    school.do("cases/close", case, outcome="better", reason="Done.")
    return case, office.case(office.pupil(given="Tom"), words="Likes chess."), concern


def test_no_figure_changes_when_somebody_is_forgotten(school: School) -> None:
    case, declined, _concern = a_year_of(school)
    office, figures = office_of(school), Figures(school.house.pool)
    before, rows = figures.counts(), figures.by_ids([case, declined])
    assert before == {"closed": Count(1, 0), "declined": Count(1, 0)}
    coordinator = school.as_("coordinator")
    assert "2 in all" in coordinator.get("/cases?state=").text

    office.erase("narrative", case)
    for again in (False, True):
        if again:
            for model in MODELS.values():
                rebuild(school.house.pool, school.house.recorder.rows_after, school.house.mapper, model)
        assert figures.counts() == {"closed": Count(1, 1), "declined": Count(1, 0)}
        assert figures.by_ids([declined])[declined] == rows[declined]
        assert vars(figures.by_ids([case])[case]) == {**vars(rows[case]), "erased": True}
        assert Caseload(school.house.pool).by_ids([case]) == {}

    everything = coordinator.get("/cases?state=")
    assert "2 in all, 1 of them erased and no longer listed" in everything.text
    closed = coordinator.get("/cases?state=closed")
    assert "1 in all, 1 of them erased and no longer listed" in closed.text
    assert "There is no case to list here." in closed.text
    assert "erased" not in coordinator.get("/cases?state=declined").text


def test_the_skeleton_of_decisions_is_shown_and_proven(school: School, proven: Proven) -> None:
    case, declined, concern = a_year_of(school)
    house, office = school.house, office_of(school)
    told = [(t.fact.TOPIC, t.recorded_at) for t in house.casework.stream(MenteeCase, case)]
    office.erase("narrative", case)

    assert [(t.fact.TOPIC, t.recorded_at) for t in house.casework.stream(MenteeCase, case)] == told
    for reader in ("dsl", "inspector"):
        for address in (f"/cases/{case}", f"/cases/{case}/history"):
            shown = school.as_(reader).get(address).text
            assert not [word for word in SEALED if word in shown]
            assert not [what for what in SKELETON if what not in shown], shown
        decided = school.as_(reader).get(f"/concerns/{concern}").text
        assert "Keep watching" in decided or "Monitor" in decided
        assert not [word for word in SEALED if word in decided]

    proven.anchor().checkpoint()
    assert proven.verify(deep=True).faults == ()
    pack = make_pack(house, OFFICE, [case, declined], for_whom="Estyn", why="Inspection")
    found = verify_pack(pack, [proven.key.verifier_key])
    # That the concern came from this case is a secret of both: what is left of it is proven by itself.
    assert {str(case), str(declined)} <= set(found.subjects)
    history = unpacked(pack)["history.html"].decode()
    assert ERASED_TEXT in history
    assert not [word for word in SEALED if word in history]
