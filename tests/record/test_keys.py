import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from app.record.keys import (
    DESTROYED,
    KekRefused,
    KeyFault,
    KeyMissing,
    KeyStore,
    KeysUnavailable,
    KeyWrong,
    create_kek,
    kek_id,
    load_kek,
)
from app.record.pool import open_pool
from tests.record.conftest import Databases
from tests.record.vectors import EVENTS, VECTORS

KEK = bytes.fromhex(VECTORS["kek"])


def destroy(databases: Databases, originator_id: UUID) -> None:
    with psycopg.connect(databases.keys_app, autocommit=True) as connection:
        connection.execute(
            "UPDATE keys.data_keys SET wrapped = NULL, destroyed_at = now() WHERE originator_id = %s",
            [originator_id],
        )


def test_each_example_of_a_wrapped_key_is_unwrapped(keys_pool: ConnectionPool) -> None:
    assert kek_id(KEK) == VECTORS["kek_id"]
    examples = {UUID(event["originator_id"]): event for event in EVENTS}
    with keys_pool.connection() as connection:
        for originator_id, event in examples.items():
            connection.execute(
                "INSERT INTO keys.data_keys (kid, originator_id, kek_id, wrapped) VALUES (%s, %s, %s, %s)",
                [
                    urlsafe_b64decode(event["kid"] + "=="),
                    originator_id,
                    VECTORS["kek_id"],
                    bytes.fromhex(event["wrapped"]),
                ],
            )
    found = KeyStore(keys_pool, KEK).get_many(examples)
    for originator_id, event in examples.items():
        key = found[originator_id]
        assert key is not DESTROYED
        assert (key.kid_text, key.key.hex()) == (event["kid"], event["data_key"])


def test_a_key_is_there_for_others_before_it_is_given_out(keys: KeyStore, keys_pool: ConnectionPool) -> None:
    case = uuid4()
    created = keys.create(case)
    assert keys.create(case) == created
    assert keys.get(case) == created
    assert KeyStore(keys_pool, bytes(range(32))).get(case) == created


def test_no_key_is_stored_in_clear(keys: KeyStore, databases: Databases) -> None:
    created = keys.create(uuid4())
    with psycopg.connect(databases.keys_app) as connection:
        rows = connection.execute("SELECT kid, wrapped FROM keys.data_keys WHERE kid = %s", [created.kid])
        ((_, wrapped),) = rows.fetchall()
    assert created.key not in wrapped
    assert len(wrapped) == 40


@pytest.mark.race
def test_many_who_create_the_same_keys_at_once_get_the_same_keys(keys_pool: ConnectionPool) -> None:
    wanted = [uuid4() for _ in range(20)]
    found = []

    def create(order: int) -> None:
        store = KeyStore(keys_pool, KEK)
        found.append(store.create_many(wanted if order % 2 else wanted[::-1]))

    threads = [threading.Thread(target=create, args=[order]) for order in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(keys == found[0] for keys in found)


def test_a_missing_row_is_a_fault_and_a_destroyed_key_is_not(keys: KeyStore, databases: Databases) -> None:
    case = uuid4()
    with pytest.raises(KeyMissing):
        keys.get(case)
    keys.create(case)
    destroy(databases, case)
    assert keys.get(case) is not DESTROYED, "remembered for a while"
    fresh = KeyStore(keys._pool, bytes(range(32)))
    assert fresh.get(case) is DESTROYED
    with pytest.raises(KeyFault, match="was destroyed"):
        fresh.create(case)
    with pytest.raises(KeyMissing):
        fresh.get_many([case, uuid4()])


def test_a_destroyed_key_is_forgotten_when_its_time_is_over(
    keys_pool: ConnectionPool, databases: Databases
) -> None:
    store, case = KeyStore(keys_pool, KEK, ttl=0), uuid4()
    store.create(case)
    destroy(databases, case)
    assert store.get(case) is DESTROYED


def test_memory_for_keys_has_a_bound(keys_pool: ConnectionPool) -> None:
    store = KeyStore(keys_pool, KEK, size=10)
    many = [uuid4() for _ in range(25)]
    assert store.create_many(many).keys() == set(many)
    assert len(store._known) == 10
    assert store.get_many(many).keys() == set(many)


def test_another_kek_or_an_altered_key_opens_nothing(keys: KeyStore, databases: Databases) -> None:
    case = uuid4()
    keys.create(case)
    with pytest.raises(KeyWrong, match="wrapped by"):
        KeyStore(keys._pool, KEK).get(case)
    with psycopg.connect(databases.keys_app, autocommit=True) as connection:
        connection.execute(
            "UPDATE keys.data_keys SET wrapped = set_byte(wrapped, 5, get_byte(wrapped, 5) # 1)"
            " WHERE originator_id = %s",
            [case],
        )
    with pytest.raises(KeyWrong, match="altered"):
        KeyStore(keys._pool, bytes(range(32))).get(case)


def test_a_store_out_of_reach_gives_nothing() -> None:
    with open_pool("host=/nonexistent dbname=none", max_size=1) as pool:
        pool.timeout = 0.1
        store = KeyStore(pool, KEK, patience=0.2)
        with pytest.raises(KeysUnavailable):
            store.get(uuid4())
        with pytest.raises(KeysUnavailable):
            store.create(uuid4())


def test_a_kek_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    kek = create_kek(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_kek(path) == kek
    with pytest.raises(FileExistsError, match="exists"):
        create_kek(path)


@pytest.mark.parametrize(
    "content",
    [KEK, urlsafe_b64encode(KEK), urlsafe_b64encode(KEK).rstrip(b"="), urlsafe_b64encode(KEK) + b"\r\n"],
)
def test_a_kek_is_read_as_it_is_or_in_base64url(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kek"
    path.write_bytes(content)
    path.chmod(0o600)
    assert load_kek(path) == KEK


@pytest.mark.parametrize("content", [b"", b"short", KEK + KEK, b"!" * 43, b"=" * 44, b"A" * 2000])
def test_a_file_that_holds_no_kek_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kek"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KekRefused, match="doesn't hold a key"):
        load_kek(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_kek_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "kek"
    create_kek(path)
    path.chmod(mode)
    with pytest.raises(KekRefused, match="Others may read"):
        load_kek(path)


def test_a_missing_kek_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KekRefused, match="can't be read"):
        load_kek(tmp_path / "none")
