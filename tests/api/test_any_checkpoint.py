"""Whatever is asked about checkpoints or brought as a signature: an answer in words, and nothing changed."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api import checkpoints
from app.proof.anchor import Anchor
from app.proof.checkpoints import CheckpointFile
from app.settings import Settings
from tests.api.conftest import School
from tests.api.test_any_request import is_in_order
from tests.api.test_checkpoints import KEY, WITNESS, cosigned, three_checkpoints
from tests.conftest import ORIGIN
from tests.fuzz.effort import effort
from tests.fuzz.strategies import bodies, texts
from tests.fuzz.test_notes import lines

PARTS = {"/latest": ["log"], "": ["log", "limit", "cursor"], "/proof": ["log", "from", "to"]}
likely = st.sampled_from(["events", "reads", "1", "2", "3", "999999999999999999"])


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A school that lists one witness."""
    return replace(settings, witness_keys=f"{WITNESS.verifier_key.timed}\n")


@pytest.fixture
def signed(school: School, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> School:
    """A school with checkpoints, where one account may bring any number of signatures."""
    three_checkpoints(
        school, Anchor(settings.database_url, ORIGIN, KEY, CheckpointFile(tmp_path / "checkpoints.txt"))
    )
    monkeypatch.setattr(checkpoints, "SIGNATURES", replace(checkpoints.SIGNATURES, times=10**6))
    return school


@effort(100)
@given(st.sampled_from(sorted(PARTS)), st.data())
def test_any_query_about_checkpoints(signed: School, which: str, data: st.DataObject) -> None:
    names = st.sampled_from(PARTS[which]) | texts
    asked = data.draw(st.lists(st.tuples(names, likely | texts), max_size=4))
    query = "&".join(
        f"{quote(name, errors='replace')}={quote(value, errors='replace')}" for name, value in asked
    )
    answer = signed.get(
        f"/checkpoints{which}?{query}", data.draw(st.sampled_from(["dsl", "referrer", "admin"]))
    )
    assert answer.status_code in (200, 404, 422)
    assert is_in_order(answer)


@effort(150)
@given(st.data())
def test_any_signature_is_refused_and_changes_nothing(signed: School, data: st.DataObject) -> None:
    before = signed.get("/checkpoints/latest?log=events").get_data(as_text=True)
    good, at = cosigned(before), data.draw(st.integers(0, len(before)))
    altered = texts.map(lambda piece: good[:at] + piece + good[at + len(piece) + 1 :])
    note = st.one_of(
        texts,
        lines.map("\n".join),
        lines.map(lambda more: "\n".join([before.partition("\n\n")[0], "", *more, ""])),
        altered.filter(lambda said: said != good),
    )
    sent = data.draw(bodies(["note"]) | note.map(lambda said: json.dumps({"note": said}).encode()))
    answer = signed.call("POST", "/checkpoints/cosignatures", "inspector", raw=sent)
    assert answer.status_code in (400, 409, 422), answer.get_data(as_text=True)
    assert is_in_order(answer)
    assert signed.get("/checkpoints/latest?log=events").get_data(as_text=True) == before
