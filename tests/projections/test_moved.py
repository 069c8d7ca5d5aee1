from app.record.rows import StoredRow
from projections.all_models import MODELS
from projections.positions import wait_for
from projections.projector import Projector
from projections.rebuild import rebuild
from tests.projections.conftest import Record, at_work
from tests.projections.watching import a_case, standing


def test_a_rebuild_that_overtakes_a_batch_stops_no_list(record: Record) -> None:
    a_case(record, 1)
    record.catch_up()
    newest = a_case(record, 2)[-1]
    overtaken: list[int] = []

    def read(position: int, limit: int) -> list[StoredRow]:
        rows = record.recorder.rows_after(position, limit)
        if rows and not overtaken:
            # Between the reading of a batch and its writing.
            model = MODELS["caseload"]
            overtaken.append(rebuild(record.pool, record.recorder.rows_after, record.mapper, model))
        return rows

    with at_work(Projector(record.pool, read, record.mapper, list(MODELS.values()))):
        wait_for(record.pool, newest, MODELS, timeout=5)
        newest = a_case(record, 1)[-1]
        wait_for(record.pool, newest, MODELS, timeout=5)
    assert overtaken == [newest - 3]
    assert [standing(record, name) for name in MODELS] == [(name, newest, 0, None) for name in MODELS]
