"""Whether the anchor signs, as whoever watches its container asks: `casebook anchor --check`."""

from threading import Event, Thread

import psycopg

from app.checkup import why_not_signed
from app.proof.anchor_says import say
from tests.giving import a_case, a_pupil
from tests.projections.conftest import until
from tests.proof.conftest import Proven


def test_an_anchor_is_well_while_it_is_there_refuses_nothing_and_leaves_nothing_lying(proven: Proven) -> None:
    def why_not() -> str | None:
        with psycopg.connect(proven.settings.database_url) as connection:
            return why_not_signed(connection, proven.file)

    a_case(proven.house)
    assert why_not() == "No anchor is at work on this record."
    stop = Event()
    watching = Thread(target=proven.anchor().run, args=(stop,), kwargs={"every": 3600.0})
    watching.start()
    try:
        until(lambda: why_not() is None and proven.file.origins() != frozenset())
        a_pupil(proven.house)
        assert why_not() is None, "what was recorded a moment ago may wait"
        back = "UPDATE record.events SET recorded_at = recorded_at - interval '31 minutes'"
        proven.attack(f"{back} WHERE notification_id = 3")
        assert why_not() == "The anchor's file ends with fact 2, and what came after it waits for too long."
    finally:
        stop.set()
        watching.join()
    with psycopg.connect(proven.settings.database_url) as connection:
        say(connection, "The log was cut.")
    assert why_not() == "The log was cut."
