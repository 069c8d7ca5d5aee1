"""A database stopped, started again, cut off, read-only or full of others: what each reader meets."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from tests.faults.school import HEALS_SECONDS, School
from tests.faults.visit import EVERYTHING, LOOKING, SENDING, Visit, is_told_in_words

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]


def test_a_stopped_record_is_said_in_words_and_healed_by_its_start(school: School) -> None:
    visit = Visit(school)
    with school.busy():
        school.database.stop()
        try:
            is_told_in_words(visit, visit.all_at_once(), *EVERYTHING)
            began = monotonic()
            is_told_in_words(visit, visit.all_at_once(), *EVERYTHING)
            assert monotonic() - began < 4, "who comes later waits less"
        finally:
            school.database.start()
        visit.everything_works_again(HEALS_SECONDS)


def test_a_restart_in_the_midst_of_work_is_hardly_noticed(school: School) -> None:
    visit = Visit(school)
    with school.busy():
        pid = school.database.pid
        assert pid is not None
        # Immediate: it recovers as after a power cut, and finds its unlogged tables empty.
        os.kill(pid, signal.SIGQUIT)
        with ThreadPoolExecutor(1) as reader:
            looking = reader.submit(visit.all_at_once)
            school.until(lambda: not school.database.is_running(), 20)
            school.database.start()
            # Who comes in the midst of it waits until it is back, or hears that it isn't.
            seen = looking.result()
        is_told_in_words(visit, seen, perhaps=EVERYTHING)
        visit.what_was_answered_well_is_recorded_once(seen)
        visit.everything_works_again(HEALS_SECONDS)


def test_connections_that_are_all_killed_are_replaced_unnoticed(school: School) -> None:
    visit = Visit(school)
    with school.busy(), school.superuser() as superuser, school.superuser(school.keys) as of_keys:
        for _ in range(3):
            for connection in (superuser, of_keys):
                killed = connection.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE usename = 'casebook_app'"
                ).fetchall()
                assert killed
            seen = visit.all_at_once()
            # Who comes after it notices nothing; only who was in the midst of it is told to come again.
            is_told_in_words(visit, seen)
            visit.is_recorded_once()
        visit.everything_works_again(HEALS_SECONDS)


def test_without_the_keys_what_is_known_is_shown_and_nothing_new_is_taken(school: School) -> None:
    visit = Visit(school)
    with school.busy():
        visit.all_at_once()
        later = Visit(school)
        school.keys.stop()
        try:
            seen = later.all_at_once()
            # Each process knows the keys that it has used.
            is_told_in_words(later, seen, "readyz", *SENDING, perhaps=LOOKING)
            assert any(seen[name].status < 400 for name in LOOKING)
        finally:
            school.keys.start()
        later.everything_works_again(HEALS_SECONDS)
