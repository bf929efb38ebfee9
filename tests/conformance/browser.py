"""A browser with a person in front of it: follows redirects, signs in and allows where a page asks for that.

It stops where a certification suite would look: at the app that it was sent to, and at a page that asks for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx2

from tests.conftest import PASSWORD
from tests.visitor import Visitor

PAGE = {"Accept": "text/html"}
MOST_STEPS = 12
METHODS = {302: "GET", 303: "GET"}  # 307 would post a password again: RFC 9700 §4.12


@dataclass(frozen=True)
class Arrival:
    """What a browser brings to an app. `query` and `body` as they are on the wire."""

    method: str
    place: str
    query: str
    body: str = ""

    @property
    def fields(self) -> dict[str, str]:
        """What was sent, each parameter once, from the place where this method has its parameters."""
        pairs = parse_qsl(
            self.query if self.method == "GET" else self.body, keep_blank_values=True, strict_parsing=True
        )
        assert len(dict(pairs)) == len(pairs), pairs
        return dict(pairs)


@dataclass
class Form:
    """A form of a page. A button is a field of the form when it is the one that was pressed."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Reader(HTMLParser):
    """Finds what a browser would act on: forms, links, frames, the language."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.frames: list[str] = []
        self.links: list[str] = []
        self.language = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            assert has["method"] == "post"
            self.forms.append(Form(has["action"]))
        elif tag == "input":
            self.forms[-1].fields[has["name"]] = has.get("value", "")
        elif tag == "button" and "name" in has:
            self.forms[-1].buttons.append((has["name"], has["value"]))
        elif tag == "a":
            self.links.append(has["href"])
        elif tag == "iframe":
            self.frames.append(has["src"])
        elif tag == "html":
            self.language = has["lang"]


@dataclass
class Browser:
    """`pages`: which of our pages asked the person for something, in order."""

    visitor: Visitor
    allows: bool = True
    signs_in: bool = True
    pages: list[Form] = field(default_factory=list)
    last: httpx2.Response = field(default_factory=lambda: httpx2.Response(204))

    @property
    def asked_for(self) -> list[str]:
        return [form.action for form in self.pages]

    def open(self, url: str, parameters: Mapping[str, str] | None = None) -> Arrival | httpx2.Response:
        return self.follow(self.visitor.get(url, params=parameters, headers=PAGE))

    def post_from_another_site(self, url: str, fields: Mapping[str, str]) -> Arrival | httpx2.Response:
        """Without the cookie: it is SameSite=Lax. What comes back is followed with it."""
        jar, self.visitor.http.cookies = self.visitor.http.cookies, httpx2.Cookies()
        answer = self.visitor.post(url, data=fields, headers={**PAGE, "Origin": "https://rp.example"})
        self.visitor.http.cookies = jar
        return self.follow(answer)

    def follow(self, answer: httpx2.Response) -> Arrival | httpx2.Response:
        """Go on from an answer to an app, or to a page that there is nothing to do on."""
        for _ in range(MOST_STEPS):
            self.last = answer
            if answer.status_code in METHODS:
                target = urljoin(str(answer.url), answer.headers["location"])
                if not self._is_ours(target):
                    return _arrival("GET", target)
                answer = self.visitor.get(target, headers=PAGE)
                continue
            assert not 300 <= answer.status_code < 400, answer.status_code
            form = self._form(answer)
            if form is None:
                return answer
            if not self._is_ours(urljoin(str(answer.url), form.action)):
                return _arrival("POST", form.action, urlencode(form.fields))
            answer = self.submit(form)
        raise AssertionError("sent round in a circle")

    def is_refused(self, where: Arrival | httpx2.Response) -> bool:
        """Whether it stands before a page that says what is wrong, and leads nowhere."""
        return isinstance(where, httpx2.Response) and where.status_code == 400 and self.stays(where)

    def stays(self, page: httpx2.Response) -> bool:
        """Whether nothing on a page leads to another site."""
        read = Reader(page.text)
        targets = [*read.links, *read.frames, *(form.action for form in read.forms)]
        return all(self._is_ours(urljoin(str(page.url), target)) for target in targets) and not {
            "location",
            "refresh",
        } & set(page.headers)

    def submit(self, form: Form) -> httpx2.Response:
        """Send a form of a page of ours, as it is."""
        headers = {**PAGE, "Origin": self.visitor.origin}
        return self.visitor.post(form.action, data=form.fields, headers=headers)

    def _form(self, answer: httpx2.Response) -> Form | None:
        """The form of a page, filled in; None where the person would stop and read."""
        if not answer.headers.get("content-type", "").startswith("text/html"):
            return None
        forms = Reader(answer.text).forms
        form = forms[0] if len(forms) == 1 else None
        if form is None or not self._is_ours(urljoin(str(answer.url), form.action)):
            return form
        self.pages.append(form)
        if form.action == "/login" and self.signs_in:
            form.fields |= {"username": "alice", "password": PASSWORD}
        elif form.action == "/consent":
            form.fields |= [button for button in form.buttons if (button[1] == "allow") is self.allows]
        else:
            return None
        return form

    def _is_ours(self, url: str) -> bool:
        return url.startswith(f"{self.visitor.origin}/")


def _arrival(method: str, target: str, body: str = "") -> Arrival:
    place = urlsplit(target)
    assert not place.fragment
    return Arrival(method, f"{place.scheme}://{place.netloc}{place.path}", place.query, body)
