"""How the system is, in words and numbers; fast, without containers."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
import structlog
from flask import request

from app import create_app
from app.access.person import Person
from app.alerts import Due, Recipient
from app.casework import NotFound
from app.checkup import NOT_MADE, Checkup, check
from app.commands import BY_KEY
from app.house import House
from app.logs import JsonLines
from app.metrics import CountedCasework, Record
from app.post import NotSent, Nowhere, Outbox, Smtp, post_of
from app.project import ProjectorProcess
from app.settings import Settings
from app.staff_office import StaffOffice
from app.wording import system
from projections.all_models import MODELS
from projections.positions import Standing, wait_for

NOW = datetime(2026, 6, 14, 13, 1, tzinfo=UTC)
WELL = Checkup(
    at=NOW,
    facts=12_408,
    newest_at=NOW - timedelta(minutes=3),
    reads=9,
    lists=(Standing("caseload", 12_408, 0, None), Standing("roll", 12_408, 0, None)),
    keeping=True,
    ringing=True,
    anchoring=True,
    signed=12_400,
    signed_at=NOW - timedelta(minutes=3),
    unacknowledged=0,
    waiting=(),
    mail="e-mail",
    last_sent_at=NOW - timedelta(hours=2),
)
WAITING = Due(uuid4(), NOW - timedelta(minutes=5), (Recipient(uuid4(), "dsl@school.example"),), True)
NOBODY = replace(WAITING, people=(), reachable=False)
STOPPED = Standing("caseload", 76, 12_332, "KeyError")
UNMADE = Standing("roll", 0, 12_408, NOT_MADE)


def test_facts_that_wait_for_a_checkpoint_too_long_are_seen_whatever_the_anchor_says() -> None:
    late = replace(WELL, unsigned_since=NOW - timedelta(minutes=31))
    assert not late.in_order
    assert [advice.text for advice in system.advice(late)] == ["Checkpoints stay away"]
    assert [part.label for part in system.parts(late) if not part.well] == ["Checkpoints"]
    assert replace(WELL, unsigned_since=NOW - timedelta(minutes=9)).in_order


def test_all_is_well_in_one_sentence() -> None:
    assert system.summary(WELL) == (
        "The record has 12,408 facts, newest 3 minutes ago, last checkpoint 3 minutes ago; "
        "all lists are up to date; alerts: none waiting; e-mail: last sent 14 June 2026, 12:01pm."
    )
    assert WELL.in_order
    assert system.advice(WELL) == []
    assert all(part.well for part in system.parts(WELL))


@pytest.mark.parametrize(
    ("found", "said", "advised"),
    [
        (replace(WELL, facts=0, newest_at=None), "The record is empty;", None),
        (replace(WELL, facts=1), "The record has 1 fact, newest 3 minutes ago, last", None),
        (replace(WELL, last_sent_at=None), "e-mail: nothing sent yet.", None),
        (
            replace(WELL, lists=(Standing("roll", 1, 7, None),)),
            "; lists are being updated, 7 facts behind;",
            None,
        ),
        (replace(WELL, lists=(STOPPED,)), "; the list “Cases” has stopped;", "casebook rebuild caseload"),
        (replace(WELL, lists=(UNMADE,)), "; lists are being made;", "Wait a minute"),
        (replace(WELL, keeping=False), "; nobody keeps the lists up to date;", "Start “casebook project”"),
        (replace(WELL, anchoring=False), "last checkpoint 3 minutes ago;", "Start “casebook anchor”"),
        (
            replace(WELL, anchoring=False, refused="It was cut.", refused_at=NOW),
            "last",
            "It says: It was cut.",
        ),
        (replace(WELL, signed_at=None, signed=0), ", no checkpoint yet;", None),
        (replace(WELL, ringing=False), "; alerts: nobody sends them;", "Start “casebook project”"),
        (
            replace(WELL, waiting=(WAITING,)),
            "alerts: 1 waiting, about a concern raised 5 minutes ago;",
            "by voice",
        ),
        (
            replace(WELL, waiting=(NOBODY,)),
            "alerts: 1 waiting",
            "Tell the head",
        ),
        (replace(WELL, unforgotten=1), "alerts: none waiting;", "CASEBOOK_DESTROYED_FILE"),
        (replace(WELL, mail="none"), "e-mail: no mail server is set.", "CASEBOOK_SMTP_URL"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(found: Checkup, said: str, advised: str | None) -> None:
    assert said in system.summary(found)
    given = " ".join(advice.what_to_do for advice in system.advice(found))
    assert (advised in given) if advised else given == ""
    assert found.in_order is (advised is None)


def test_a_list_that_is_not_made_yet_rings_nobody() -> None:
    found = replace(WELL, lists=(UNMADE, STOPPED), unforgotten=1)
    values = {
        (sample.name, sample.labels.get("list")): sample.value
        for metric in Record(found).collect()
        for sample in metric.samples
    }
    assert values["casebook_list_stopped", "roll"] == 0
    assert values["casebook_list_stopped", "caseload"] == 1
    assert values["casebook_erasures_late", None] == 1


def test_every_list_has_a_name_that_people_read() -> None:
    assert set(system.LISTS) == set(MODELS)


def test_the_checkup_sees_whether_somebody_keeps_the_lists(house: House) -> None:
    before = check(house)
    assert (before.keeping, before.facts, before.newest_at) == (False, 0, None)
    with ProjectorProcess(house.pool, house.recorder, house.mapper):
        opened = StaffOffice(house.casework, house.accounts).add("Ms Hughes", "dsl")
        assert wait_for(house.pool, opened.position)
        found = check(house)
    assert found.keeping
    assert not found.ringing
    assert found.facts == 1
    assert not found.stopped
    assert not found.behind


def test_a_school_without_a_mail_server_alerts_nobody_and_says_so(settings: Settings, house: House) -> None:
    assert isinstance(post_of(settings), Nowhere)
    with pytest.raises(NotSent, match="CASEBOOK_SMTP_URL"):
        post_of(settings).send(["dsl@school.example"], "text", "subject")
    assert check(house).mail == "none"
    assert isinstance(post_of(replace(settings, demo=True)), Outbox)
    assert isinstance(post_of(replace(settings, smtp_url="file:letters")), Outbox)
    assert isinstance(post_of(replace(settings, smtp_url="smtp://mail.example")), Smtp)


def test_commands_are_counted_by_what_became_of_them(settings: Settings) -> None:
    from app.metrics import _OURS

    def counted(outcome: str) -> float:
        labels = {"command": "mentors/select", "outcome": outcome}
        return _OURS.get_sample_value("casebook_commands_total", labels) or 0

    before = counted("not_found")
    person = Person(uuid4(), "coordinator", "Ms Price", None)
    with House(settings, casework=CountedCasework) as house:
        key = house.casework.key(person, "mentors/select", str(uuid4()), {})
        with pytest.raises(NotFound):
            house.casework.run(BY_KEY["mentors/select"], person, {"reason": "x"}, key=key, subject_id=uuid4())
    assert counted("not_found") == before + 1


@pytest.mark.parametrize(("proxies", "seen"), [(0, "127.0.0.1"), (1, "198.51.100.7")])
def test_whoever_stands_in_front_is_believed_only_when_it_is_ours(
    settings: Settings, house: House, proxies: int, seen: str
) -> None:
    app = create_app(replace(settings, trusted_proxies=proxies), house)
    sources = []
    app.before_request(lambda: sources.append(request.remote_addr))
    app.test_client().get("/healthz", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7"})
    assert sources == [seen]


@pytest.fixture
def lines() -> Iterator[Callable[[], list[Any]]]:
    """What loggers write as JSON while a test runs."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.addHandler(handler)
    # A command that ran before in this process may have silenced it.
    logging.getLogger("psycopg.pool").setLevel(logging.NOTSET)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)
    structlog.contextvars.clear_contextvars()


def test_a_log_line_says_where_an_error_was_and_not_what_it_said(lines: Any) -> None:
    try:
        date.fromisoformat("Maya")
    except ValueError:
        logging.getLogger("casebook.test").exception("failed")
    [line] = lines()
    assert line["event"] == "failed"
    assert line["error"] == "ValueError"
    assert "test_status.py" in line["where"][-1]
    assert "Maya" not in json.dumps(line)


def test_of_a_librarys_words_only_the_fixed_part_is_kept(lines: Any) -> None:
    logging.getLogger("some.library").error("can't read %r", "Maya")
    logging.getLogger("some.library").error("can't read " + "Maya")
    logging.getLogger("psycopg.pool").error("error connecting in %r", "pool-1")
    assert [line["event"] for line in lines()] == [
        "can't read %r",
        "(said by a library)",
        "error connecting in 'pool-1'",
    ]


def test_what_is_bound_to_a_request_stands_on_each_of_its_lines(lines: Any) -> None:
    structlog.contextvars.bind_contextvars(request="0123456789ab")
    logging.getLogger("casebook.test").warning("first")
    [line] = lines()
    assert line["request"] == "0123456789ab"
