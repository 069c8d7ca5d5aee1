"""Lists that are thrown away, and the process that fills them cut off: the record goes on without them."""

import pytest

from app.record.migrate import migrate
from projections.projector import LEADER_LOCK
from tests.faults.school import HEALS_SECONDS, School
from tests.faults.visit import Visit, is_told_in_words
from tests.kill.servers import ORIGIN

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]
FILLED_SECONDS = 15.0


def test_lists_whose_schema_was_dropped_are_filled_again_after_migrate(school: School) -> None:
    visit = Visit(school)
    with school.busy():
        with school.superuser() as superuser:
            superuser.execute("DROP SCHEMA views CASCADE")
        is_told_in_words(visit, visit.all_at_once(), "today", "list", perhaps=("case",))
        owner = school.database.url("owner"), school.keys.url("owner", "casebook_keys")
        assert migrate(*owner, origin=ORIGIN) == ["record/0003_views"]
        assert migrate(*owner, origin=ORIGIN) == []
        visit.everything_works_again(FILLED_SECONDS)
    assert school.stopped_lists() == []


def test_a_projector_whose_connection_was_killed_goes_on_at_once(school: School) -> None:
    with school.busy(), school.superuser() as superuser:
        for _ in range(3):
            [(killed,)] = superuser.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"
                " AND (classid::bigint << 32) | objid::bigint = %s AND granted",
                [LEADER_LOCK],
            ).fetchall()
            assert killed
            newest = school.house.recorder.max_notification_id() or 0
            # mypy can't infer a lambda that binds the loop's value.
            school.until(lambda newest=newest: school.shown() >= newest, HEALS_SECONDS)  # type: ignore[misc]
