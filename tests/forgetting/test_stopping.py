"""Whatever is stopped in the midst of forgetting, whoever comes next finishes, and nothing is done twice."""

from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from app.forgetting.destroyed_list import DestroyedList
from app.forgetting.destroying import Forgetting
from app.house import House
from app.record.kek import next_file, previous_files
from app.record.kek_roll import StillNeeded, destroy_previous, roll
from app.record.keys import DESTROYED, Keks, KeyStore, KeyWrong, kek_id, load_kek
from app.settings import Settings
from domain.erasure import Completed, Erasure, KeyDestroyed, Ordered, Requested
from tests.forgetting.conftest import Office
from tests.forgetting.stopping import stopped_at
from tests.giving import load


def test_an_erasure_that_is_stopped_at_any_step_is_finished_by_the_next_who_comes(
    office: Office, settings: Settings
) -> None:
    assert settings.destroyed_file is not None
    listed = DestroyedList(settings.destroyed_file)
    office.house.lease = 0
    erasures = {}
    for step in count():
        _pupil, case, _concern = office.story()
        erasure = erasures[case] = office.order("narrative", case)
        stopped = stopped_at(step, lambda: Forgetting(office.house).finish())
        if load(office.house, Erasure, erasure).state == "completed":
            assert not stopped or step > 10
        # A key that is gone is on the list, whatever came next.
        if office.house.keys.get(case) is DESTROYED:
            assert case in {one.originator_id for one in listed.read()}
        Forgetting(office.house).finish()
        told = [type(one.fact) for one in office.house.casework.stream(Erasure, erasure)]
        assert told == [Requested, Ordered, KeyDestroyed, KeyDestroyed, Completed], step
        if not stopped:
            break
    assert step > 10, "it takes more steps than that"
    names = [one.originator_id for one in listed.read()]
    assert len(names) == len(set(names)) == 2 * len(erasures), "each once"
    office.house.forget()
    assert all(office.house.keys.get(case) is DESTROYED for case in erasures)


def test_a_roll_that_is_stopped_at_any_step_leaves_every_key_readable_and_is_finished_by_the_next(
    house: House, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.record.kek_roll.BATCH", 3)
    ids = [uuid4() for _ in range(8)]
    keys = house.keys.create_many(ids)

    def readable() -> bool:
        return KeyStore(house.keys_pool, Keks.from_file(settings.kek_file)).get_many(ids) == keys

    running = KeyStore(house.keys_pool, Keks.from_file(settings.kek_file), ttl=0)
    for step in count():
        before = kek_id(load_kek(settings.kek_file))
        stopped = stopped_at(step, lambda: roll(settings.kek_file, house.keys_pool, settle=0))
        assert readable(), step
        assert running.get_many(ids) == keys, "a server that runs on goes on reading"
        after = roll(settings.kek_file, house.keys_pool, settle=0)
        assert after == kek_id(load_kek(settings.kek_file)) != before
        with house.keys_pool.connection() as connection:
            assert connection.execute("SELECT DISTINCT kek_id FROM keys.data_keys").fetchall() == [(after,)]
        assert readable()
        assert before in destroy_previous(settings.kek_file, house.keys_pool)
        assert previous_files(settings.kek_file) == []
        assert readable()
        assert running.get_many(ids) == keys
        if not stopped:
            break
    assert step > 10
    assert not next_file(settings.kek_file).exists()


def test_a_server_that_runs_on_wraps_new_keys_by_the_new_one(house: House, settings: Settings) -> None:
    house.keys.create(uuid4())
    new, key = roll(settings.kek_file, house.keys_pool, settle=0), uuid4()
    house.keys.create(key)
    with house.keys_pool.connection() as connection:
        assert connection.execute("SELECT DISTINCT kek_id FROM keys.data_keys").fetchall() == [(new,)]


def test_an_old_key_is_not_destroyed_while_anything_needs_it(house: House, settings: Settings) -> None:
    house.keys.create(uuid4())
    with house.keys_pool.connection() as connection:
        backup = connection.execute("SELECT wrapped, kek_id FROM keys.data_keys").fetchone()
        roll(settings.kek_file, house.keys_pool, settle=0)
        # As a process leaves it that wrapped a key a moment before the roll, and stored it after.
        connection.execute("UPDATE keys.data_keys SET wrapped = %s, kek_id = %s", backup)
    with pytest.raises(StillNeeded, match="keys roll"):
        destroy_previous(settings.kek_file, house.keys_pool)
    roll(settings.kek_file, house.keys_pool, settle=0)
    assert destroy_previous(settings.kek_file, house.keys_pool)


def test_an_old_backup_of_the_keys_is_of_no_use_once_the_old_key_is_destroyed(
    house: House, settings: Settings
) -> None:
    key = uuid4()
    house.keys.create(key)
    with house.keys_pool.connection() as connection:
        backup = connection.execute("SELECT wrapped, kek_id FROM keys.data_keys").fetchone()
        roll(settings.kek_file, house.keys_pool, settle=0)
        destroy_previous(settings.kek_file, house.keys_pool)
        connection.execute("UPDATE keys.data_keys SET wrapped = %s, kek_id = %s", backup)
    house.keys.forget()
    with pytest.raises(KeyWrong):
        KeyStore(house.keys_pool, Keks.from_file(settings.kek_file)).get(key)


def test_what_was_overwritten_of_an_old_key_is_not_in_its_file_any_more(tmp_path: Path, house: House) -> None:
    path = house.settings.kek_file
    before = path.read_bytes()
    roll(path, house.keys_pool, settle=0)
    kept = previous_files(path)[0].open("rb")
    with kept:
        destroy_previous(path, house.keys_pool)
        assert kept.read() != before
