"""docs/running.md says nothing that can't be done."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli import parser
from app.wording import questions, system
from tests.server.plans import ROOT, compose
from tests.server.test_status import NOBODY, WAITING, WELL

TEXT = (ROOT / "docs" / "running.md").read_text("utf-8")
EXECUTED = re.findall(r"docker compose exec (?:-T )?(\S+) (\w+ [^`\n)]*)", TEXT)
COMMANDS = sorted({said.partition(" <")[0].strip() for _, said in EXECUTED if said.startswith("casebook ")})


def test_it_shows_every_command_of_a_first_day() -> None:
    assert {shlex.split(said)[1] for said in COMMANDS} >= {
        "staff",
        "roll",
        "test-mail",
        "status",
        "token",
        "rebuild",
    }


@pytest.mark.parametrize("said", COMMANDS)
def test_each_command_is_one_that_casebook_takes(said: str) -> None:
    words = [
        "5c4e3e00-0000-4000-8000-000000000001" if word.endswith("…") else word
        for word in shlex.split(said)[1:]
    ]
    parser().parse_args(words)


def test_each_service_that_it_names_is_there() -> None:
    named = {service for service, _ in EXECUTED}
    named |= {
        word for said in re.findall(r"(?:restart|--force-recreate) ([\w -]+)`", TEXT) for word in said.split()
    }
    assert named <= set(compose()["services"])


def test_each_script_that_it_names_is_there() -> None:
    restoring = (ROOT / "docs" / "restore.md").read_text("utf-8")
    assert set(re.findall(r"deploy/[\w-]+\.sh", TEXT)) == {"deploy/make-secrets.sh", "deploy/back-up.sh"}
    named = set(re.findall(r"(?:deploy/|\b)[\w-]+\.sh", TEXT + restoring))
    named = {f"deploy/{Path(name).name}" for name in named}
    assert {path.name for path in (ROOT / "deploy").glob("*.sh")} == {
        *(Path(name).name for name in named),
        "roles.sh",
        "archive.sh",
    }
    assert all((ROOT / name).exists() for name in named)


def test_what_status_advises_is_what_it_explains() -> None:
    broken = replace(WELL, keeping=False, anchoring=False, waiting=(WAITING, NOBODY))
    for advice in system.advice(broken):
        assert f'"{advice.text}"' in TEXT
    assert questions.command("scheme/adopt").title.replace("’", "'") in TEXT


def test_its_example_of_status_is_what_status_says() -> None:
    first_day = replace(WELL, facts=1, newest_at=WELL.at, signed_at=WELL.at, last_sent_at=None)
    assert system.summary(first_day) in " ".join(TEXT.split())
