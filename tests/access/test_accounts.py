"""Who signs in: with a name that no table holds, a password, or a token."""

from uuid import uuid4

import psycopg
import pytest

from app.access.accounts import NameTaken, NoAccount
from app.access.throttling import NAME, PAIR, Throttled
from app.house import House

HERE = "198.51.100.7"


def test_a_name_is_found_however_it_is_typed(house: House) -> None:
    account = uuid4()
    house.accounts.open(account, "coordinator", ["Siân.Price"], "correct horse")
    for typed in ("Siân.Price", "siân.price", " SIÂN.PRICE ", "sia\u0302n.price", "ＳＩÂＮ．ＰＲＩＣＥ"):
        found = house.accounts.by_password(typed, "correct horse", HERE)
        assert found is not None, typed
        assert (found.account, found.role, found.mentor_id) == (account, "coordinator", None)
        assert house.accounts.find(typed) == account


def test_wrong_name_and_wrong_password_give_nobody(house: House) -> None:
    house.accounts.open(uuid4(), "coordinator", ["price"], "correct horse")
    house.accounts.open(uuid4(), "referrer", ["no-password"], None)
    assert house.accounts.by_password("price", "wrong", HERE) is None
    assert house.accounts.by_password("nobody", "correct horse", HERE) is None
    assert house.accounts.by_password("no-password", "", HERE) is None
    assert house.accounts.by_password("price", "x" * 2_000, HERE) is None
    assert house.accounts.by_password("price\x00", "half \ud83d", HERE) is None


def test_only_a_mentors_account_names_a_mentor(house: House) -> None:
    mentor, account = uuid4(), uuid4()
    house.accounts.open(account, "mentor", ["ama"], "pw", mentor)
    found = house.accounts.person(account)
    assert found is not None
    assert found.mentor_id == mentor
    house.accounts.open(account, "coordinator", ["ama"], "pw", mentor)
    found = house.accounts.person(account)
    assert found is not None
    assert found.mentor_id is None


def test_no_name_password_or_token_stands_in_the_tables(house: House) -> None:
    account = uuid4()
    house.accounts.open(account, "dsl", ["hughes@school.example"], "correct horse battery")
    token = house.accounts.issue_token(account)
    cookie = house.sessions.start(account)
    house.accounts.by_password("hughes@school.example", "wrong", HERE)
    with house.pool.connection() as connection:
        for table in ("accounts", "logins", "tokens", "sessions", "sign_in_failures"):
            rows = connection.execute(f"SELECT t::text FROM access.{table} t").fetchall()
            text = str(rows)
            for secret in (
                "hughes",
                "horse",
                token,
                cookie,
                HERE,
                b"hughes".hex(),
                HERE.encode().hex(),
            ):
                assert secret not in text, table


def test_a_name_belongs_to_one_account(house: House) -> None:
    first, second = uuid4(), uuid4()
    house.accounts.open(first, "dsl", ["hughes"], "pw")
    with pytest.raises(NameTaken):
        house.accounts.open(second, "head", ["other", "Hughes"], "pw")
    assert house.accounts.person(second) is None
    assert house.accounts.find("other") is None


def test_guessing_is_slowed_down_and_being_right_starts_afresh(house: House) -> None:
    house.accounts.open(uuid4(), "dsl", ["hughes"], "right")
    for _ in range(PAIR.times - 1):
        assert house.accounts.by_password("hughes", "wrong", HERE) is None
    assert house.accounts.by_password("HUGHES", "right", HERE) is not None
    for _ in range(PAIR.times):
        assert house.accounts.by_password("hughes", "wrong", HERE) is None
    with pytest.raises(Throttled) as throttled:
        house.accounts.by_password("hughes", "right", HERE)
    assert 0 < throttled.value.seconds <= PAIR.seconds
    assert house.accounts.by_password("hughes", "right", "203.0.113.9") is not None, (
        "nobody is locked out from afar"
    )


def test_waiting_helps(house: House) -> None:
    house.accounts.open(uuid4(), "dsl", ["hughes"], "right")
    for _ in range(PAIR.times):
        house.accounts.by_password("hughes", "wrong", HERE)
    with house.pool.connection() as connection:
        connection.execute("UPDATE access.sign_in_failures SET failed_at = failed_at - interval '16 minutes'")
    assert house.accounts.by_password("hughes", "right", HERE) is not None


def test_what_was_counted_while_the_clock_was_ahead_locks_nobody_out(house: House) -> None:
    house.accounts.open(uuid4(), "dsl", ["hughes"], "right")
    for _ in range(PAIR.times):
        house.accounts.by_password("hughes", "wrong", HERE)
    with house.pool.connection() as connection:
        connection.execute("UPDATE access.sign_in_failures SET failed_at = failed_at + interval '1 day'")
    assert house.accounts.by_password("hughes", "right", HERE) is not None


def test_guessing_one_name_from_everywhere_is_slowed_down_too(house: House) -> None:
    for number in range(NAME.times):
        house.accounts.throttle.attempt("name:hughes", f"192.0.2.{number}", PAIR, NAME)
    with pytest.raises(Throttled):
        house.accounts.throttle.attempt("name:hughes", HERE, PAIR, NAME)
    house.accounts.throttle.attempt("name:price", HERE, PAIR, NAME)


def test_a_token_acts_for_its_account_until_it_is_too_old(house: House) -> None:
    account = uuid4()
    house.accounts.open(account, "inspector", [], None)
    token = house.accounts.issue_token(account, days=2)
    found = house.accounts.by_token(token)
    assert found is not None
    assert found.account == account
    assert house.accounts.by_token(token + "x") is None
    with house.pool.connection() as connection:
        connection.execute("UPDATE access.tokens SET expires_at = expires_at - interval '3 days'")
    assert house.accounts.by_token(token) is None
    with pytest.raises(NoAccount):
        house.accounts.issue_token(uuid4())


def test_an_ended_account_opens_nothing(house: House) -> None:
    account = uuid4()
    house.accounts.open(account, "dsl", ["hughes"], "pw")
    token, cookie = house.accounts.issue_token(account), house.sessions.start(account)
    house.accounts.end(account)
    assert house.accounts.by_password("hughes", "pw", HERE) is None
    assert house.accounts.by_token(token) is None
    assert house.sessions.person(cookie) is None
    assert house.accounts.person(account) is None


def test_somebodys_name_is_never_needed_to_let_them_in(house: House) -> None:
    account = uuid4()
    house.accounts.open(account, "dsl", ["hughes"], "pw")
    with house.pool.connection() as connection, pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT FROM views.staff")
    found = house.accounts.by_password("hughes", "pw", HERE)
    assert found is not None
    assert found.name == "Designated Safeguarding Lead"
    assert "Lead" not in repr(found), "names stay out of logs"
