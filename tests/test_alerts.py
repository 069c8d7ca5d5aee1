"""A raised concern rings at those who answer for safeguarding until somebody has read it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.access.person import Person
from app.alerts import Alerts
from app.commands import BY_KEY
from app.house import House
from app.post import Smtp
from app.staff_office import StaffOffice
from domain.concern import Concern
from domain.concern_facts import Notified
from domain.mentee_case import MenteeCase
from domain.policy import DEFAULT_POLICY
from domain.staff import Role
from tests.mailbox import Mailbox
from tests.scenario import by

BASE = "https://casebook.school.example"
SECRET_WORDS = "He locks me out"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


Hire = Callable[[str, Role], Person]


@pytest.fixture
def hire(house: House) -> Hire:
    """Open an account whose address is its name."""
    office = StaffOffice(house.casework, house.accounts)

    def hire(name: str, role: Role) -> Person:
        opened = office.add(name, role, email=f"{name}@school.example", can_sign_in=False)
        return Person(opened.account, role, name)

    return hire


def worry(house: House, person: Person, case_id: UUID | None = None, **said: Any) -> UUID:
    said = {"childs_words": SECRET_WORDS} | said
    key = house.casework.key(person, "/concerns", str(uuid4()), said)
    loaded = BY_KEY["concerns/raise-concern"].schema.load(said)
    return house.casework.raise_concern(person, loaded, key=key, case_id=case_id).subject.id


def give(house: House, person: Person, command: str, subject: UUID, **said: Any) -> None:
    doing = BY_KEY[command]
    key = house.casework.key(person, command, str(uuid4()), said)
    house.casework.run(doing, person, doing.schema.load(said), key=key, subject_id=subject)


def told(house: House, concern: UUID) -> list[set[UUID]]:
    stream = house.casework.stream(Concern, concern)
    return [set(t.fact.told) for t in stream if isinstance(t.fact, Notified)]


def bell(house: House, url: str) -> Alerts:
    return Alerts(house.pool, house.casework, Smtp(url), BASE)


def test_lead_and_deputies_are_alerted_once_and_it_is_recorded(
    house: House, hire: Hire, mailbox: Mailbox
) -> None:
    dsl, deputy, tutor = hire("dsl", "dsl"), hire("deputy", "deputy_dsl"), hire("tutor", "referrer")
    hire("price", "coordinator")
    alerts = bell(house, mailbox.open())
    concern = worry(house, tutor)

    assert alerts.send_due() == 1
    assert alerts.send_due() == 0

    assert sorted(mailbox.addresses) == ["deputy@school.example", "dsl@school.example"]
    assert told(house, concern) == [{dsl.account, deputy.account}]
    assert alerts.waiting() == []


def test_the_message_says_nothing_about_the_child(house: House, hire: Hire, mailbox: Mailbox) -> None:
    hire("dsl", "dsl")
    alerts = bell(house, mailbox.open())
    concern = worry(house, hire("tutor", "referrer"), about_words="Maya")
    alerts.send_due()
    [(_, message)] = mailbox.got
    assert message["Subject"] == "A concern needs you"
    assert str(message.get_payload()).strip() == f"A concern needs you. Sign in to Casebook: {BASE}"
    everything = message.as_string()
    assert not any(word in everything for word in (SECRET_WORDS, "Maya", str(concern), "tutor"))


def test_a_concern_about_staff_goes_to_the_head_alone_else_to_the_chair_else_to_the_leads(
    house: House, hire: Hire, mailbox: Mailbox
) -> None:
    alerts = bell(house, mailbox.open())
    hire("dsl", "dsl")
    tutor = hire("tutor", "referrer")
    for newcomer, role in ((None, None), ("chair", "chair"), ("head", "head")):
        if newcomer and role:
            hire(newcomer, role)  # type: ignore[arg-type]
        worry(house, tutor, about="staff", facts="He gave out his number.")
        alerts.send_due()
    assert mailbox.addresses[0] == "dsl@school.example"
    # Concerns that are still unread ring at whoever has been appointed since.
    assert mailbox.addresses[1:3] == ["chair@school.example"] * 2
    assert mailbox.addresses[3:] == ["head@school.example"] * 3


def test_it_rings_again_after_the_time_of_the_policy_until_acknowledged(
    house: House, hire: Hire, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsl = hire("dsl", "dsl")
    policy = replace(DEFAULT_POLICY, alert_again_after_minutes=20)
    monkeypatch.setattr(house.casework, "policy", lambda: policy)
    alerts = bell(house, mailbox.open())
    concern = worry(house, hire("tutor", "referrer"))
    clock = _Clock(monkeypatch)

    # Facts are stamped by the real clock: each figure is how long ago the last alert was.
    for minutes, sent in ((0, 1), (19, 0), (21, 1), (19, 0), (21, 1)):
        clock.minutes = minutes
        assert alerts.send_due() == sent, minutes
    assert len(told(house, concern)) == 3

    give(house, dsl, "concerns/acknowledge", concern)
    clock.minutes = 500
    assert alerts.send_due() == 0
    assert len(mailbox.got) == 3


class _Clock:
    """So many minutes after now, for the alerts alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.minutes = 0
        outer = self

        class Later(datetime):
            @classmethod
            def now(cls, zone: Any = None) -> Any:
                return datetime.now(zone) + timedelta(minutes=outer.minutes)

        monkeypatch.setattr("app.alerts.datetime", Later)


def test_who_is_refused_by_the_server_is_tried_again_and_nobody_else(
    house: House, hire: Hire, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsl, deputy = hire("dsl", "dsl"), hire("deputy", "deputy_dsl")
    alerts = bell(house, mailbox.open())
    mailbox.refused = {"deputy@school.example"}
    concern = worry(house, hire("tutor", "referrer"))
    alerts.send_due()
    assert told(house, concern) == [{dsl.account}]
    assert [len(due.people) for due in alerts.waiting()] == [1]
    mailbox.refused = set()
    alerts.send_due()
    assert told(house, concern) == [{dsl.account}, {deputy.account}]
    assert mailbox.addresses == ["dsl@school.example", "deputy@school.example"]


def test_without_a_mail_server_it_waits_shows_it_and_is_sent_once_there_is_one(
    house: House, hire: Hire, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    hire("dsl", "dsl")
    url = mailbox.open()
    mailbox.close()
    alerts = bell(house, url)
    concern = worry(house, hire("tutor", "referrer"))
    assert alerts.send_due() == 0
    assert [due.concern_id for due in alerts.waiting()] == [concern]
    assert told(house, concern) == []

    other = Mailbox()
    try:
        monkeypatch.setattr(alerts, "_post", Smtp(other.open()))
        assert alerts.send_due() == 0, "it backs off before it tries again"
        monkeypatch.setattr(alerts, "_later", {})
        assert alerts.send_due() == 1
    finally:
        other.close()
    assert other.addresses == ["dsl@school.example"]


def test_one_concern_that_cannot_be_opened_keeps_no_other_waiting(
    house: House, hire: Hire, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    hire("dsl", "dsl")
    tutor = hire("tutor", "referrer")
    broken, sound = worry(house, tutor), worry(house, tutor)
    alerts = bell(house, mailbox.open())
    stream = house.casework.stream

    def opened(kind: Any, subject_id: UUID) -> Any:
        if subject_id == broken:
            raise ValueError("damaged")
        return stream(kind, subject_id)

    monkeypatch.setattr(house.casework, "stream", opened)
    assert alerts.send_due() == 1
    monkeypatch.undo()
    assert told(house, sound)
    assert not told(house, broken)


def test_nobody_to_alert_is_shown(house: House, hire: Hire, mailbox: Mailbox) -> None:
    office = StaffOffice(house.casework, house.accounts)
    office.add("Ms Hughes", "dsl", can_sign_in=False)
    worry(house, hire("tutor", "referrer"))
    alerts = bell(house, mailbox.open())
    assert alerts.send_due() == 0
    assert [due.reachable for due in alerts.waiting()] == [False]


def test_somebody_whose_account_ended_is_not_alerted(house: House, hire: Hire, mailbox: Mailbox) -> None:
    hire("old", "dsl")
    hire("dsl", "dsl")
    StaffOffice(house.casework, house.accounts).end("old", "Left the school.")
    worry(house, hire("tutor", "referrer"))
    bell(house, mailbox.open()).send_due()
    assert mailbox.addresses == ["dsl@school.example"]


def test_a_concern_raised_with_its_case_rings_as_well(house: House, hire: Hire, mailbox: Mailbox) -> None:
    hire("dsl", "dsl")
    price = hire("price", "coordinator")
    case = MenteeCase.blank(uuid4())
    case.refer(
        by(price.account),
        route="staff",
        reasons=("friendships",),
        words="Alone.",
        referred_by="A tutor",
        pupil_in_words="A pupil",
    )
    house.casework.save([case])
    worry(house, price, case.id)
    assert bell(house, mailbox.open()).send_due() == 1


def test_of_two_processes_one_rings_and_the_other_takes_over(
    house: House, hire: Hire, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.alerts.EVERY_SECONDS", 0.05)
    hire("dsl", "dsl")
    tutor = hire("tutor", "referrer")
    url = mailbox.open()
    stops = [threading.Event(), threading.Event()]
    threads = [threading.Thread(target=bell(house, url).run, args=(stop,)) for stop in stops]
    for thread in threads:
        thread.start()
    try:
        first = worry(house, tutor)
        _until(lambda: bool(told(house, first)))
        stops[0].set()
        threads[0].join()
        second = worry(house, tutor)
        _until(lambda: bool(told(house, second)))
    finally:
        for stop, thread in zip(stops, threads, strict=True):
            stop.set()
            thread.join()
    assert mailbox.addresses == ["dsl@school.example"] * 2


def _until(happened: Callable[[], bool]) -> None:
    for _ in range(200):
        if happened():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it didn't happen within ten seconds")


def test_a_clock_that_was_set_back_neither_stops_reminders_nor_starts_a_flood(
    house: House, hire: Hire, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    hire("dsl", "dsl")
    worry(house, hire("tutor", "referrer"))
    address = mailbox.open()
    alerts = bell(house, address)
    assert alerts.send_due() == 1
    _Clock(monkeypatch).minutes = -24 * 60
    assert [alerts.send_due() for _ in range(3)] == [0, 0, 0]
    assert alerts.waiting() == []
    # Whoever takes over doesn't know how long ago that was, and rings once.
    takes_over = bell(house, address)
    assert [takes_over.send_due() for _ in range(3)] == [1, 0, 0]
