"""The people of a school that is about to have a bad day."""

from random import Random
from typing import Final
from uuid import uuid4

from app.house import House
from app.staff_office import StaffOffice
from domain.fact import By
from domain.mentee_case import MenteeCase
from domain.staff import SYSTEM, Role
from tests.kill.load import Account, Writer
from tests.kill.servers import Servers

WRITERS: Final = 8


def writers_of(servers: Servers, chance: Random) -> list[Writer]:
    """Everybody with an account and a token, and a case that all of them worry about."""
    with House(servers.settings) as house:
        office = StaffOffice(house.casework, house.accounts)

        def account(name: str, role: Role) -> Account:
            opened = office.add(name, role, email=f"{name}@school.example", can_sign_in=False)
            return Account(opened.account, house.accounts.issue_token(opened.account))

        lead = account("hughes", "dsl")
        coordinators = [account(f"price{number}", "coordinator") for number in range(WRITERS)]
        busy = MenteeCase.blank(uuid4())
        by = By(SYSTEM, uuid4(), house.casework.today())
        busy.refer(by, route="self", reasons=(), words="w", referred_by="r", pupil_id=uuid4())
        house.casework.save([busy])
    return [
        Writer(servers.address, coordinator, lead, str(busy.id), Random(chance.random()))
        for coordinator in coordinators
    ]
