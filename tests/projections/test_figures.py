from dataclasses import asdict
from uuid import UUID, uuid4

from domain.erasure import Erasure
from domain.mentee_case import MenteeCase
from domain.retention import Matter
from projections.all_models import MODELS
from projections.caseload import Caseload
from projections.figures import FIGURES, Count, Figures
from projections.rebuild import rebuild
from tests.projections.conftest import Record
from tests.projections.makers import FIRST, day, held, matched, on, referred
from tests.scenario import by


def erased(*targets: UUID) -> Erasure:
    """An erasure that was carried out; the record's keys stay, so that only the facts tell of it."""
    erasure = Erasure.blank(uuid4())
    matter = Matter("narrative", targets[0], None, targets, (), keep_until=FIRST)
    erasure.request(by(), matter=matter, grounds="retention", reason="Its time is over.")
    erasure.approve(by(account=uuid4()), matter=matter)
    for target in targets:
        erasure.key_destroyed(by(), target=target, kid="00")
    erasure.complete(by())
    return erasure


def a_long_case() -> MenteeCase:
    case = held(matched(0), *range(2, 8))
    case.extend(on(9), sessions=1, reason="r", mentee_wishes="w")
    held(case, 10)
    case.break_confidentiality(on(11), concern_id=uuid4())
    case.release(on(12))
    case.close(on(13), outcome="better", reason="done")
    return case


def test_what_is_left_of_a_case_is_counted_whatever_becomes_of_it(record: Record) -> None:
    case, declined, waiting = a_long_case(), referred(3), referred(4)
    declined.decline(on(5), reason="Other help.")
    record.save(case, declined, waiting)
    record.catch_up()
    figures = Figures(record.pool)
    before = figures.by_ids([case.id, uuid4()])
    assert {**asdict(before[case.id]), "number": 1} == {
        "case_id": case.id,
        "number": 1,
        "version": case.version,
        "state": "closed",
        "referred_on": day(0),
        "erased": False,
    }
    assert figures.counts() == {"closed": Count(1, 0), "declined": Count(1, 0), "referred": Count(1, 0)}

    record.save(erased(case.id, uuid4()))
    record.catch_up()
    assert Caseload(record.pool).by_ids([case.id]) == {}
    assert figures.by_ids([case.id]) == {case.id: replaced(before[case.id])}
    assert figures.counts() == {"closed": Count(1, 1), "declined": Count(1, 0), "referred": Count(1, 0)}


def replaced(figure: object) -> object:
    """The same case, erased."""
    return type(figure)(**{**vars(figure), "erased": True})


def test_a_case_that_came_back_is_counted_as_open_again(record: Record) -> None:
    case = a_long_case()
    case.reopen(on(14), reason="came back")
    record.save(case)
    case.match(on(15), mentor_id=uuid4())
    record.save(case)
    record.catch_up()
    assert Figures(record.pool).counts() == {"matched": Count(1, 0)}


def test_nothing_of_a_person_stands_in_the_figures(record: Record) -> None:
    case = a_long_case()
    mentor = case.mentors[0]
    record.save(case)
    record.catch_up()
    rows = repr(record.rows("figures"))
    assert str(case.id) in rows
    assert not any(str(one) in rows for one in (case.pupil_id, mentor, case.referrer))


def test_an_erasure_is_counted_the_same_in_one_batch_and_in_many(record: Record) -> None:
    cases = [a_long_case() for _ in range(3)]
    for case in cases:
        record.save(case)
    record.catch_up()
    record.save(erased(cases[0].id), erased(cases[2].id))
    record.catch_up()
    live = record.rows("figures")
    assert [row[-1] for row in live] == [True, False, True]
    for batch in (1, 500):
        rebuild(record.pool, record.recorder.rows_after, record.mapper, MODELS["figures"], batch=batch)
        assert record.rows("figures") == live
    assert FIGURES.counts_erased
