"""The facts that the benchmarks write in bulk are the same as recorded ones."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.embedded import Embedded
from app.house import House
from app.project import ProjectorProcess
from app.settings import Settings
from domain.mentee_case import MenteeCase
from projections.caseload import Caseload
from projections.positions import wait_for
from tests.benchmarks.copying import copy_cases
from tests.benchmarks.ground import people
from tests.benchmarks.writers import command
from tests.kill import checks

CASES, FACTS = 3, 20


@dataclass(frozen=True)
class Copied:
    """A record with a few recorded facts, and the facts of three cases copied in after them."""

    house: House
    superuser_url: str
    before: int
    upto: int


@pytest.fixture
def copied(cluster: Embedded, demo_settings: Settings) -> Iterator[Copied]:
    record = conninfo_to_dict(demo_settings.database_url)["dbname"]
    superuser_url = make_conninfo(cluster.url("superuser"), dbname=record)
    with House(demo_settings) as house:
        known, before = people(house)
        upto = copy_cases(demo_settings, superuser_url, CASES, FACTS, known)
        yield Copied(house, superuser_url, before, upto)


def test_copied_facts_stand_in_the_ledger_like_recorded_ones(copied: Copied) -> None:
    facts = checks.recorded(copied.house)
    assert len(facts) == copied.upto == copied.before + CASES * FACTS
    assert copied.house.recorder.max_notification_id() == copied.upto
    checks.the_ledger_holds(copied.house, facts)


def test_copied_facts_are_stamped_as_the_trigger_stamps_them(copied: Copied) -> None:
    with psycopg.connect(copied.superuser_url) as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute("CREATE TABLE record.retold (LIKE record.events INCLUDING ALL)")
        connection.execute(
            "CREATE TRIGGER stamp BEFORE INSERT ON record.retold FOR EACH ROW"
            " EXECUTE FUNCTION record.stamp_event()"
        )
        connection.execute("UPDATE record.heads SET size = 0, last_at = 'epoch' WHERE log = 'events'")
        rows = connection.execute("SELECT * FROM record.events ORDER BY notification_id").fetchall()
        for _, subject, version, topic, state, recorded_at, _ in rows:
            connection.execute("SELECT set_config('casebook.demo_time', %s, true)", [recorded_at.isoformat()])
            connection.execute(
                "INSERT INTO record.retold (originator_id, originator_version, topic, state)"
                " VALUES (%s, %s, %s, %s)",
                [subject, version, topic, state],
            )
        assert connection.execute("SELECT * FROM record.retold ORDER BY notification_id").fetchall() == rows
        connection.rollback()


def test_lists_show_copied_cases_and_commands_go_on_after_them(copied: Copied) -> None:
    house = copied.house
    with ProjectorProcess(house.pool, house.recorder, house.mapper):
        assert wait_for(house.pool, copied.upto, timeout=30)
        cases = Caseload(house.pool).cases()
        assert [(case.version, case.state) for case in cases] == [(FACTS, "matched")] * CASES
        assert command(house.casework, cases[0].case_id) == copied.upto + 1
        assert wait_for(house.pool, copied.upto + 1, timeout=30)
        assert Caseload(house.pool).cases()[0].more_asked_for
    loaded = house.casework.load(MenteeCase, cases[0].case_id)
    assert loaded is not None
    assert loaded.version == FACTS + 1
    checks.the_ledger_holds(house, checks.recorded(house))
