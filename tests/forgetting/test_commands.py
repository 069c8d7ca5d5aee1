"""`casebook erase` and `casebook keys`, as whoever runs the server gives them."""

import io
import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from app.cli import main
from app.house import House
from app.record.kek import create_kek, previous_files
from app.record.keys import DESTROYED
from app.settings import Settings
from app.staff_office import StaffOffice
from domain.staff import Role
from tests.forgetting.conftest import Office

PASSWORD = "a-long-password-of-a-test"
Casebook = Callable[..., tuple[int, str, str]]


@pytest.fixture
def casebook(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Casebook:
    """Run a command; `typed` is what is typed into it."""
    said = {
        "DATABASE_URL": settings.database_url,
        "KEYS_DATABASE_URL": settings.keys_database_url,
        "KEK_FILE": settings.kek_file,
        "SECRET_KEY": settings.secret_key,
        "ORIGIN": settings.origin,
        "DATA_DIR": settings.data_dir / "data",
        "DESTROYED_FILE": settings.destroyed_file,
    }
    for name, value in said.items():
        monkeypatch.setenv(f"CASEBOOK_{name}", str(value))
    monkeypatch.setattr("app.record.key_watch.LEASE_SECONDS", 0.3)
    monkeypatch.setattr("app.record.kek_roll.SETTLE_SECONDS", 0.0)

    def run(*arguments: Any, typed: str = "") -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as left:
            status = int(left.code or 0)
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def test_two_people_erase_at_the_server_each_with_their_own_password(
    casebook: Casebook, office: Office, house: House
) -> None:
    opening = StaffOffice(house.casework, house.accounts)
    people: dict[str, Role] = {"Dr Evans": "head", "Ms Data": "data_officer", "Ms Price": "coordinator"}
    for name, role in people.items():
        opening.add(name, role, password=PASSWORD)
    _pupil, case, _concern = office.story()
    status, out, _err = casebook("erase", "--due", "--json")
    assert status == 0
    assert [one["parts"] for one in json.loads(out) if one["id"] == str(case)] == [2]

    request = ("erase", "--request", case, "--scope", "narrative", "--reason", "Its time is over.")
    assert casebook(*request)[0] == 2
    assert "isn't right" in casebook(*request, "--as", "Ms Data", typed="wrong")[2]
    assert "Only the head" in casebook(*request, "--as", "Ms Price", typed=PASSWORD)[2]
    status, out, err = casebook(*request, "--as", "Ms Data", typed=PASSWORD)
    assert status == 0, err
    erasure = UUID(out.strip())
    assert "Another person" in casebook("erase", "--approve", erasure, "--as", "Ms Data", typed=PASSWORD)[2]
    status, _out, err = casebook("erase", "--approve", case, "--as", "Dr Evans", typed=PASSWORD)
    assert (status, err) == (1, "casebook: There is no such erasure.\n")
    assert casebook("erase", "--approve", erasure, "--as", "Dr Evans", typed=PASSWORD)[0] == 0
    assert casebook("erase", "--resume") == (0, f"{erasure}: completed\n", "")
    assert casebook("erase", "--resume")[1] == "Nothing was left to finish.\n"
    assert house.keys.get(case) is DESTROYED

    status, out, _err = casebook("erase", "--certificate", erasure, "--json")
    told = json.loads(out)
    assert (told["state"], told["parts"], len(told["keys"]), told["packs"]) == ("completed", 2, 2, [])
    assert "Keys destroyed: 2 of 2" in casebook("erase", "--certificate", erasure)[1]
    assert casebook("erase", "--certificate", case)[0] == 1
    assert casebook("erase", "--apply-list")[1] == "0 keys were there again and are destroyed.\n"


def test_the_key_that_wraps_all_others_is_rolled_and_the_old_one_destroyed(
    casebook: Casebook, office: Office, house: House
) -> None:
    case = office.case(office.pupil())
    before, was = house.settings.kek_file.read_bytes(), house.keks.names()[0]
    status, out, _err = casebook("keys", "roll")
    assert status == 0
    listed = casebook("keys", "list")
    assert listed[0] == 0
    assert re.fullmatch(rf"key .*\n[0-9a-f]{{16}}  in force  [1-9]\d*\n{was}  previous  0\n", listed[1])
    assert "write it down anew for the safe" in out
    [old] = previous_files(house.settings.kek_file)
    assert f"keep its paper, and {old.name} beside" in out
    assert "casebook keys destroy-old" in out
    assert house.settings.kek_file.read_bytes() != before
    assert "Destroyed" in casebook("keys", "destroy-old")[1]
    assert casebook("keys", "destroy-old")[1] == f"There is no old key beside {house.settings.kek_file}.\n"
    house.forget()
    assert house.keys.get(case) is not DESTROYED


def test_a_key_that_back_ups_need_and_nobody_has_is_named(
    casebook: Casebook, office: Office, house: House
) -> None:
    office.pupil()
    was = house.keks.names()[0]
    house.settings.kek_file.unlink()
    create_kek(house.settings.kek_file)
    status, out, err = casebook("keys", "list")
    assert status == 1
    assert re.search(rf"^{was}  NOT HERE  [1-9]\d*$", out, re.MULTILINE)
    assert "can't be opened" in err
