"""That the looking glass sees faults."""

import pytest

from tests.journeys.glass import Glass

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

PAGE = '<!doctype html><html lang="en"><title>T</title><body><main><h1>T</h1>{}</main></body></html>'


def test_it_sees_what_axe_and_a_narrow_screen_see(glass: Glass) -> None:
    def found(body: str) -> list[str]:
        return glass.faults("http://127.0.0.1/page#part", PAGE.format(body), 1280, 900)

    assert found("<p>Well</p>") == []
    assert [one.partition(":")[0] for one in found('<img src="data:,">')] == ["axe"]
    wide = '<div class="wide"></div><style>.wide { width: 400px; height: 1px }</style>'
    assert found(wide) == ["408 pixels wide on a screen of 320"]
    assert found(wide) == []
