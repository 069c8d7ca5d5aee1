"""Everything that reads what somebody typed: it gives a value or a sentence, and nothing else happens."""

import re
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError
from werkzeug.datastructures import MultiDict

from app.api.asking import cursor_of, errors_of, place_of
from app.api.queries import CasesQuery, ConcernsQuery, HistoryQuery, MentorsQuery, Search
from app.api.reading import ID, NUMBER
from app.commands import BY_KEY, Invalid
from app.forms import why_not_a_value
from app.pages.reading_forms import day_in, read, time_in
from app.roll_file import COLUMNS, RollRefused, read_roll
from app.upn import check_letter, why_not_a_upn
from app.wording import questions
from domain.fact import said_fields
from tests.fuzz.effort import effort
from tests.fuzz.strategies import texts, values

COMMANDS = st.sampled_from(sorted(BY_KEY))
TODAY = date(2026, 9, 14)
GOOD_ROW = "A123456789012,Siân,O'Neill,,2014-02-28,7,7B"
HEADER = ",".join(COLUMNS)
cells = (
    st.sampled_from(["", "7", "7B", "2014-02-28", "Siân", "A", '"', '"a"', '"a,b"', '"a\nb"', "\x00"]) | texts
)


def loaded_or_refused(schema: Schema, said: Any) -> bool:
    """Whether what was said loads, or each complaint is a sentence."""
    try:
        schema.load(said)
    except ValidationError as refused:
        found = errors_of(refused)
        return bool(found) and all(sentence.strip() for part in found.values() for sentence in part)
    return True


@effort(400)
@given(texts | st.binary(max_size=30).map(lambda raw: raw.decode("latin-1")))
def test_a_cursor_is_a_place_or_invalid(cursor: str) -> None:
    for pattern in (NUMBER, ID):
        try:
            place = place_of(cursor, pattern)
        except Invalid:
            place = None
        if place is not None:
            assert re.fullmatch(pattern, place, re.ASCII)
            assert place_of(cursor_of(place), pattern) == place


@effort(400)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(st.lists(cells, min_size=5, max_size=9), max_size=6).map(
            lambda rows: "\n".join([HEADER, *(",".join(row) for row in rows)]).encode(
                "utf-8", "surrogatepass"
            )
        ),
        st.tuples(st.integers(0, 150), st.binary(max_size=4), st.integers(0, 5)).map(
            lambda change: (
                (whole := f"{HEADER}\r\n{GOOD_ROW}\r\n".encode())[: change[0]]
                + change[1]
                + whole[change[0] + change[2] :]
            )
        ),
    )
)
def test_a_roll_is_rows_or_faults_with_their_lines(content: bytes) -> None:
    rows, faults = [], []
    try:
        rows = read_roll(content, TODAY)
    except RollRefused as refused:
        faults = refused.errors
    assert bool(rows) != bool(faults)
    for fault in faults:
        assert re.fullmatch(r"line [1-9][0-9]*: [^\n]+", fault)
    for row in rows:
        assert row.given_name.strip() == row.given_name != ""
        assert row.upn is None or why_not_a_upn(row.upn) is None
        assert date(1990, 1, 1) <= row.born_on <= TODAY


@effort(400)
@given(texts | st.from_regex(r"[A-Z][0-9]{11}[0-9A-Z]", fullmatch=True))
def test_a_upn_is_right_or_wrong_in_words(text: str) -> None:
    wrong = why_not_a_upn(text)
    if wrong is None:
        assert text[0] == check_letter(text[1:])
    else:
        assert wrong
        assert len(text) < 5 or text not in wrong, "a sentence never repeats the number"


@effort(600)
@given(COMMANDS, st.data())
def test_a_body_is_loaded_or_refused_field_by_field(key: str, data: st.DataObject) -> None:
    schema = BY_KEY[key].schema
    names = st.sampled_from(sorted(schema.fields)) | texts
    said = data.draw(values | st.dictionaries(names, values, max_size=8))
    assert loaded_or_refused(schema, said)


@effort(300)
@given(st.sampled_from([CasesQuery, ConcernsQuery, HistoryQuery, MentorsQuery, Search]), st.data())
def test_a_query_is_loaded_or_refused(schema: Any, data: st.DataObject) -> None:
    said = data.draw(st.dictionaries(st.sampled_from(sorted(schema().fields)), texts, max_size=5))
    assert loaded_or_refused(schema(), said)


@effort(600)
@given(COMMANDS, st.data())
def test_a_correction_fits_its_field_or_is_refused_in_words(key: str, data: st.DataObject) -> None:
    fact = BY_KEY[key].fact
    fields = sorted(said_fields(fact))
    if fields:
        wrong = why_not_a_value(fact, data.draw(st.sampled_from(fields)), data.draw(texts))
        assert wrong is None or wrong.strip()


@effort(600)
@given(COMMANDS, st.data())
def test_a_posted_form_is_read_whatever_is_in_it(key: str, data: st.DataObject) -> None:
    doing = BY_KEY[key]
    kinds = {
        asked.name: asked.kind for asked in questions.command(key).questions if asked.name in _said(doing)
    }
    boxes = [f"{name}{part}" for name in kinds for part in ("", "-day", "-month", "-year", "-time")]
    form = MultiDict(data.draw(st.lists(st.tuples(st.sampled_from([*boxes, "other"]), texts), max_size=12)))
    reading = read(doing.fact, kinds, form)
    assert set(reading.said) | set(reading.errors) <= set(kinds)
    assert loaded_or_refused(doing.schema, reading.said)


def _said(doing: Any) -> set[str]:
    return set(said_fields(doing.fact))


@effort(400)
@given(texts, texts, texts, texts)
def test_boxes_are_a_day_and_a_time_or_nothing(day: str, month: str, year: str, at: str) -> None:
    found = day_in({"day": day, "month": month, "year": year})
    assert found is None or found.day == int(day)
    assert time_in(at) is None or re.match(r"\s*\d", at)
