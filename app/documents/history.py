"""The history in an evidence pack: a page and a paper for reading."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from app.documents.paper import PAPERS, pdf
from app.documents.story import Story
from app.documents.words import in_words
from app.wording.common import _

SKIP: Final = _("Skip to the history")
FACTS: Final = _("The entries, sealed as they are stored, one a line: the same file as in the pack.")
KEYS: Final = _("The keys of the entries that this pack opens: the same file as in the pack.")


def history_html(story: Story) -> bytes:
    """The history as one page that needs nothing from elsewhere and runs no script."""
    template, css = _page()
    digest = b64encode(sha256(css.encode()).digest()).decode()
    made = template.render(said=in_words(story), css=css, digest=digest, skip=SKIP)
    return made.encode()


def history_pdf(story: Story, events_jsonl: bytes, keys_json: bytes) -> bytes:
    """The same as PDF/A-3a and PDF/UA-1, with the two files for programs attached."""
    attached = [
        ("events.jsonl", "application/jsonl", events_jsonl.decode(), FACTS),
        ("keys.json", "application/json", keys_json.decode(), KEYS),
    ]
    return pdf("history.typ", {**in_words(story), "attached": attached})


@cache
def _page() -> tuple[Template, str]:
    surroundings = Environment(
        loader=FileSystemLoader(PAPERS), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return surroundings.get_template("history.html"), (PAPERS / "history.css").read_text("utf-8")
