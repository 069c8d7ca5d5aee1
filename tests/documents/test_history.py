"""The history in a pack: a page and a paper for reading, safe to open, the same bytes each time."""

import os
import re
import subprocess
import sys
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from app.documents.history import history_html, history_pdf
from app.documents.readme import readme_txt
from app.documents.words import visible
from app.wording.proof import FOR_READING, PROMISE
from tests.documents.reading import check_archive, text_of
from tests.documents.stories import a_story, saying
from tests.journeys.glass import Glass

EVENTS = b'{"index":12}\n{"index":14}\n'
KEYS = b'{"7c9e6679-7425-40de-944b-e07fc1f90ae7/1":"AAAA"}\n'
HOSTILE = "<script>alert(1)</script> &lt; \"' {{ 7*7 }} #panic() $x$ [*b*] \\n `r` @a <a href='//x'>"
"""What would do something if any layout took it for its own."""
TOLD = (
    "Inspection of 3 November 2026",
    "Mrs Lloyd, inspector",
    "the first 12,408 entries of the record “casebook.example/school”",
    "19 September 2026, 3:01pm",
    "Mentoring referral by a teacher, Mr Okafor.",
    "Recorded late",
    "Mrs Okafor",
    "Corrected 4 March 2026, 2:01pm by Ms Price, coordinator: Wrong title",
    "Recorded 4 March 2026, 2:01pm by Ms Price, coordinator · happened 1 March · fact 12, version 1",
    "Both like chess.",
    "I never said so.",
    "Disputed 6 March 2026, 2:01pm by Ruby Clarke, peer mentor",
    "(erased)",
    "The case: Case of Pupil 7C9E66",
    "4 March 2026 to 3 May 2026, 41 times",
    "00000000-0000-0000-0000-000000000005",
    "Names and dates of birth.",
    PROMISE,
    FOR_READING,
)


def words_in(html: bytes) -> str:
    """What can be read on a page, in one line."""
    text = re.sub("<style>.*?</style>|<[^>]+>", "", html.decode(), flags=re.DOTALL)
    for name, character in (
        ("quot", '"'),
        ("#34", '"'),
        ("#39", "'"),
        ("lt", "<"),
        ("gt", ">"),
        ("amp", "&"),
    ):
        text = text.replace(f"&{name};", character)
    return " ".join(text.split())


def test_page_and_paper_tell_the_whole_story() -> None:
    on_page = words_in(history_html(a_story()))
    on_paper = text_of(history_pdf(a_story(), EVENTS, KEYS))

    assert [told for told in TOLD if told not in on_page] == []
    # Lines break where the paper ends, in an id at its hyphens.
    closed = re.sub(r"\W", "", on_paper)
    assert [told for told in TOLD if re.sub(r"\W", "", told) not in closed] == []


def test_old_words_stand_struck_through_beside_the_new_ones() -> None:
    page = history_html(a_story()).decode()

    assert "<del>Mr Okafor</del>" in page
    assert "<ins>Mrs Okafor</ins>" in page


def test_nothing_that_people_wrote_becomes_part_of_the_page() -> None:
    page = history_html(saying(HOSTILE))

    assert HOSTILE in words_in(page)
    tags = set(re.findall(r"<(/?[a-z0-9]+)", page.decode()))
    assert tags == set(re.findall(r"<(/?[a-z0-9]+)", history_html(saying("harmless")).decode()))


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    page = history_html(a_story()).decode()

    assert re.findall(r'(?:src|href|action)="(?!#)[^"]*"|@import|url\(|<script|<form|\son\w+=', page) == []


def test_the_page_is_drawn_under_its_own_policy(browser: Browser) -> None:
    window = browser.new_page(java_script_enabled=True)
    said: list[str] = []
    window.on("console", lambda message: said.append(message.text))
    window.route("http://pack.test/", lambda route: route.fulfill(body=history_html(a_story())))
    window.goto("http://pack.test/")
    try:
        # A style sheet that the policy doesn't let in would leave the body as wide as the window.
        width = window.evaluate("document.body.getBoundingClientRect().width")
        assert width <= 800
        assert said == []
    finally:
        window.close()


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_the_page_has_no_fault_that_axe_finds(glass: Glass, width: int, height: int) -> None:
    for story in (a_story(demo=True), saying("a" * 300), a_story(subjects=(), looks=())):
        html = history_html(story).decode()
        assert glass.faults("http://pack.test/", html, width, height) == []


def test_the_paper_is_for_archives_and_screen_readers_and_holds_both_files() -> None:
    opened = check_archive(history_pdf(a_story(), EVENTS, KEYS))

    attached = {name: found.get_file().read_bytes() for name, found in opened.attachments.items()}
    assert attached == {"events.jsonl": EVENTS, "keys.json": KEYS}
    with opened.open_metadata() as metadata:
        assert str(metadata["xmp:CreateDate"]).startswith("2026-09-20T15:01:00")


def test_made_again_elsewhere_they_are_the_same_bytes() -> None:
    program = (
        "from hashlib import sha256\n"
        "from app.documents.history import history_html, history_pdf\n"
        "from app.documents.readme import readme_txt\n"
        "from tests.documents.stories import a_story\n"
        "from tests.documents.test_history import EVENTS, KEYS\n"
        "s = a_story()\n"
        "for one in history_html(s), history_pdf(s, EVENTS, KEYS), readme_txt(s):\n"
        "    print(sha256(one).hexdigest())\n"
    )
    surroundings = {**os.environ, "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    there = subprocess.run(
        [sys.executable, "-c", program], env=surroundings, capture_output=True, text=True, check=True
    )

    story = a_story()
    here = (history_html(story), history_pdf(story, EVENTS, KEYS), readme_txt(story))
    assert there.stdout.split() == [sha256(one).hexdigest() for one in here]


def test_what_no_font_has_stands_as_its_number() -> None:
    pdf = history_pdf(saying("Sad \U0001f622 and 世 and Siân, ŵy, Łukasz, ά, ж"), EVENTS, KEYS)

    told = text_of(pdf)
    assert "Sad [U+1F622] and [U+4E16] and Siân, ŵy, Łukasz, ά, ж" in told
    check_archive(pdf)


def test_what_would_reorder_or_hide_text_is_shown() -> None:
    assert visible("safe\u202eefas\x07\u2066") == "safe[U+202E]efas[U+0007][U+2066]"
    assert visible("one\r\ntwo\rthree\tfour") == "one\ntwo\nthree\tfour"
    assert "[U+202E]" in words_in(history_html(saying("x\u202ey")))


@settings(max_examples=12, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_whatever_people_wrote_there_is_a_page_and_a_paper(text: str) -> None:
    assert history_pdf(saying(text), EVENTS, KEYS).startswith(b"%PDF-")
    assert " ".join(visible(text).split()) in words_in(history_html(saying(text)))


def test_the_text_beside_them_says_what_is_proven_and_how_to_check() -> None:
    text = readme_txt(a_story()).decode()

    assert f"\n{PROMISE}\n" in text
    assert "casebook verify-pack pack.zip --log-key LOG-KEY --show" in text
    assert "check/bin/python verifier.py pack.zip --log-key LOG-KEY --show" in text
    assert "--checkpoint checkpoint.txt" in text
    assert max(len(line) for line in text.replace(PROMISE, "").splitlines()) <= 92
    assert not re.search("tamper", text + history_html(a_story()).decode(), re.IGNORECASE)


def test_what_a_demo_tells_is_evidence_of_nothing() -> None:
    story = a_story(demo=True)

    assert "It is evidence of nothing." in words_in(history_html(story))
    assert "It is evidence of nothing." in readme_txt(story).decode()
    assert "It is evidence of nothing." in text_of(history_pdf(story, EVENTS, KEYS))
