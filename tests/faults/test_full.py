"""A disk, a server or a pool that has no more to give."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event
from time import monotonic

import psycopg
import pytest

from app import create_app
from app.house import House
from tests.faults.school import HEALS_SECONDS, School
from tests.faults.visit import (
    EVERYTHING,
    LOOKING,
    PATIENCE_SECONDS,
    SENDING,
    TELL_A_PERSON,
    Visit,
    is_told_in_words,
)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]


def test_a_full_disk_takes_nothing_and_loses_nothing(school: School) -> None:
    if not school.on_small_disk:
        pytest.skip("needs the right to mount a file system")
    visit = Visit(school)
    with school.busy():
        refused = school.refused
        until, ours = monotonic() + 30, [school.web.pid, school.projector.pid]
        school.fill_disk()
        try:
            # What has room on pages that are there already is still recorded.
            school.until(lambda: school.refused > refused, 30)
            # By and by no page has room.
            said = [visit]
            answers = [visit.all_at_once()]
            while all(answers[-1][name].status < 400 for name in SENDING):
                assert monotonic() < until, "a full disk takes everything"
                said.append(visit.with_new_words())
                answers.append(said[-1].all_at_once())
            for one, seen in zip(said, answers, strict=True):
                is_told_in_words(one, seen, perhaps=EVERYTHING)
        finally:
            school.empty_disk()
        # A database that stopped because it couldn't write is started again by whoever looks after it.
        if not school.database.is_running():
            school.database.start()
        for one, seen in zip(said, answers, strict=True):
            one.what_was_answered_well_is_recorded_once(seen)
            one.everything_works_again(HEALS_SECONDS, alone=True)
        assert [school.web.pid, school.projector.pid] == ours, "nobody started ours again"


def test_a_read_only_record_says_so_and_takes_all_once_it_may(school: School) -> None:
    visit = Visit(school)
    with school.busy(), school.superuser() as superuser:
        refused = school.refused
        superuser.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        superuser.execute("SELECT pg_reload_conf()")
        try:
            school.until(lambda: school.refused > refused, 10)
            is_told_in_words(visit, visit.all_at_once(), "readyz", *LOOKING, *SENDING)
        finally:
            superuser.execute("SET default_transaction_read_only = off")
            superuser.execute("ALTER SYSTEM RESET default_transaction_read_only")
            superuser.execute("SELECT pg_reload_conf()")
        visit.everything_works_again(HEALS_SECONDS)
    assert school.stopped_lists() == [], "a list that couldn't be written isn't one that couldn't take a fact"


def test_a_server_with_too_many_connections_is_met_with_patience(school: School) -> None:
    visit = Visit(school)
    with school.busy(), ExitStack() as others:
        school.gate.shut()
        _take_every_connection(school.house.settings.database_url, others)
        school.gate.open()
        is_told_in_words(visit, visit.all_at_once(), *EVERYTHING)
        others.close()
        visit.everything_works_again(HEALS_SECONDS)


def _take_every_connection(url: str, others: ExitStack) -> None:
    for _ in range(1000):
        try:
            others.enter_context(psycopg.connect(url))
        except psycopg.OperationalError as error:
            if "too many" in str(error) or "reserved" in str(error):
                return
            raise
    raise AssertionError("there is no end of connections")


def test_who_finds_the_pool_empty_waits_a_little_and_the_next_one_less(school: School) -> None:
    done = Event()
    settings = school.house.settings
    who = {"Authorization": f"Bearer {school.tokens['coordinator']}"}
    with House(settings, pool_size=2) as house, ThreadPoolExecutor(2) as slow:
        client = create_app(settings, house).test_client()

        def take_one() -> None:
            with house.pool.connection():
                done.wait(60)

        taken = [slow.submit(take_one) for _ in range(2)]
        try:
            for longest in (PATIENCE_SECONDS, 2.0):
                began = monotonic()
                answer = client.get("/api/v1/cases", headers=who)
                assert monotonic() - began < longest
                assert answer.status_code == 503
                assert int(answer.headers["Retry-After"]) <= 30
                assert TELL_A_PERSON in answer.get_data(as_text=True)
        finally:
            done.set()
        for one in taken:
            one.result()
        assert client.get("/api/v1/cases", headers=who).status_code == 200
