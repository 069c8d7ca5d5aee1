"""docker-compose.yml, Dockerfile and scripts, as far as they can be checked without Docker."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from app.settings import Settings, SettingsMissing, for_anchor, from_environment
from tests.server.plans import CASEBOOK_UID, HERE, ROOT, compose, dockerfile, may_with_keks

SERVICES: dict[str, Any] = compose()["services"]
OURS = [name for name in SERVICES if not name.endswith("-db")]
DATABASES = [name for name in SERVICES if name.endswith("-db")]
SCRIPTS = [*sorted((ROOT / "deploy").glob("*.sh")), HERE / "contain.sh", ROOT / ".ci" / "run"]


def linter(name: str) -> Path:
    return Path(sys.executable).parent / name


def test_the_file_is_what_compose_takes() -> None:
    schema = json.loads((HERE / "compose-spec" / "compose-spec.json").read_text())
    wrong = [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(compose())]
    assert wrong == []


def test_there_are_two_clusters_migrations_web_projector_anchor_and_who_rolls_the_key() -> None:
    assert sorted(SERVICES) == ["anchor", "keys-db", "locksmith", "migrate", "projector", "record-db", "web"]


def test_the_anchor_alone_can_sign_and_can_open_nothing() -> None:
    assert [name for name in SERVICES if "log_key" in SERVICES[name]["secrets"]] == ["anchor"]
    assert set(SERVICES["anchor"]["secrets"]) == {"database_url", "log_key", "signer_token", "smtp_url"}
    assert "keys" not in SERVICES["anchor"]["networks"]
    assert may_with_keks(SERVICES["anchor"]) == "none"


def test_only_who_rolls_the_key_can_change_it_and_runs_when_called() -> None:
    assert {name: may_with_keks(SERVICES[name]) for name in ("migrate", "projector", "web")} == dict.fromkeys(
        ("migrate", "projector", "web"), "ro"
    )
    assert [name for name in SERVICES if may_with_keks(SERVICES[name]) == "rw"] == ["locksmith"]
    assert [name for name in SERVICES if SERVICES[name].get("profiles")] == ["locksmith"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_rights_and_nothing_to_write_but_its_own(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    user = service.get("user") or dict(dockerfile())["USER"]
    assert user.partition(":")[0] not in ("", "0", "root")
    kept = [volume.split(":") for volume in service.get("volumes", [])]
    own = {"anchor": [["proof", "/var/lib/casebook"]], "projector": [["erased", "/var/lib/casebook"]]} | {
        database: [[database.removesuffix("-db"), "/var/lib/postgresql/data"]] for database in DATABASES
    }
    assert [volume for volume in kept if not volume[0].startswith("./")] == own.get(name, [])
    bound = {volume[0] for volume in kept if volume[0].startswith("./") and volume[2:] != ["ro"]}
    assert bound == ({"./secrets/keks"} if name == "locksmith" else set())


@pytest.mark.parametrize("name", SERVICES)
def test_ports_open_on_this_machine_alone(name: str) -> None:
    ports = SERVICES[name].get("ports", [])
    assert ports == (["127.0.0.1:8000:8000"] if name == "web" else [])


def test_databases_are_out_of_reach_of_each_other_and_of_the_world() -> None:
    networks = compose()["networks"]
    for name in DATABASES:
        [own] = SERVICES[name]["networks"]
        assert networks[own] == {"internal": True}
    assert SERVICES["record-db"]["networks"] != SERVICES["keys-db"]["networks"]
    assert all({"record", "keys"} <= set(SERVICES[name]["networks"]) for name in OURS if name != "anchor")


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_looked_after(name: str) -> None:
    service = SERVICES[name]
    if name in ("migrate", "locksmith"):
        assert service["restart"] == "no"
        return
    assert service["restart"] == "unless-stopped"
    assert service.get("healthcheck", {}).get("test") or dict(dockerfile())["HEALTHCHECK"]


def test_databases_are_healthy_only_when_they_answer_by_network() -> None:
    # While a database is being made, a server for that alone answers on its socket.
    for name in DATABASES:
        assert "--host 127.0.0.1" in SERVICES[name]["healthcheck"]["test"][1]


def test_what_starts_waits_for_what_it_needs() -> None:
    healthy = {"condition": "service_healthy"}
    assert SERVICES["migrate"]["depends_on"] == dict.fromkeys(DATABASES, healthy)
    for name in ("web", "projector", "anchor"):
        assert SERVICES[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


@pytest.mark.parametrize("name", SERVICES)
def test_every_secret_that_is_named_is_given_and_every_one_given_is_named(name: str) -> None:
    service = SERVICES[name]
    named = {Path(v).name for v in service["environment"].values() if v.startswith("/run/secrets/")}
    assert named == set(service["secrets"])
    assert named <= set(compose()["secrets"])


def test_no_secret_is_without_a_use_and_none_is_in_the_environment() -> None:
    used = {secret for service in SERVICES.values() for secret in service["secrets"]}
    assert used == set(compose()["secrets"])
    assert all(secret == {"file": f"./secrets/{name}"} for name, secret in compose()["secrets"].items())
    secret = re.compile("PASSWORD|SECRET|TOKEN|KEK|LOG_KEY|DATABASE_URL|SMTP")
    for service in SERVICES.values():
        assert all(name.endswith("_FILE") for name in service["environment"] if secret.search(name))


def test_only_migrations_know_the_owner() -> None:
    knowing = [name for name in OURS if any("migrate" in secret for secret in SERVICES[name]["secrets"])]
    assert knowing == ["migrate"]


@pytest.mark.parametrize("name", OURS)
def test_settings_take_what_the_container_gives(name: str, tmp_path: Path) -> None:
    given = {}
    for key, value in SERVICES[name]["environment"].items():
        if value.startswith("/run/secrets/"):
            (tmp_path / Path(value).name).write_text(f"said-{Path(value).name}")
        given[key] = value.replace("/run/secrets", str(tmp_path))
    given |= {
        "CASEBOOK_ORIGIN": "o",
        "CASEBOOK_BASE_URL": "https://casebook.example",
        "CASEBOOK_TRUSTED_PROXIES": "1",
        "CASEBOOK_WITNESS_KEYS": "",
    }
    settings = for_anchor(given) if name == "anchor" else from_environment(given)
    assert settings.smtp_url == "said-smtp_url"
    assert settings.trusted_proxies == (0 if name == "anchor" else 1)
    known = {f"CASEBOOK_{field.upper()}" for field in Settings.__dataclass_fields__}
    files = {"CASEBOOK_KEK", "CASEBOOK_LOG_KEY", "CASEBOOK_CHECKPOINT", "CASEBOOK_DESTROYED"}
    files |= {"CASEBOOK_NEXT_LOG_KEY"}
    assert {key.removesuffix("_FILE") for key in given} - files <= known
    # The keys' key isn't kept beside the data.
    assert name == "anchor" or not settings.kek_file.is_relative_to(settings.data_dir)


def test_a_number_of_proxies_is_a_number() -> None:
    given = {"CASEBOOK_" + name: "x" for name in ("DATABASE_URL", "KEYS_DATABASE_URL", "KEK_FILE")}
    given |= {"CASEBOOK_SECRET_KEY": "x", "CASEBOOK_ORIGIN": "x", "CASEBOOK_TRUSTED_PROXIES": "one"}
    with pytest.raises(SettingsMissing, match="whole number"):
        from_environment(given)


def test_the_image_is_this_version() -> None:
    version = re.search(r"^version = (\S+)$", (ROOT / "setup.cfg").read_text(), re.MULTILINE)
    assert version
    assert {SERVICES[name]["image"] for name in OURS} == {f"casebook:{version[1]}"}


def test_the_image_is_built_in_two_stages_and_runs_as_nobody_in_particular() -> None:
    said = dockerfile()
    assert [what for what, _ in said].count("FROM") == 2
    last = said[max(i for i, (what, _) in enumerate(said) if what == "FROM") :]
    assert ("USER", str(CASEBOOK_UID)) in last
    assert [text for what, text in last if what == "COPY"] == ["--from=build /opt/casebook /opt/casebook"]


def test_what_the_image_copies_is_sent_to_the_build_and_nothing_else() -> None:
    copied = {
        name
        for what, text in dockerfile()
        if what == "COPY" and "--from" not in text
        for name in text.split()[:-1]
    }
    sent = (ROOT / ".dockerignore").read_text().split()
    assert sent[0] == "*"
    assert {name.removeprefix("!") for name in sent if name.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)


def test_hadolint_finds_nothing() -> None:
    said = subprocess.run(
        [linter("hadolint"), ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout) == (0, "")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    assert os.access(script, os.X_OK)
    said = subprocess.run([linter("shellcheck"), script], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, "")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of deploy/, where this test may make secrets."""
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    return tmp_path


def make_secrets(folder: Path, mail: str) -> subprocess.CompletedProcess[str]:
    script = folder / "deploy" / "make-secrets.sh"
    return subprocess.run([script], input=mail, capture_output=True, text=True, check=False)


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="secrets are given to other accounts, which root does")


@as_root
def test_secrets_are_made_for_everybody_who_needs_them_and_for_nobody_else(copy: Path) -> None:
    said = make_secrets(copy, "smtps://user:hush@mail.example?from=casebook@school.example\n")
    assert said.returncode == 0, said.stderr
    made = {file.name: file.stat() for file in (copy / "secrets").iterdir()}
    keks = made.pop("keks")
    assert (keks.st_mode & 0o777, keks.st_uid) == (0o700, CASEBOOK_UID)
    assert made.keys() == compose()["secrets"].keys()
    made["kek"] = (copy / "secrets" / "keks" / "kek").stat()
    assert {stat.st_mode & 0o777 for stat in made.values()} == {0o600}
    assert made["kek"].st_uid == CASEBOOK_UID
    for name, service in SERVICES.items():
        account = 999 if name in DATABASES else CASEBOOK_UID
        assert {made[secret].st_uid for secret in service["secrets"]} == {account}
    values = [file.read_text() for file in (copy / "secrets").rglob("*") if file.is_file()]
    assert len(set(values)) == len(values)
    assert "hush" not in said.stdout


@as_root
def test_secrets_that_are_there_are_never_made_again(copy: Path) -> None:
    assert make_secrets(copy, "smtp://mail.example\n").returncode == 0
    before = (copy / "secrets" / "keks" / "kek").read_text()
    again = make_secrets(copy, "smtp://mail.example\n")
    assert again.returncode == 1
    assert (copy / "secrets" / "keks" / "kek").read_text() == before


@as_root
def test_no_server_is_made_without_e_mail(copy: Path) -> None:
    said = make_secrets(copy, "\n")
    assert said.returncode == 1
    assert "Without e-mail" in said.stderr
    assert not (copy / "secrets").exists()
