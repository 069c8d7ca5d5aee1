"""The running API against its own document, by somebody who only read the document."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from app.api.checkpoints import WITNESSES
from app.api.commands import API
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
LONG_SECONDS_EACH: Final = 150
REACHED: Final = ("200", "201", "409")
LEAST_SHARE: Final = 0.5
"""Of the commands that are meant to be right, how many must come as far as a rule of the scheme."""


STORIES: Final = "8"
PATIENCE_SECONDS: Final = 200
LINKS_ALONE: Final = """
[phases.stateful]
max-steps = 10
[phases.stateful.inference]
algorithms = []
"""
"""What the document says, and nothing that somebody could guess from its names."""
WALKS: Final = {"coordinator": "pupils|cases", "dsl": "concerns", "mentor": "cases"}
"""Among which things a role goes along links."""
LEAST_LINKS: Final = 3
"""Which ones is chance; test_document.py follows every one."""


def led_on(report: Path) -> Counter[str]:
    """The links that led to what they promise, with the id and the version that they hand on."""
    found: Counter[str] = Counter()
    for line in report.read_text().splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for number, step in recorder.get("cases", {}).items():
            link, sent = step.get("transition"), recorder["interactions"].get(number)
            if not link or not sent or str((sent["response"] or {}).get("status_code")) not in REACHED:
                continue
            said = json.dumps([sent["request"]["uri"], step["value"]])
            handed_on = [one for part in link.get("parameters", {}).values() for one in part.values()]
            if step["is_transition_applied"] and all(
                json.dumps(one["value"])[1:-1] in said for one in handed_on
            ):
                found[link["id"].replace(API, "")] += 1
    return found


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


@dataclass
class Documented:
    """One role's program that has read the document, and the things whose ids it knows."""

    lists: School
    running: Running
    folder: Path
    role: str

    def __post_init__(self) -> None:
        lists, role = self.lists, self.role
        about_staff = {"facts": "Seen.", "about": "staff", "about_words": "A coach"}
        case = lists.a_matched_case()
        self.ids = {
            "cases": case,
            "mentors": lists.mentors["mentor"],
            "pupils": lists.a_pupil(),
            "concerns": lists.make("/concerns", about_staff if role == "head" else {"facts": "Seen."}, role),
        }
        self.counts = self.folder / "counts.json"

    def run(self, config: str, *options: str, **environment: str) -> None:
        """Ask; no answer may be other than the document says."""
        path = self.folder / "schemathesis.toml"
        path.write_text(CONFIG.read_text() + config)
        command = [
            *(str(Path(sys.executable).with_name("schemathesis")), "--no-color", "--config-file", str(path)),
            *("run", f"{self.running.address}/openapi.json"),
            *("--header", f"Authorization: Bearer {self.lists.tokens[self.role]}"),
            *("--checks", "all", "--warnings", "off", "--continue-on-failure"),
            *(part for name in not_for(self.role) for part in ("--exclude-operation-id", name)),
            *(
                ("--generation-database", "none", "--max-time", str(LONG_SECONDS_EACH))
                if LONG
                else ("--generation-deterministic",)
            ),
            *options,
        ]
        given = {
            "SCHEMATHESIS_HOOKS": str(HOOKS),
            "CASEBOOK_FIRE_ADDRESS": self.running.address,
            "CASEBOOK_FIRE_TOKEN": self.lists.tokens[self.role],
            "CASEBOOK_FIRE_PUPIL_ID": self.ids["pupils"],
            "CASEBOOK_FIRE_MENTOR_ID": self.ids["mentors"],
            "CASEBOOK_FIRE_COUNTS": str(self.counts),
        }
        ran = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=20 * LONG_SECONDS_EACH if LONG else PATIENCE_SECONDS,
            cwd=self.folder,
            env=os.environ | given | environment,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
        assert "request_failed" not in self.running.log.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_the_api_does_what_its_document_says(
    lists: School, running: Running, tmp_path: Path, role: str
) -> None:
    program = Documented(lists, running, tmp_path, role)
    program.run(
        "".join(OF_ONE.format(thing=thing, id=one) for thing, one in program.ids.items()),
        *("--phases", "examples,coverage,fuzzing"),
        *(() if LONG else ("--max-examples", "2")),
    )
    ended = json.loads(program.counts.read_text())
    right = {status.split()[1]: count for status, count in ended.items() if status.startswith("right")}
    reached = sum(count for status, count in right.items() if status in REACHED)
    print(f"{role}: {reached} of {sum(right.values())} right commands reached a rule: {ended}")
    assert reached > LEAST_SHARE * sum(right.values()), ended


@pytest.mark.slow
@pytest.mark.parametrize("role", WALKS)
def test_the_links_of_the_document_lead_from_one_thing_to_the_next(
    lists: School, running: Running, tmp_path: Path, role: str
) -> None:
    program, report = Documented(lists, running, tmp_path, role), tmp_path / "report.ndjson"
    # Configured ids would be sent instead of those that links hand on.
    program.run(
        LINKS_ALONE,
        *("--phases", "stateful", "--mode", "positive", "--no-shrink"),
        *(() if LONG else ("--max-examples", STORIES)),
        *("--include-path-regex", f"/({WALKS[role]})(/[{{]|$)"),
        *("--report", "ndjson", "--report-ndjson-path", str(report)),
        CASEBOOK_FIRE_ALONG_LINKS=json.dumps(program.ids),
    )
    led = led_on(report)
    print(f"{role}: {len(led)} links led on: {led}")
    assert len(led) >= LEAST_LINKS, led
