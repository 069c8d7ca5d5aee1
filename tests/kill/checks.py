"""What must be true of the record, the log of reads and the lists after all that was killed."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from app.commands import BREAK_CONFIDENTIALITY, BY_KEY
from app.house import House
from app.record.recorder import StoredRow
from domain.fact import Fact
from projections.all_models import MODELS
from projections.positions import status
from projections.rebuild import rebuild
from tests.kill.load import Acknowledged, Command, Writer

ALSO_OF_THE_MENTOR = {
    "cases/match": "mentor.took-on",
    "cases/close": "mentor.handed-back",
    "cases/end-match": "mentor.handed-back",
}
BROKEN = "mentee-case.confidentiality-broken"


@dataclass(frozen=True)
class Recorded:
    """A fact with its row."""

    row: StoredRow
    fact: Fact


def recorded(house: House) -> list[Recorded]:
    """Every fact of the record, opened, in order."""
    rows = house.recorder.rows_after(0, 1_000_000)
    facts = house.mapper.to_domain_events(rows)
    return [Recorded(row, fact) for row, fact in zip(rows, facts, strict=True)]


def every_acknowledged_command_is_there_once(
    house: House, facts: Sequence[Recorded], writers: Sequence[Writer]
) -> int:
    """Each acknowledged command has its facts and its row, once, word for word; each other one all or none.

    Gives how many facts were acknowledged.
    """
    by_command: dict[UUID, list[Recorded]] = defaultdict(list)
    for one in facts:
        by_command[one.fact.command_id].append(one)
    remembered = _remembered(house)
    told = 0
    for ack in (ack for writer in writers for ack in writer.acknowledged):
        found = by_command.pop(ack.command.id)
        told += len(found)
        _is_whole(ack.command, found)
        shown = ack.body.get("concern_id") or ack.body["id"]
        last = found[-1].row.notification_id
        assert last == ack.position, ack.command.doing
        subject = [one.row for one in found if one.row.originator_id == UUID(shown)]
        version = subject[-1].originator_version
        assert remembered.pop(ack.command.id) == [(ack.command.who.id, UUID(shown), version, last)]
        if ack.command.doing == BREAK_CONFIDENTIALITY.key:
            _is_heard(ack, found)
        else:
            assert ack.etag == f'"{version}"'
    for command in (command for writer in writers for command in writer.given_up):
        found = by_command.pop(command.id, [])
        assert bool(found) == bool(remembered.pop(command.id, [])), "half of it was recorded"
        if found:
            _is_whole(command, found)
    refused = {command.id for writer in writers for command in writer.refused}
    accounts = {ack.command.who.id for writer in writers for ack in writer.acknowledged}
    strangers = {one.fact.command_id for left in by_command.values() for one in left} | set(remembered)
    assert not refused & strangers, "what was refused was recorded"
    doubled = [
        one.fact.TOPIC for left in by_command.values() for one in left if one.fact.recorded_by in accounts
    ]
    assert not doubled, f"recorded although nobody sent it: {doubled}"
    return told


def _remembered(house: House) -> dict[UUID, list[tuple[UUID, UUID, int, int]]]:
    found: dict[UUID, list[tuple[UUID, UUID, int, int]]] = defaultdict(list)
    with house.pool.connection() as connection:
        for command_id, *row in connection.execute(
            "SELECT command_id, account, originator_id, version, notification_id FROM record.commands"
        ):
            found[command_id].append(tuple(row))
    return found


def _is_whole(command: Command, found: Sequence[Recorded]) -> None:
    """All facts of one command, next to each other, with the words that were sent."""
    topics = [one.row.topic for one in found]
    doing = BY_KEY[command.doing]
    whole = [[doing.fact.TOPIC, *filter(None, [ALSO_OF_THE_MENTOR.get(command.doing)])]]
    if doing is BREAK_CONFIDENTIALITY:
        # With the case, which may be on hold already; alone where others changed the case all the time.
        whole = [[*whole[0], BROKEN, "mentee-case.put-on-hold"], [*whole[0], BROKEN], whole[0]]
    assert topics in whole, command.doing
    first = found[0].row.notification_id
    assert [one.row.notification_id for one in found] == list(range(first, first + len(found)))
    assert {one.fact.recorded_by for one in found} == {command.who.id}
    for name, said in command.body.items():
        assert _as_sent(getattr(found[0].fact, name)) == said, f"{command.doing} has another {name}"


def _as_sent(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
    if isinstance(value, date | UUID):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _is_heard(ack: Acknowledged, found: Sequence[Recorded]) -> None:
    """The lead has the child's words, and the case says so where it was shown."""
    concern = UUID(ack.body["concern_id"])
    assert found[0].row.originator_id == concern
    case = ack.command.path.split("/")[2]
    assert str(vars(found[0].fact)["case_id"]) == case
    if "id" in ack.body and len(found) > 1:
        assert ack.body["on_hold"] is True
        assert vars(found[1].fact)["concern_id"] == concern
        assert ack.etag == f'"{found[-1].row.originator_version}"'


def every_concern_rang(facts: Sequence[Recorded]) -> bool:
    """Whether somebody was alerted of each concern, or has read it already."""
    raised = {one.row.originator_id for one in facts if one.row.topic == "concern.raised"}
    heard = ("concern.notified", "concern.acknowledged")
    return raised == {one.row.originator_id for one in facts if one.row.topic in heard} & raised


def the_ledger_holds(house: House, facts: Sequence[Recorded]) -> None:
    """Positions without a gap, versions without a gap, a clock that never runs back, leaves that fit."""
    assert [one.row.notification_id for one in facts] == list(range(1, len(facts) + 1))
    versions: Counter[UUID] = Counter()
    clock = facts[0].row.recorded_at
    for one in facts:
        row = one.row
        assert isinstance(row.originator_id, UUID)
        versions[row.originator_id] += 1
        assert row.originator_version == versions[row.originator_id]
        assert row.recorded_at >= clock
        clock = row.recorded_at
    leaves = {one.row.notification_id: _leaf_of_fact(one.row) for one in facts}
    with house.pool.connection() as connection:
        stored = connection.execute("SELECT notification_id, leaf_hash FROM record.events").fetchall()
        heads: dict[str, int] = dict(connection.execute("SELECT log, size FROM record.heads").fetchall())
        reads = connection.execute(
            "SELECT id, read_at, account, route, subjects, state, leaf_hash FROM record.reads ORDER BY id"
        ).fetchall()
    assert dict(stored) == leaves
    assert heads == {"events": len(facts), "reads": len(reads)}
    assert [row[0] for row in reads] == list(range(1, len(reads) + 1))
    for *read, leaf in reads:
        assert _leaf_of_read(*read) == leaf


def _leaf_of_fact(row: StoredRow) -> bytes:
    topic = row.topic.encode()
    content = sha256(
        b"casebook-event/1\n" + _microseconds(row.recorded_at) + len(topic).to_bytes(2, "big") + topic
        + sha256(row.state).digest()
    ).digest()  # fmt: skip
    assert isinstance(row.originator_id, UUID)
    leaf_data = row.originator_id.bytes + row.originator_version.to_bytes(8, "big") + content
    return sha256(b"\0" + leaf_data).digest()


def _leaf_of_read(
    number: int, at: datetime, account: UUID, rule: str, subjects: list[UUID], state: bytes
) -> bytes:
    route = rule.encode()
    content = sha256(
        b"casebook-read/1\n" + _microseconds(at) + len(route).to_bytes(2, "big") + route
        + len(subjects).to_bytes(2, "big") + b"".join(one.bytes for one in subjects)
        + sha256(state).digest()
    ).digest()  # fmt: skip
    return sha256(b"\0" + account.bytes + number.to_bytes(8, "big") + content).digest()


def _microseconds(at: datetime) -> bytes:
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since // timedelta(microseconds=1)).to_bytes(8, "big")


def every_look_was_noted(house: House, writers: Sequence[Writer]) -> int:
    """Whatever a writer was shown stands in the log of reads at least as often. Gives how many that were."""
    looks = sum((writer.looks for writer in writers), Counter[tuple[UUID, str, UUID]]())
    with house.pool.connection() as connection:
        noted = {
            (account, route, subject): times
            for account, route, subject, times in connection.execute(
                "SELECT account, route, subject, count(*) FROM record.reads, unnest(subjects) AS subject"
                " GROUP BY account, route, subject"
            )
        }
    missing = {look: times for look, times in looks.items() if noted.get(look, 0) < times}
    assert not missing, f"shown, and not noted: {missing}"
    for subject in {subject for _, _, subject in looks}:
        house.reads.readers(subject, limit=10_000)  # each opens
    return looks.total()


def every_list_equals_its_rebuild(house: House, newest: int) -> None:
    """Row for row. Nothing may be writing to the lists any more."""
    kept = {name: _rows(house, name) for name in MODELS}
    for standing in status(house.pool):
        assert (standing.position, standing.fault) == (newest, None), standing.name
    for name, model in MODELS.items():
        assert rebuild(house.pool, house.recorder.rows_after, house.mapper, model) == newest
        assert _rows(house, name) == kept[name], name
    # Nothing is erased under load: tests/forgetting does that.
    empty = {name for name, rows in kept.items() if not rows} - {"erasures"}
    assert not empty, "a list that is empty proves nothing"


def _rows(house: House, table: str) -> list[Any]:
    with house.pool.connection() as connection:
        return connection.execute(f"SELECT * FROM views.{table} ORDER BY number").fetchall()
