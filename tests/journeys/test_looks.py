"""Whoever is named on a page was looked at, and that is noted before: on every page that anybody reaches."""

import re
from collections.abc import Iterator
from html import unescape
from uuid import UUID

import httpx
import pytest

from app.access.sessions import COOKIE
from app.cli.surroundings import embedded_settings
from app.embedded import attach
from app.house import House
from app.wording.names import mentioned
from projections.mentors import Mentors
from projections.roll import Roll
from projections.staff import Staff
from tests.journeys.demo import Demo

MOST_PAGES = 80
MOST_ALIKE = 3
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class School:
    """The demo's record, asked beside it: who is called what, who was looked at, and whom that explains."""

    def __init__(self, house: House) -> None:
        self.house = house
        pupils = Roll(house.pool).pupils(left=True, limit=2000)
        self.names = {pupil.name: pupil.pupil_id for pupil in pupils}
        assert len(self.names) == len(pupils), "two pupils of one name can't be told apart here"
        self.mentors = {m.mentor_id: m.pupil_id for m in Mentors(house.pool).mentors(limit=1000)}
        self.accounts = {a.account_id: a.mentor_id for a in Staff(house.pool).accounts(limit=1000)}

    def account(self, sign_in: str) -> UUID:
        """Whose sign-in name this is."""
        found = self.house.accounts.find(sign_in)
        assert found
        return found

    def newest(self) -> int:
        """The number of the newest note."""
        with self.house.pool.connection() as connection:
            row = connection.execute("SELECT coalesce(max(id), 0) FROM record.reads").fetchone()
        return int(row[0]) if row else 0

    def looked_at(self, since: int) -> set[UUID]:
        """The subjects of all later notes."""
        with self.house.pool.connection() as connection:
            rows = connection.execute("SELECT subjects FROM record.reads WHERE id > %s", [since]).fetchall()
        return {subject for (subjects,) in rows for subject in subjects}

    def unexplained(self, named: dict[str, UUID], looked_at: set[UUID]) -> list[str]:
        """Names of pupils who aren't these subjects, and whom their stories don't mention, in no words."""
        facts = [
            fact
            for subject in looked_at
            for fact in self.house.mapper.to_domain_events(self.house.recorder.rows(subject))
        ]
        found = mentioned(facts)
        accounts = found.accounts | (looked_at & self.accounts.keys())
        mentors = found.mentors | (looked_at & self.mentors.keys())
        mentors |= {mentor for one in accounts if (mentor := self.accounts.get(one))}
        known = looked_at | found.pupils | {self.mentors[one] for one in mentors}
        words = " ".join(str(vars(fact)) for fact in facts)
        return sorted(name for name, pupil in named.items() if pupil not in known and name not in words)

    def named(self, html: str) -> dict[str, UUID]:
        """The pupils whose full names stand on a page."""
        text = " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())
        return {
            name: pupil for name, pupil in self.names.items() if re.search(rf"\b{re.escape(name)}\b", text)
        }


@pytest.fixture(scope="module")
def school(demo: Demo) -> Iterator[School]:
    with House(embedded_settings(attach(demo.folder))) as house:
        yield School(house)


def signed_in(demo: Demo, school: School, sign_in: str) -> httpx.Client:
    cookies = {COOKIE: school.house.sessions.start(school.account(sign_in))}
    return httpx.Client(base_url=demo.address, cookies=cookies, follow_redirects=True, timeout=30)


def crawl(client: httpx.Client, school: School) -> Iterator[tuple[str, str, set[UUID]]]:
    """Pages that can be reached from the first one, of each kind a few, and whom the notes name."""
    ahead, seen, kinds = ["/"], {"/"}, dict[str, int]()
    while ahead:
        address = ahead.pop(0)
        kind = _ID.sub("*", address.partition("?")[0])
        if kinds.setdefault(kind, 0) >= MOST_ALIKE or sum(kinds.values()) >= MOST_PAGES:
            continue
        kinds[kind] += 1
        before = school.newest()
        answer = client.get(address)
        assert answer.status_code == 200, address
        yield address, answer.text, school.looked_at(before)
        found = [unescape(href) for href in re.findall(r'href="(/[^"#]*)', answer.text)]
        ahead += [href for href in dict.fromkeys(found) if href not in seen and "/static/" not in href]
        seen.update(found)


@pytest.mark.parametrize(
    "sign_in", ["coordinator", "dsl", "head", "chair", "tutor", "inspector", "data", "admin", "mentor"]
)
def test_whoever_is_named_on_a_page_was_noted_as_looked_at(demo: Demo, school: School, sign_in: str) -> None:
    named, own = 0, school.account(sign_in)
    with signed_in(demo, school, sign_in) as client:
        for address, html, looked_at in crawl(client, school):
            found = school.named(html)
            # Everybody may know their own name.
            missing = school.unexplained(found, looked_at | {own}) if found else []
            assert not missing, f"{address} names {missing}, and no note says that anybody looked"
            named += len(found)
    assert named or sign_in in ("chair", "inspector", "tutor", "admin")
