"""A rebuild that doesn't end well changes nothing, and leaves nobody's name behind."""

from threading import Event, Thread
from typing import Any

import psycopg
import pytest

from projections.ahead import Row
from projections.all_models import MODELS
from projections.positions import status, wait_for
from projections.rebuild import RebuildFailed, rebuild
from projections.roll import ROLL
from tests.projections.conftest import Record, until
from tests.projections.makers import a_pupil


def tables(record: Record) -> set[str]:
    with record.pool.connection() as connection:
        found = connection.execute("SELECT relname FROM pg_class WHERE relnamespace = 'views'::regnamespace")
        return {name for (name,) in found if name.endswith("__shadow")}


def test_a_rebuild_that_fails_takes_its_table_with_it(record: Record) -> None:
    record.save(a_pupil("Siân", "Forgetmenot"))
    record.catch_up()
    rows = record.rows("roll")
    reads: list[int] = []

    def read(after: int, limit: int) -> Any:
        if reads:
            assert tables(record) == {"roll__shadow"}
            raise psycopg.OperationalError("gone")
        reads.append(after)
        return record.recorder.rows_after(after, limit)

    with pytest.raises(psycopg.OperationalError):
        rebuild(record.pool, read, record.mapper, ROLL, batch=1)
    assert tables(record) == set()
    assert record.rows("roll") == rows


def test_what_a_killed_rebuild_left_is_dropped_by_the_projector_and_not_what_one_fills_now(
    record: Record,
) -> None:
    for name in ("Siân", "Tom"):
        record.save(a_pupil(name, "Forgetmenot"))
    begun, go_on = Event(), Event()

    def read(after: int, limit: int) -> list[Row]:
        if after:
            begun.set()
            assert go_on.wait(30)
        return list(record.recorder.rows_after(after, limit))

    with record.projecting():
        assert wait_for(record.pool, 2, MODELS, timeout=30)
        going = Thread(target=rebuild, args=(record.pool, read, record.mapper, ROLL), kwargs={"batch": 1})
        going.start()
        assert begun.wait(30)
        with record.pool.connection() as connection:
            # As by a process that is gone: nobody has its lock.
            connection.execute("CREATE TABLE views.mentors__shadow (name text)")
        until(lambda: tables(record) == {"roll__shadow"})
        go_on.set()
        going.join()
        assert tables(record) == set()
        assert len(record.rows("roll")) == 2


def test_a_list_that_somebody_reads_for_long_is_left_as_it_is(record: Record) -> None:
    record.save(a_pupil("Siân", "O'Neill"))
    record.catch_up()
    with record.pool.connection() as reader, reader.transaction():
        reader.execute("SELECT FROM views.roll")
        with pytest.raises(RebuildFailed, match=r"read by somebody for too long.*Try again later"):
            rebuild(record.pool, record.recorder.rows_after, record.mapper, ROLL)
    assert tables(record) == set()
    assert len(record.rows("roll")) == 1
    assert not [one for one in status(record.pool) if one.fault]
