"""The server's first day, by the commands of docker-compose.yml on two real clusters."""

import json
import re
import shutil
import subprocess
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from time import monotonic
from urllib.parse import urlencode

import psycopg
import pytest
import yaml

from app.embedded.binaries import find_binaries
from tests.server.conftest import Mailbox, status_of, text_of
from tests.server.plans import ROOT, compose, dockerfile
from tests.server.yard import STOP_SECONDS, Yard

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("server")]
ROLL = "upn,given_name,family_name,known_as,born_on,year_group,tutor_group\n,Siân,O'Neill,,2014-02-28,7,7B\n"
LOOK = """
import app, json, os, pathlib
own = pathlib.Path("/run/secrets")
secrets = sorted(os.listdir(own)) if own.is_dir() else []
print(json.dumps([app.__file__, os.getpid(), os.getuid(), os.access("/", os.W_OK), secrets]))
"""


def test_the_image_holds_what_runs_and_runs_it_as_process_1_without_rights(server: Yard) -> None:
    looked = server.run("web", "python", "-c", LOOK)
    place, pid, uid, may_write, secrets = json.loads(looked.stdout)
    assert place == str(server.image / "app" / "__init__.py")
    assert not may_write or not server.contained
    if server.contained:
        assert (pid, uid) == (1, 10001)
        assert secrets == sorted(compose()["services"]["web"]["secrets"])


def test_the_image_holds_every_file_of_ours(yard: Yard) -> None:
    listed = ["git", "ls-files", "-z", "app", "domain", "projections"]
    kept = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    assert [
        name for name in kept if name and not (yard.image / name).exists() and (ROOT / name).exists()
    ] == []


def test_health_and_readiness_answer(server: Yard) -> None:
    assert json.loads(text_of(f"{server.address}/healthz")) == {"status": "ok"}
    assert json.loads(text_of(f"{server.address}/readyz")) == {"status": "ok", "stopped": []}
    check = dict(dockerfile())["HEALTHCHECK"].partition("CMD ")[2]
    assert server.run("web", *yaml.safe_load(check)).returncode == 0


def test_the_first_administrator_is_added_signs_in_and_reads_how_the_system_is(server: Yard) -> None:
    added = server.run("web", "casebook", "staff", "add", "Ms Admin", "--role", "admin")
    assert added.returncode == 0, added.stderr
    password = re.search(r"Password \(shown this once\): (\S+)", added.stdout)
    assert password

    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    browser.open(f"{server.address}/sign-in", timeout=10)
    form = urlencode({"user_name": "Ms Admin", "password": password[1]}).encode()
    with browser.open(f"{server.address}/sign-in", form, timeout=10) as page:
        assert "<h1" in page.read().decode()
    with browser.open(f"{server.address}/status", timeout=10) as page:
        text = page.read().decode()
    assert "Everything is working" in text
    said = (
        r"The record has [0-9,]+ facts?, newest [^;]+, (last|no) checkpoint [^;]+; all lists are up to date; "
    )
    assert re.search(said + "alerts: none waiting", text)


def test_the_anchor_signs_by_itself_and_prints_the_key_that_checks(server: Yard) -> None:
    check = compose()["services"]["anchor"]["healthcheck"]["test"][1:]
    assert server.run("anchor", *check).stdout == "Checkpoints are signed.\n"
    printed = server.run("anchor", "casebook", "log-key")
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.startswith("casebook.example/yard+")
    deadline = monotonic() + 30
    while True:
        checked = server.run("projector", "casebook", "verify", "--log-key", printed.stdout.strip(), "--json")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        events = json.loads(checked.stdout)["logs"][0]
        if events["compared"]:
            break
        assert monotonic() < deadline, server.log_of("anchor").read_text()
    assert 1 <= events["checkpoint_size"] <= events["entries"]


def test_the_web_has_packs_signed_by_the_anchor(server: Yard) -> None:
    asking = (
        "from app.proof.signer import RemoteKey; from app.settings import from_environment as settings;"
        "print(RemoteKey(settings().signer_url, settings().signer_token).verifier_key)"
    )
    deadline = monotonic() + 30
    while (asked := server.run("web", "python", "-c", asking)).returncode != 0:
        assert monotonic() < deadline, asked.stderr
    assert asked.stdout == server.run("anchor", "casebook", "log-key").stdout


def test_status_says_in_one_sentence_that_all_is_well(server: Yard) -> None:
    words = compose()["services"]["projector"]["healthcheck"]["test"]
    assert words[0] == "CMD"
    said = server.run("projector", *words[1:])
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.startswith("The record ")
    assert "; all lists are up to date; alerts: none waiting; e-mail: " in said.stdout.splitlines()[0]


def test_a_test_message_reaches_the_mail_server(server: Yard, mailbox: Mailbox) -> None:
    sent = server.run("projector", "casebook", "test-mail", "ms.hughes@school.example")
    assert sent.returncode == 0, sent.stderr
    assert ("ms.hughes@school.example", "Casebook can reach you") in [
        (address, message["Subject"]) for address, message in mailbox.got
    ]


def test_the_roll_comes_in_through_standard_input(server: Yard) -> None:
    for told in ("[01] new", "0 new"):
        done = server.run("web", "casebook", "roll", "import", "-", said=ROLL)
        assert done.returncode == 0, done.stderr
        assert re.match(told, done.stdout)


def test_metrics_are_for_an_administrators_program_alone(server: Yard) -> None:
    tokens = {}
    for name, role in (("Ms Watch", "admin"), ("Ms Price", "coordinator")):
        assert server.run("web", "casebook", "staff", "add", name, "--role", role).returncode == 0
        tokens[role] = server.run("web", "casebook", "token", name).stdout.strip()
    assert status_of(f"{server.address}/metrics") == 401
    assert status_of(f"{server.address}/metrics", "nonsense") == 401
    assert status_of(f"{server.address}/metrics", tokens["coordinator"]) == 403
    text = text_of(f"{server.address}/metrics", tokens["admin"])
    assert 'casebook_requests_total{method="GET",rule="/metrics",status="401"} ' in text
    assert "casebook_projector_running 1.0" in text
    assert re.search(r"^casebook_facts_total [1-9]", text, re.MULTILINE)


def test_owner_and_run_time_role_are_not_superusers_and_facts_stay(server: Yard) -> None:
    for name in ("record-db", "keys-db"):
        with psycopg.connect(server.superuser(name)) as connection:
            roles = connection.execute(
                "SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles"
                " WHERE rolname LIKE 'casebook%' ORDER BY 1"
            ).fetchall()
        assert roles == [("casebook_app", False), ("casebook_owner", False)]
    url = (server.secrets / "database_url").read_text()
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM record.events")


def test_a_back_up_of_both_restores_into_empty_clusters(server: Yard, tmp_path: Path) -> None:
    programs = find_binaries().folder
    dump, restore = (shutil.which(name, path=f"{programs}:/usr/bin") for name in ("pg_dump", "pg_restore"))
    if not dump or not restore:
        pytest.skip("this machine has no pg_dump")
    assert server.run("web", "casebook", "roll", "import", "-", said=ROLL).returncode == 0
    how = re.search(r"pg_dump (.+) \"\$2\"", (server.folder / "deploy" / "back-up.sh").read_text())
    assert how
    options = [word for word in how[1].split() if word not in ("--username", "postgres")]
    for name in ("record-db", "keys-db"):
        conninfo = server.superuser(name)
        file = tmp_path / name
        subprocess.run([dump, *options, "--file", file, "--dbname", conninfo], check=True)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("CREATE DATABASE restored OWNER casebook_owner")
        copy = conninfo.rpartition("dbname=")[0] + "dbname=restored"
        subprocess.run([restore, "--exit-on-error", "--dbname", copy, file], check=True)
        counted = (
            "SELECT count(*) FROM record.events"
            if name == "record-db"
            else "SELECT count(*) FROM keys.data_keys"
        )
        with psycopg.connect(conninfo) as one, psycopg.connect(copy) as other:
            assert one.execute(counted).fetchone() == other.execute(counted).fetchone()
            if name == "record-db":
                stamps = "SELECT notification_id, recorded_at, leaf_hash FROM record.events ORDER BY 1"
                assert one.execute(stamps).fetchall() == other.execute(stamps).fetchall()
                assert other.execute("SELECT count(*) FROM views.roll").fetchone() == (0,)
    urls = {
        name: (server.secrets / name).read_text().rpartition("/")[0] + "/restored"
        for name in ("database_url", "keys_database_url")
    }
    # The lists with names come back from the record, by the key that was kept apart.
    rebuilt = server.run("projector", "casebook", "rebuild", "roll", databases=urls)
    assert rebuilt.returncode == 0, rebuilt.stderr
    with psycopg.connect(
        server.superuser("record-db").rpartition("dbname=")[0] + "dbname=restored"
    ) as copy_of:
        assert ("O'Neill",) in copy_of.execute("SELECT family_name FROM views.roll").fetchall()


def test_each_service_ends_in_time_and_an_anchor_that_ended_is_not_well(server: Yard) -> None:
    for service in server.running:
        assert service.stop() < STOP_SECONDS, service.name
    ended = server.run("anchor", *compose()["services"]["anchor"]["healthcheck"]["test"][1:])
    assert (ended.returncode, ended.stderr) == (1, "casebook: No anchor is at work on this record.\n")
    assert status_of(f"{server.address}/healthz") == 0
