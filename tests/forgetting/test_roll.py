"""The key that wraps all others is replaced while servers run, and the old one is of no use after."""

import fcntl
from pathlib import Path
from uuid import uuid4

import pytest

from app.house import House
from app.record.kek import KekRefused, previous_files
from app.record.kek_roll import StillNeeded, destroy_previous, roll
from app.record.keys import Keks, KeyStore, KeyWrong
from app.settings import Settings


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


def test_what_a_kill_left_of_a_key_is_swept_away_and_what_is_being_written_stays(
    tmp_path: Path, house: House
) -> None:
    path = house.settings.kek_file
    left = path.with_name(f".{path.name}.begun.4711.unfinished")
    left.write_bytes(b"a key that was never used")
    with path.with_name(f".{path.name}.begun.4712.unfinished").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        roll(path, house.keys_pool, settle=0)
        assert sorted(one.name for one in path.parent.glob(".*")) == [f".{path.name}.begun.4712.unfinished"]
    roll(path, house.keys_pool, settle=0)
    assert list(path.parent.glob(".*")) == []


def test_two_rolls_at_once_are_one_after_the_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.record.kek_roll.WAIT", "50ms")
    path = house.settings.kek_file
    before = path.read_bytes()

    def meanwhile(_count: int) -> None:
        for work in (roll, destroy_previous):
            with pytest.raises(KekRefused, match="Another process"):
                work(path, house.keys_pool)

    house.keys.create(uuid4())
    roll(path, house.keys_pool, settle=0, progress=meanwhile)
    assert path.read_bytes() != before
    assert destroy_previous(path, house.keys_pool)
