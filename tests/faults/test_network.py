"""A network, a disk or a machine that stands still: nothing is refused, nothing closed, and nothing comes."""

from time import monotonic

import pytest

from tests.faults.school import HEALS_SECONDS, School
from tests.faults.visit import EVERYTHING, Visit, is_told_in_words

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]


def test_a_record_that_has_fallen_silent_keeps_nobody_waiting_for_long(school: School) -> None:
    visit = Visit(school)
    with school.busy():
        school.gate.fall_silent()
        try:
            is_told_in_words(visit, visit.all_at_once(), *EVERYTHING)
            began = monotonic()
            is_told_in_words(visit, visit.all_at_once(), *EVERYTHING)
            assert monotonic() - began < 4, "who comes later waits less"
        finally:
            school.gate.speak()
        visit.everything_works_again(HEALS_SECONDS)
