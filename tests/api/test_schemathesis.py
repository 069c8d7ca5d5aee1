"""The running API against its own document, by somebody who only read the document."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from app.api.checkpoints import WITNESSES
from app.api.reading import READINGS
from app.commands import BY_KEY
from app.settings import Settings
from tests.api.conftest import School
from tests.fuzz.effort import LONG
from tests.kill.servers import Process, free_port

CONFIG: Final = Path(__file__).parents[2] / "schemathesis.toml"
HOOKS: Final = Path(__file__).with_name("schemathesis_hooks.py")
ROLES: Final = ("coordinator", "dsl", "mentor", "head")
OF_ONE: Final = """
[[operations]]
include-path-regex = "/{thing}/[{{]"
parameters = {{ "path.subject_id" = "{id}" }}
"""
SECONDS_EACH: Final = 10
LONG_SECONDS_EACH: Final = 150
REACHED: Final = ("200", "201", "409")
LEAST_SHARE: Final = 0.5
"""Of the commands that are meant to be right, how many must come as far as a rule of the scheme."""


def not_for(role: str) -> list[str]:
    """The operations that this role may never use: they would only hear 403, which other tests ask for."""
    commands = [doing.key.replace("/", "-") for doing in BY_KEY.values() if role not in doing.roles]
    readings = [one.view.__name__.replace("_", "-") for one in READINGS if role not in one.roles]
    witness = [] if role in WITNESSES else ["keep-cosignature"]
    return [*commands, *witness, *(f"read-{name}" for name in readings)]


@dataclass
class Running:
    """The web server as \"serve\" runs it, and its log."""

    address: str
    log: Path


@pytest.fixture
def running(lists: School, settings: Settings, tmp_path: Path) -> Iterator[Running]:
    """Where the API answers for real."""
    port = free_port()
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "CASEBOOK_DATABASE_URL": settings.database_url,
        "CASEBOOK_KEYS_DATABASE_URL": settings.keys_database_url,
        "CASEBOOK_KEK_FILE": str(settings.kek_file),
        "CASEBOOK_SECRET_KEY": settings.secret_key,
        "CASEBOOK_ORIGIN": settings.origin,
        "CASEBOOK_DATA_DIR": str(settings.data_dir),
    }
    web = Process(["-m", "app.serve", "--port", str(port)], environment, tmp_path / "web.log")
    web.start()
    address, until = f"http://127.0.0.1:{port}", monotonic() + 60
    while not _answers(f"{address}/readyz"):
        assert monotonic() < until, web.log.read_text()
        sleep(0.05)
    yield Running(f"{address}/api/v1", web.log)
    assert web.end() == 0


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=5) as answer:  # noqa: S310 - this test's server
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_the_api_does_what_its_document_says(
    lists: School, running: Running, tmp_path: Path, role: str
) -> None:
    case = lists.a_matched_case()
    about_staff = {"facts": "Seen.", "about": "staff", "about_words": "A coach"}
    ids = {
        "cases": case,
        "mentors": lists.mentors["mentor"],
        "pupils": lists.a_pupil(),
        "concerns": lists.make("/concerns", about_staff if role == "head" else {"facts": "Seen."}, role),
    }
    config, counts = tmp_path / "schemathesis.toml", tmp_path / "counts.json"
    config.write_text(
        CONFIG.read_text() + "".join(OF_ONE.format(thing=thing, id=one) for thing, one in ids.items())
    )
    seconds = LONG_SECONDS_EACH if LONG else SECONDS_EACH
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--no-color", "--config-file", str(config)),
        *(
            "run",
            f"{running.address}/openapi.json",
            "--header",
            f"Authorization: Bearer {lists.tokens[role]}",
        ),
        *("--phases", "examples,coverage,fuzzing,stateful", "--checks", "all", "--max-time", str(seconds)),
        *(part for name in not_for(role) for part in ("--exclude-operation-id", name)),
        *("--warnings", "off", "--continue-on-failure"),
        *(
            ("--generation-database", "none")
            if LONG
            else ("--generation-deterministic", "--max-examples", "2")
        ),
    ]
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": str(HOOKS),
        "CASEBOOK_FIRE_ADDRESS": running.address,
        "CASEBOOK_FIRE_TOKEN": lists.tokens[role],
        "CASEBOOK_FIRE_PUPIL_ID": ids["pupils"],
        "CASEBOOK_FIRE_MENTOR_ID": ids["mentors"],
        "CASEBOOK_FIRE_COUNTS": str(counts),
    }
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=20 * seconds,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    said = ran.stdout[-8000:] + ran.stderr[-2000:]
    assert ran.returncode == 0, said
    assert re.search(r"Stateful", ran.stdout), said
    assert "request_failed" not in running.log.read_text()
    ended = json.loads(counts.read_text())
    right = {status.split()[1]: count for status, count in ended.items() if status.startswith("right")}
    reached = sum(count for status, count in right.items() if status in REACHED)
    print(f"{role}: {reached} of {sum(right.values())} right commands reached a rule: {ended}")
    assert reached > LEAST_SHARE * sum(right.values()), ended
