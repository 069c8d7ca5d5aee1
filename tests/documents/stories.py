"""Stories for papers: everything that one may have to tell, made by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.documents.story import Correction, Dispute, Entry, Known, Look, Story, Subject

THEN: Final = datetime(2026, 3, 4, 14, 1, tzinfo=UTC)
PRICE: Final = "Ms Price, coordinator"
CASE: Final = UUID("7c9e6679-7425-40de-944b-e07fc1f90ae7")

REFERRED: Final = Entry(
    index=12,
    version=1,
    recorded_at=THEN,
    happened_on=date(2026, 3, 1),
    recorded_by=PRICE,
    sentence="Mentoring referral by a teacher, Mr Okafor.",
    fields=(("In their words", "Often alone.\nSits by the wall."),),
    corrections=(Correction("Referred by", "Mr Okafor", "Mrs Okafor", "Wrong title", PRICE, THEN),),
    late=True,
)
MATCHED: Final = Entry(
    index=14,
    version=2,
    recorded_at=THEN + timedelta(days=1),
    happened_on=date(2026, 3, 5),
    recorded_by=PRICE,
    sentence="Matched with Peer mentor 3F2A01.",
    fields=(("Reason", "Both like chess."),),
    disputes=(Dispute("I never said so.", "Ruby Clarke, peer mentor", THEN + timedelta(days=2)),),
)
GONE: Final = Entry(
    index=15,
    version=3,
    recorded_at=THEN + timedelta(days=1, hours=1),
    happened_on=date(2026, 3, 5),
    recorded_by="Ms Hughes, Designated Safeguarding Lead",
    sentence="(erased)",
    erased=True,
)


def a_story(**other: Any) -> Story:
    """A pack of one case, with other parts where given."""
    subject = Subject("case", CASE, "Case of Pupil 7C9E66", (REFERRED, MATCHED, GONE))
    passing = Look(THEN, "Mr Bevan", "deputy", "A line in lists", subject.title, "", 41, THEN + timedelta(60))
    story = Story(
        made_by="Ms Hughes, Designated Safeguarding Lead",
        for_whom="Mrs Lloyd, inspector",
        why="Inspection of 3 November 2026",
        made_at=THEN + timedelta(days=200),
        origin="casebook.example/school",
        size=12_408,
        checkpoint_at=THEN + timedelta(days=199),
        school="Ysgol Example",
        lead_title="Designated Safeguarding Lead",
        subjects=(subject,),
        looks=(Look(THEN, "Ms Price", "coordinator", "The case", subject.title, "Review"), passing),
        people=(Known(UUID(int=5), "Ms Price", "coordinator"),),
        left_out=("Names and dates of birth.",),
    )
    return replace(story, **other)


def saying(text: str) -> Story:
    """A story in which every place where people's words stand holds this text."""
    entry = replace(
        REFERRED,
        sentence=text,
        fields=(("In their words", text),),
        corrections=(Correction("Referred by", text, text, text, text, THEN),),
        disputes=(Dispute(text, text, THEN),),
        recorded_by=text,
    )
    return a_story(
        subjects=(Subject("case", CASE, f"Case of {text}", (entry,)),),
        for_whom=text,
        why=text,
        school=text,
        looks=(Look(THEN, text, text, text, text, text),),
        people=(Known(CASE, text, text),),
    )
