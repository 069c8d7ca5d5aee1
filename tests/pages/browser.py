"""A reader at a browser without JavaScript: opens pages, fills in their forms, presses buttons."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

VOID = {"input", "meta", "link", "br", "hr", "img"}


@dataclass
class FormSeen:
    """A form as it stands on a page."""

    action: str
    method: str
    values: list[tuple[str, str]] = field(default_factory=list)
    offers: set[str] = field(default_factory=set)
    buttons: list[tuple[str, str | None, str | None, str | None]] = field(default_factory=list)


class Page(HTMLParser):
    """One answer, read as a person would."""

    def __init__(self, response: TestResponse, address: str) -> None:
        super().__init__()
        self.response, self.status, self.address = response, response.status_code, address
        # A file that is handed over isn't read.
        self.html = response.get_data(as_text=True) if (response.mimetype or "").startswith("text/") else ""
        self.title = ""
        self.h1: list[str] = []
        self.forms: list[FormSeen] = []
        self.links: dict[str, str] = {}
        self.ids: list[str] = []
        self.inline: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self._link: str | None = None
        self._area: str | None = None
        self._select: str | None = None
        self._text: list[str] = []
        self._button: dict[str, str | None] | None = None
        self.feed(self.html)

    @property
    def text(self) -> str:
        """What can be read on it, in one line."""
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if said.get("id"):
            self.ids.append(said["id"] or "")
        if "style" in said or any(name.startswith("on") for name in said) or tag in ("style", "script"):
            self.inline.append(tag)
        if tag == "form":
            self.forms.append(FormSeen(said.get("action") or "", (said.get("method") or "get").lower()))
        elif tag == "input" and self.forms and said.get("name"):
            form, name = self.forms[-1], said["name"] or ""
            form.offers.add(name)
            if said.get("type") not in ("radio", "checkbox") or "checked" in said:
                form.values.append((name, said.get("value") or ""))
        elif tag in ("textarea", "select"):
            self._area = said.get("name")
            self._text = []
            self._select = None
            if self.forms and self._area:
                self.forms[-1].offers.add(self._area)
        elif tag == "option" and ("selected" in said or self._select is None):
            self._select = said.get("value")
        elif tag == "button":
            self._button, self._text = said, []
        elif tag == "a":
            self._link, self._text = said.get("href"), []
        elif tag in ("h1", "title"):
            self._text = []
        if tag not in VOID:
            self._open.append(tag)

    def handle_data(self, data: str) -> None:
        self._text.append(data)
        if self._open and self._open[-1] not in ("title", "script", "style"):
            self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        text = " ".join("".join(self._text).split())
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if tag == "h1":
            self.h1.append(text)
        elif tag == "title":
            self.title = text
        elif tag == "a" and self._link is not None:
            self.links.setdefault(text, self._link)
            self._link = None
        elif tag == "textarea" and self._area and self.forms:
            typed = "".join(self._text)
            self.forms[-1].values.append((self._area, typed[1:] if typed.startswith("\n") else typed))
            self._area = None
        elif tag == "select" and self._area and self.forms:
            self.forms[-1].values.append((self._area, self._select or ""))
            self._area = None
        elif tag == "button" and self._button is not None and self.forms:
            said = self._button
            self.forms[-1].buttons.append((text, said.get("name"), said.get("value"), said.get("formaction")))
            self._button = None

    def form_with(self, button: str) -> FormSeen:
        """The form that has a button beginning with these words."""
        for form in self.forms:
            if any(text.startswith(button) for text, *_ in form.buttons):
                return form
        raise AssertionError(f"no button “{button}” on {self.address}: {[f.buttons for f in self.forms]}")


class Turns:
    """Whose turn it is. People are slower than the lists: before anybody looks, these show what others sent.

    What a reader sent before looking is not waited for here: showing that is the product's own task.
    """

    def __init__(self, catch_up: Callable[[], None]) -> None:
        self.catch_up = catch_up
        self.sent_last: Browser | None = None

    def looks(self, reader: "Browser") -> None:
        """Somebody is about to look."""
        if self.sent_last not in (None, reader):
            self.catch_up()
            self.sent_last = None


class Browser:
    """One reader's browser."""

    def __init__(self, client: FlaskClient, turns: Turns) -> None:
        self.client, self.turns = client, turns
        self.page: Page | None = None

    def get(self, address: str, status: int = 200) -> Page:
        """Open an address, following redirects."""
        self.turns.looks(self)
        response = self.client.get(address)
        for _ in range(5):
            if response.status_code not in (301, 302, 303, 308):
                break
            address = urljoin(address, response.headers["Location"])
            response = self.client.get(address)
        self.page = Page(response, address)
        assert self.page.status == status, (address, self.page.status, self.page.text[:600])
        return self.page

    def follow(self, text: str) -> Page:
        """Follow a link that begins with these words."""
        assert self.page is not None
        found = next((href for name, href in self.page.links.items() if name.startswith(text)), None)
        assert found, f"no link “{text}” on {self.page.address}: {sorted(self.page.links)}"
        return self.get(urljoin(self.page.address, found))

    def press(
        self,
        button: str,
        status: int = 200,
        page: Page | None = None,
        dates: Mapping[str, Sequence[object]] | None = None,
        **typed: object,
    ) -> Page:
        """Fill in the form with this button and press it: fields by name, a date by its boxes."""
        page = page or self.page
        assert page is not None
        form = page.form_with(button)
        values = list(form.values)
        for name, boxes in (dates or {}).items():
            parts = ("day", "month", "year", "time")
            typed |= {f"{name}-{part}": text for part, text in zip(parts, boxes, strict=False)}
        for name, value in typed.items():
            assert name in form.offers, f"{name} isn't asked on {page.address}: {sorted(form.offers)}"
            values = [(n, v) for n, v in values if n != name]
            values += [(name, str(v)) for v in (value if isinstance(value, list | tuple) else [value])]
        _text, sent, worth, to = next(b for b in form.buttons if b[0].startswith(button))
        if sent:
            values.append((sent, worth or ""))
        address = urljoin(page.address, to or form.action or page.address)
        return self.send(address, values, status)

    def send(self, address: str, values: list[tuple[str, str]], status: int = 200) -> Page:
        """Post a form, following the redirect after it."""
        self.turns.looks(self)
        self.turns.sent_last = self
        response = self.client.post(
            address, data=urlencode(values), content_type="application/x-www-form-urlencoded"
        )
        if response.status_code == 303:
            return self.get(urljoin(address, response.headers["Location"]), status)
        self.page = Page(response, address)
        assert self.page.status == status, (address, self.page.status, self.page.text[:900])
        return self.page
