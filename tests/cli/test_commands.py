"""The command: what it does, how it complains, with which exit status."""

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.cli import main
from app.cli.surroundings import settings_here, why_not_a_server
from app.embedded import Embedded
from app.house import House
from app.settings import Settings
from app.staff_office import ROLES
from domain.concern import Concern
from domain.staff import SYSTEM, AccountEnded, AccountOpened, Staff, TokenIssued
from projections.all_models import MODELS
from tests.cli.conftest import Casebook
from tests.scenario import by
from tests.test_roll_import import row, sheet


class TestPeople:
    def test_somebody_new_can_sign_in_with_the_password_that_is_shown_once(
        self, casebook: Casebook, projecting: House
    ) -> None:
        status, out, err = casebook(
            "staff", "add", "Ms Price", "--role", "coordinator", "--email", "p@s.example"
        )
        assert (status, err) == (0, "")
        password = out.strip().rpartition(" ")[2]
        for name in ("ms price", "P@S.example"):
            person = projecting.accounts.by_password(name, password, "127.0.0.1")
            assert person
            assert (person.role, person.name) == ("coordinator", "Ms Price")

        status, out, err = casebook("staff", "list", "--json")
        [account] = json.loads(out)
        assert (account["name"], account["role"], account["email"]) == (
            "Ms Price",
            "coordinator",
            "p@s.example",
        )
        assert not account["ended"]
        assert "Ms Price" in casebook("staff", "list")[1]
        # Peer mentors have accounts, too: whoever sees the list has looked.
        [noted, _] = projecting.reads.readers(UUID(account["id"]))
        assert (noted.account, noted.route, noted.role) == (SYSTEM, "casebook staff list", "admin")

    def test_a_token_alone_stands_on_stdout_and_is_a_fact(
        self, casebook: Casebook, projecting: House
    ) -> None:
        casebook("staff", "add", "Ms Price", "--role", "coordinator")
        status, out, err = casebook("token", "Ms Price")
        assert (status, err) == (0, "")
        person = projecting.accounts.by_token(out.removesuffix("\n"))
        assert person
        kinds = [type(told.fact) for told in projecting.casework.stream(Staff, person.account)]
        assert kinds == [AccountOpened, TokenIssued]

    def test_an_ended_account_lets_nobody_in_and_its_name_stays_taken(
        self, casebook: Casebook, projecting: House
    ) -> None:
        casebook("staff", "add", "Ms Price", "--role", "coordinator")
        token = casebook("token", "Ms Price")[1].strip()
        account = projecting.accounts.find("Ms Price")
        assert casebook("staff", "end", "Ms Price", "--reason", "Left the school.")[0] == 0
        assert projecting.accounts.by_token(token) is None
        assert account
        last = projecting.casework.stream(Staff, account)[-1].fact
        assert isinstance(last, AccountEnded)
        assert last.reason == "Left the school."
        status, _, err = casebook("staff", "add", "Ms Price", "--role", "head")
        assert status == 1
        assert "already" in err
        [first, refused] = json.loads(casebook("staff", "list", "--json")[1])
        assert first["ended"]
        assert refused["ended"], "nobody has an account that the record doesn't know, nor the other way round"

    def test_an_account_of_every_role_opens_by_its_name_alone(
        self, casebook: Casebook, projecting: House
    ) -> None:
        for role in ROLES:
            status, _, err = casebook("staff", "add", f"A {role}", "--role", role)
            assert (status, "sees no case" in err) == (0, role == "mentor")
            person = projecting.accounts.by_token(casebook("token", f"A {role}")[1].strip())
            assert person
            assert (person.role, person.mentor_id) == (role, None)

    @pytest.mark.parametrize(
        ("arguments", "status", "said"),
        [
            (["add", "Sam", "--role", "head", "--mentor", str(UUID(int=1))], 1, "Only a mentor's account"),
            (["add", "Sam", "--role", "mentor", "--mentor", str(UUID(int=1))], 1, "no mentor with this id"),
            (["add", "Sam", "--role", "king"], 2, "invalid choice"),
            (["add", "Sam", "--role", "head", "--email", "nowhere"], 1, "isn't an e-mail address"),
            (["add", " ", "--role", "head"], 1, "Give a name"),
            (["end", "Nobody"], 1, "Nobody signs in"),
        ],
    )
    def test_what_cannot_be_is_refused_and_nothing_recorded(
        self, casebook: Casebook, projecting: House, arguments: list[str], status: int, said: str
    ) -> None:
        found, out, err = casebook("staff", *arguments)
        assert (found, out) == (status, "")
        assert said in err
        assert projecting.recorder.max_notification_id() is None


class TestRoll:
    def test_pupils_come_in_and_the_lists_show_them_at_once(
        self, casebook: Casebook, projecting: House, tmp_path: Path
    ) -> None:
        file = tmp_path / "roll.csv"
        file.write_bytes(sheet(row(1), row(2, "Siân", "O'Neill", born="2011-02-28")))
        status, out, err = casebook("roll", "import", file)
        assert status == 0
        assert out.startswith("2 new, 0 moved")
        assert err == "line 3: the age is out of step with the year group\n"
        assert json.loads(casebook("roll", "import", file, "--json")[1])["unchanged"] == 2

    def test_faults_are_listed_by_line_and_nothing_is_written(
        self, casebook: Casebook, projecting: House, tmp_path: Path
    ) -> None:
        file = tmp_path / "roll.csv"
        file.write_bytes(sheet(row(1), row(2, year="14"), row(3, born="x")))
        status, out, err = casebook("roll", "import", file)
        assert (status, out) == (1, "")
        assert [line.split(":")[0] for line in err.splitlines()] == ["line 3", "line 4", "casebook"]
        assert projecting.recorder.max_notification_id() is None
        told = json.loads(casebook("roll", "import", file, "--json")[1])
        assert (told["imported"], len(told["errors"])) == (False, 2)

    def test_a_file_that_is_not_there(self, casebook: Casebook) -> None:
        status, _, err = casebook("roll", "import", "nowhere.csv")
        assert (status, err) == (1, "casebook: nowhere.csv: No such file or directory\n")

    def test_without_a_projector_nothing_is_compared_and_so_nothing_imported(
        self, casebook: Casebook, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.cli.office.SHOWN_SECONDS", 0.1)
        file = tmp_path / "roll.csv"
        file.write_bytes(sheet(row(1)))
        status, _, err = casebook("roll", "import", file)
        assert status == 1
        assert "casebook project" in err
        assert house.recorder.max_notification_id() is None


class TestLooking:
    def test_status_says_that_all_is_well(self, casebook: Casebook, projecting: House) -> None:
        casebook("staff", "add", "Ms Price", "--role", "coordinator")
        status, out, _ = casebook("status", "--json")
        told = json.loads(out)
        assert (status, told["facts"], told["in_order"]) == (0, 1, True)
        standing = {listed["name"]: (listed["position"], listed["fault"]) for listed in told["lists"]}
        assert standing == dict.fromkeys(MODELS, (1, None))
        assert casebook("status")[0] == 0

    def test_status_says_that_nobody_keeps_the_lists(self, casebook: Casebook, house: House) -> None:
        status, out, _ = casebook("status", "--json")
        assert status == 1
        assert {listed["fault"].split(":")[0] for listed in json.loads(out)["lists"]} == {"not made yet"}
        words = casebook("status")[1]
        assert "Start “casebook project”" in words
        assert words.count("Not made yet.") == len(MODELS)
        # Nothing went wrong with them, and nobody has to make them again.
        assert "topped" not in words
        assert "casebook rebuild" not in words

    def test_status_says_that_an_alert_could_not_be_sent(self, casebook: Casebook, projecting: House) -> None:
        casebook("staff", "add", "Ms Hughes", "--role", "dsl", "--email", "h@s.example")
        account = projecting.accounts.find("Ms Hughes")
        assert account
        concern = Concern.blank(uuid4())
        concern.raise_concern(by(account), childs_words="I can't sleep.")
        projecting.casework.save([concern])
        status, out, _ = casebook("status", "--json")
        assert status == 1
        [waiting] = json.loads(out)["alerts_waiting"]
        assert (waiting["people"], waiting["reachable"]) == (1, True)
        for secret in (str(concern.id), "sleep", "Hughes"):
            assert secret not in casebook("status")[1]

    def test_lists_are_made_again(self, casebook: Casebook, projecting: House) -> None:
        casebook("staff", "add", "Ms Price", "--role", "coordinator")
        status, out, _ = casebook("rebuild", "staff")
        assert (status, out) == (0, "staff: made again up to fact 1\n")
        assert casebook("rebuild")[1].count("made again") == len(MODELS)
        assert casebook("rebuild", "nothing")[0] == 2
        assert "Ms Price" in casebook("staff", "list")[1]

    def test_openapi_needs_no_database(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("CASEBOOK_DATABASE_URL", raising=False)
        assert main(["openapi"]) == 0
        assert "/api/v1/cases" in " ".join(json.loads(capsys.readouterr().out)["paths"])

    def test_the_databases_url(self, casebook: Casebook, settings: Settings) -> None:
        assert casebook("database-url")[1].strip() == settings.database_url
        assert casebook("database-url", "--superuser")[0] == 2


class TestComplaints:
    def test_a_database_out_of_reach_is_one_line(
        self, casebook: Casebook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CASEBOOK_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
        status, out, err = casebook("status")
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert "can't be reached" in err

    @pytest.mark.parametrize("name", ["KEYS_DATABASE_URL", "KEK_FILE", "SECRET_KEY", "ORIGIN"])
    def test_a_missing_setting_is_named(
        self, casebook: Casebook, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.delenv(f"CASEBOOK_{name}")
        status, _, err = casebook("status")
        assert (status, err.count("\n")) == (1, 1)
        assert f"CASEBOOK_{name}" in err

    def test_without_anything_running_it_says_how_to_begin(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        for name in ("DATABASE_URL", "KEYS_DATABASE_URL", "MIGRATE_DATABASE_URL"):
            monkeypatch.delenv(f"CASEBOOK_{name}", raising=False)
        monkeypatch.setenv("CASEBOOK_DATA_DIR", str(tmp_path))
        for command in (["status"], ["token", "x"], ["roll", "import", __file__], ["database-url"]):
            assert main(command) == 1
        err = capsys.readouterr().err
        assert "casebook demo" in err
        assert "Traceback" not in err

    @pytest.mark.parametrize("arguments", [[], ["bogus"], ["demo", "--port", "0"], ["roll"], ["token"]])
    def test_wrong_usage_is_status_two_and_one_line(self, casebook: Casebook, arguments: list[str]) -> None:
        status, out, err = casebook(*arguments)
        assert (status, out) == (2, "")
        assert err.startswith("casebook")
        assert err.count("\n") == 1

    def test_what_nobody_foresaw_names_its_kind_and_nothing_of_its_text(
        self, casebook: Casebook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail() -> None:
            raise RuntimeError("Maya Okafor")

        monkeypatch.setattr("app.cli.surroundings.settings_here", fail)
        status, _, err = casebook("status")
        assert (status, err) == (1, "casebook: This failed unexpectedly (RuntimeError).\n")


class TestServing:
    def test_migrating_again_applies_nothing(self, casebook: Casebook) -> None:
        assert casebook("migrate")[:2] == (0, "Nothing to apply: the databases are up to date.\n")

    def test_a_school_s_record_never_becomes_a_demo(self, casebook: Casebook) -> None:
        status, _, err = casebook("migrate", "--demo")
        assert status == 1
        assert "a demo stays a demo" in err

    def test_an_embedded_database_is_not_served(
        self, casebook: Casebook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        status, _, err = casebook("serve")
        assert status == 1
        assert "embedded database is for demonstrations" in err
        for name in ("DATABASE_URL", "KEYS_DATABASE_URL", "MIGRATE_DATABASE_URL"):
            monkeypatch.delenv(f"CASEBOOK_{name}")
        status, _, err = casebook("serve")
        assert status == 1
        assert "PostgreSQL server" in err

    def test_a_key_beside_the_data_is_not_served(self, settings: Settings) -> None:
        elsewhere = replace(settings, database_url="postgresql://casebook_app@db.example/casebook")
        assert why_not_a_server(replace(elsewhere, data_dir=settings.data_dir / "data")) is None
        assert "key-encryption key" in (why_not_a_server(elsewhere) or "")

    def test_an_embedded_socket_outside_the_data_directory_is_known_too(
        self, settings: Settings, cluster: Embedded
    ) -> None:
        remote = replace(settings, data_dir=cluster.data_dir)
        assert "embedded database" in (why_not_a_server(remote) or "")

    def test_the_owner_of_the_record_migrates_the_keys_unless_another_is_named(
        self, environment: None, settings: Settings
    ) -> None:
        found = settings_here().migrate_keys_database_url
        assert found
        assert "casebook_owner" in found
        assert settings.keys_database_url.rpartition("dbname=")[2].split()[0] in found
