"""A history is put into words once for the same facts, names and reader, and again for anything else."""

from uuid import UUID, uuid4

from app.history.again import Again
from app.wording.names import Called, Names
from domain.fact import Fact
from tests.benchmarks.ground import a_case


class Maker:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> str:
        self.times += 1
        return f"text {self.times}"


ACCOUNT = UUID(int=1)


def some_facts(count: int) -> list[Fact]:
    return list(a_case(count).pending_events)  # type: ignore[arg-type]


def test_the_same_is_not_made_again() -> None:
    again, make, facts = Again(), Maker(), some_facts(4)
    assert again.text("asked", facts, Names(), make) == "text 1"
    assert again.text("asked", list(facts), Names(), make) == "text 1"
    assert make.times == 1


def test_another_fact_another_name_another_question_are_made_anew() -> None:
    again, make, facts = Again(), Maker(), some_facts(5)
    again.text("asked", facts[:4], Names(), make)
    assert again.text("asked", facts, Names(), make) == "text 2"
    assert again.text("asked", [*facts[:4], some_facts(5)[4]], Names(), make) == "text 3"
    named = Names({ACCOUNT: Called("Ms Price", "coordinator")})
    assert again.text("asked", facts, named, make) == "text 4"
    assert again.text("asked otherwise", facts, named, make) == "text 5"


def test_it_lets_go_by_time_and_by_number() -> None:
    make, facts = Maker(), some_facts(2)
    again = Again(most=2)
    for n in range(3):
        again.text(n, facts, Names(), make)
    assert list(again._made) == [1, 2]
    again = Again(seconds=0)
    again.text(uuid4(), facts, Names(), make)
    assert not again._made
