"""Whatever is killed in the midst of forgetting: nothing is half gone, and whoever comes next finishes."""

from itertools import count
from time import monotonic, sleep
from uuid import UUID, uuid4

import psycopg
import pytest

from app.forgetting.certificate import certificate
from app.forgetting.destroyed_list import DestroyedList
from app.forgetting.destroying import Forgetting, apply_list
from app.house import House
from app.proof.kept_keys import KeptKeys
from app.record.base64url import to_base64url
from app.record.kek import previous_files
from app.record.kek_roll import destroy_previous, roll
from app.record.keys import DESTROYED, Keks, KeyStore, load_kek
from app.record.pool import open_pool
from app.settings import Settings
from domain.concern import Concern
from domain.erasure import Completed, Erasure, KeyDestroyed, Ordered, Requested
from domain.fact import ERASED
from domain.mentee_case import MenteeCase
from tests.forgetting.conftest import Office
from tests.forgetting.killing import killed_at
from tests.giving import a_case, load
from tests.proof.conftest import Proven

pytestmark = [pytest.mark.kill]


@pytest.fixture
def listed(settings: Settings) -> DestroyedList:
    """The list of destroyed keys."""
    assert settings.destroyed_file is not None
    return DestroyedList(settings.destroyed_file)


def live(house: House) -> set[UUID]:
    """Whose keys are there."""
    with house.keys_pool.connection() as connection:
        found = connection.execute(
            "SELECT originator_id FROM keys.data_keys WHERE wrapped IS NOT NULL AND destroyed_at IS NULL"
        )
        return {originator for (originator,) in found}


def said_gone(house: House, erasure: UUID) -> set[UUID]:
    """Whose keys the record says are gone."""
    told = house.casework.stream(Erasure, erasure)
    return {one.fact.target for one in told if isinstance(one.fact, KeyDestroyed)}


def finish(house: House, erasure: UUID) -> None:
    """Finish it, once the server has noticed that the one before is dead."""
    until = monotonic() + 60
    while load(house, Erasure, erasure).state != "completed":
        assert monotonic() < until, "it isn't finished"
        if not Forgetting(house).finish().completed:
            sleep(0.02)


def words(house: House, kind: type[MenteeCase] | type[Concern], subject_id: UUID, name: str) -> object:
    """What stands in the first fact."""
    return vars(house.casework.stream(kind, subject_id)[0].fact)[name]


def test_an_eraser_killed_at_any_moment(office: Office, proven: Proven, listed: DestroyedList) -> None:
    house, everybody = office.house, set[UUID]()
    house.lease = 0
    stays = office.case(office.pupil(given="Tom"), words="Likes chess.")
    keys = KeptKeys(house.settings.keys_database_url, listed, house.keks)

    def erase() -> None:
        with House(house.settings, lease=0) as own:
            assert Forgetting(own).finish().completed

    for moment in count():
        _pupil, case, concern = office.story()
        # As if it were an account: what stands beside the record goes too.
        house.accounts.open(case, "mentor", [f"sign-in {moment}"], None)
        erasure, targets, before = office.order("narrative", case), {case, concern}, live(house)
        everybody |= targets
        proven.anchor().checkpoint()
        killed = killed_at(moment, erase)

        # In this order: the server may still be busy with it, and each of them comes before the one before.
        told = said_gone(house, erasure)
        gone = before - live(house)
        on_list = [one.originator_id for one in listed.read()]
        assert told <= gone <= set(on_list) & targets, moment
        assert proven.verify(keys=keys).faults == (), moment

        finish(house, erasure)
        told_all = [type(one.fact) for one in house.casework.stream(Erasure, erasure)]
        assert told_all == [Requested, Ordered, KeyDestroyed, KeyDestroyed, Completed], moment
        assert before - live(house) == targets
        on_list = [one.originator_id for one in listed.read()]
        assert set(on_list) == everybody
        assert len(on_list) == len(everybody), "each once"
        assert house.accounts.find(f"sign-in {moment}") is None
        house.forget()
        assert words(house, MenteeCase, case, "words") is ERASED
        assert words(house, Concern, concern, "childs_words") is ERASED
        assert words(house, MenteeCase, stays, "words") == "Likes chess."
        found = certificate(house, erasure)
        assert found is not None
        assert found.completed is not None
        if not killed:
            break
    assert moment > 20, "it takes more moments than that"
    proven.anchor().checkpoint()
    report = proven.verify(keys=keys)
    assert report.faults == ()
    assert [one.covered for one in report.logs] == [one.entries for one in report.logs]


def test_a_roll_killed_at_any_moment(
    proven: Proven, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.record.kek_roll.BATCH", 3)
    house, path, url = proven.house, settings.kek_file, settings.keys_database_url
    case = a_case(house)
    ids = [uuid4() for _ in range(8)]
    keys = house.keys.create_many(ids)
    running = KeyStore(house.keys_pool, Keks.from_file(path), ttl=0)
    replaced: set[bytes] = set()

    def begin() -> None:
        with open_pool(url) as pool:
            roll(path, pool, settle=0)
            destroy_previous(path, pool)

    def check() -> None:
        assert KeyStore(house.keys_pool, Keks.from_file(path)).get_many(ids) == keys, moment
        assert running.get_many(ids) == keys, "a server that runs on goes on reading"

    for moment in count():
        replaced.add(load_kek(path))
        killed = killed_at(moment, begin)
        check()
        assert proven.verify(keys=KeptKeys(url, keks=Keks.from_file(path))).faults == (), moment
        replaced.add(load_kek(path))
        name = roll(path, house.keys_pool, settle=0)
        with house.keys_pool.connection() as connection:
            assert connection.execute("SELECT DISTINCT kek_id FROM keys.data_keys").fetchall() == [(name,)]
        check()
        destroy_previous(path, house.keys_pool)
        assert previous_files(path) == []
        check()
        # Nor anywhere beside it, under whatever name.
        replaced.discard(load_kek(path))
        kept = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
        assert not any(to_base64url(old) in kept for old in replaced), moment
        if not killed:
            break
    assert moment > 20, "it takes more moments than that"
    house.forget()
    assert words(house, MenteeCase, case, "words") == "Sits alone."


def test_a_list_applied_after_a_restore(house: House, settings: Settings, listed: DestroyedList) -> None:
    ids = [uuid4() for _ in range(3)]
    other = uuid4()
    house.keys.create_many([*ids, other])
    with psycopg.connect(settings.migrate_keys_database_url or "", autocommit=True) as owner:
        found = owner.execute("SELECT kid, originator_id, wrapped FROM keys.data_keys").fetchall()
        for kid, originator, _ in found:
            if originator != other:
                listed.add(kid, originator)
        owner.execute("ALTER TABLE keys.data_keys DISABLE TRIGGER check_change")

        def again() -> None:
            with open_pool(settings.keys_database_url) as pool:
                apply_list(pool, listed)

        for moment in count():
            for kid, _, wrapped in found:
                restore = "UPDATE keys.data_keys SET wrapped = %s, destroyed_at = NULL WHERE kid = %s"
                owner.execute(restore, [wrapped, kid])
            killed = killed_at(moment, again)
            apply_list(house.keys_pool, listed)
            assert live(house) == {other}
            if not killed:
                break
    assert moment == len(ids)


def test_a_hold_comes_too_late_for_a_key_that_is_on_the_list_already(
    office: Office, listed: DestroyedList
) -> None:
    pupil, case, concern = office.story()
    erasure, kids = office.order("narrative", case), kids_of(office.house, [case, concern])
    # As whoever was killed between the list and the key leaves it.
    listed.add(kids[case], case)
    office.do("pupils/put-legal-hold", "head", pupil, reason="A claim.")
    assert Forgetting(office.house).finish().held == [erasure]
    office.house.forget()
    assert office.house.keys.get(case) is DESTROYED, "a restore would destroy it"
    assert office.house.keys.get(concern) is not DESTROYED
    told = office.house.casework.stream(Erasure, erasure)
    assert [one.fact.target for one in told if isinstance(one.fact, KeyDestroyed)] == [case]
    office.do("pupils/release-legal-hold", "head", pupil, reason="Settled.")
    assert Forgetting(office.house).finish().completed == [erasure]


def kids_of(house: House, ids: list[UUID]) -> dict[UUID, bytes]:
    """The names of these keys."""
    query = "SELECT originator_id, kid FROM keys.data_keys WHERE originator_id = ANY(%s)"
    with house.keys_pool.connection() as connection:
        return dict(connection.execute(query, [ids]).fetchall())
