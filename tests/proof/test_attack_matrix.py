"""Each attack, and what each observer says of it: the misses too."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.embedded import Embedded
from app.proof.pack import make_pack
from app.proof.verifier import Checkpoint, Note
from app.record.data_key import DataKey
from tests.conftest import fresh
from tests.databases import Templates
from tests.giving import Someone, a_case, a_matched_case, give
from tests.proof.attack import Scene, keep_tables
from tests.proof.attacks import ATTACKS, CHECKS, page
from tests.proof.conftest import Proven, with_an_anchor
from tests.proof.observers import MISSED, NOTHING, OBSERVERS, all_say, makes_a_pack
from tests.proof.packs import cosigned
from tests.proof.test_pack import account, concern_of, told_briefly, worry


@pytest.fixture(scope="module")
def prepared(
    cluster: Embedded, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """The record that all attacks are tried on, one after the other."""
    folder = tmp_path_factory.mktemp("attacked")
    with (
        fresh(cluster, templates, "school", folder) as settings,
        with_an_anchor(settings, cluster, folder) as proven,
    ):
        yield a_scene(proven)


@pytest.fixture
def scene(prepared: Scene) -> Iterator[Scene]:
    yield prepared
    if prepared.touched:
        prepared.put_back()


def a_scene(proven: Proven) -> Scene:
    """Facts and reads before the paper checkpoint, between it and the witnessed one, and after both."""
    house = proven.house
    lead, colleague = account(house, "Ms Hughes", "dsl"), account(house, "Ms Price", "coordinator")
    case, _ = a_matched_case(house)
    other_case = a_case(house)
    worry(house, case, {"childs_words": "He hits me"}, lead)
    proven.log_read()
    proven.log_read()
    paper, _ = proven.anchor().checkpoint()
    file_then = proven.file.path.read_bytes()
    keep_tables(proven.superuser, "early")
    give(house, "cases/release", {"reason": "Settled"}, case, person=Someone(lead.account, "dsl"))
    give(house, "cases/agree-purpose", {"purpose": "Find friends"}, case)
    new_case = a_case(house)
    give(house, "cases/send-letter", {"kind": "guardian", "sent_on": "2026-09-12"}, case)
    proven.log_read()
    newest, _ = proven.anchor().checkpoint()
    witnessed = cosigned(newest)
    with psycopg.connect(proven.superuser) as connection:
        line = witnessed.decode().splitlines(keepends=True)[-1]
        connection.execute(
            "INSERT INTO record.cosignatures (origin, size, witness, line)"
            " SELECT origin, size, 'governor.example', %s FROM record.checkpoints WHERE note = %s",
            [line, newest.decode()],
        )
    said = {"at": "2026-11-29T12:00:00Z", "place": "Hall"}
    give(house, "cases/arrange-session", said, case)
    proven.log_read()
    subjects = (case, concern_of(house, case), other_case, new_case)
    keys = house.keys.get_many(subjects)
    packs = [
        make_pack(
            house, lead, [case], for_whom="Estyn", why="Inspection", checkpoint=note, papers=told_briefly
        )
        for note in (paper, witnessed)
    ]
    return Scene(
        proven,
        *subjects,
        lead=lead.account,
        colleague=colleague.account,
        data_keys={subject: key for subject, key in keys.items() if isinstance(key, DataKey)},
        paper=paper,
        witnessed=witnessed,
        paper_size=size_of(paper),
        size=size_of(witnessed),
        file_then=file_then,
        old_pack=packs[0],
        pack=packs[1],
    )


def size_of(note: bytes) -> int:
    return Checkpoint.parse(Note.parse(note).text).size


@pytest.mark.parametrize("number", range(len(ATTACKS)), ids=[attack.name for attack in ATTACKS])
def test_an_attack_is_noticed_by_those_who_can_and_missed_by_the_others(scene: Scene, number: int) -> None:
    attack = ATTACKS[number]
    expected = dict(zip((name for name, _ in OBSERVERS), attack.expected, strict=True))
    said = all_say(scene, attack)
    # Where nothing is to be seen, nothing may be.
    assert said == {
        name: MISSED if word == NOTHING and said[name] == MISSED else word for name, word in expected.items()
    }
    if attack.pack is None:
        # Casebook itself hands out no pack of which the reader would be told that it is wrong.
        made = makes_a_pack(scene)
        assert made if attack is ATTACKS[0] else not made or said["honest"] == MISSED


def test_each_miss_has_its_reason_and_each_check_its_meaning() -> None:
    assert [attack.name for attack in ATTACKS if MISSED in attack.expected and not attack.missed] == []
    assert [attack.name for attack in ATTACKS if MISSED not in attack.expected and attack.missed] == []
    named = {
        check
        for attack in ATTACKS
        for word in attack.expected
        if word.startswith("detected: ")
        for check in word.removeprefix("detected: ").split(", ")
    }
    assert named == CHECKS.keys()


def test_the_printed_table_is_of_these_attacks() -> None:
    printed = (Path(__file__).parents[2] / "docs" / "attacks.md").read_text("utf-8")
    assert printed == page(), "python -m tests.proof.attacks > docs/attacks.md"
