"""Plays the browser and its person, for the clients that are written in Python (`node/browser.mjs` is its twin).

It knows the server's pages only as a person does: by their forms.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import httpx2

from tests.conftest import PASSWORD

LONGEST_WAY = 12


class Browser:
    """Keeps cookies, follows redirects, signs in, and allows what an app asks for.

    :param server: where it fills in each form that it meets.
    :param visited: apps that it really visits; the first request to any other origin is what an app would get.
    """

    def __init__(self, server: str, *visited: str, language: str = "en") -> None:
        self._person = {"username": "demo", "password": PASSWORD}
        self._server, self._visited = server, visited
        headers = {"Accept": "text/html", "Accept-Language": language}
        self._http = httpx2.Client(headers=headers, trust_env=False)
        self._cookies: dict[str, str] = {}
        self.places: list[str] = []
        self.pages: list[str] = []
        self.page = ""

    def open(self, url: str) -> str:
        """Go to an address, and answer where the way ends: at an app, or on a page of the server without a form."""
        return self._follow(self._http.build_request("GET", url))

    def press(self) -> str:
        """Send the form of the page that is open."""
        return self._follow(self._filled_in(next(Forms.on(self.page)), httpx2.URL(self.places[-1])))

    def _follow(self, request: httpx2.Request) -> str:
        for _ in range(LONGEST_WAY):
            self.places.append(str(request.url))
            if origin(request.url) not in (self._server, *self._visited):
                return str(request.url)
            following = self._after(request)
            if following is None:
                return str(request.url)
            request = following
        raise AssertionError(f"the browser goes in circles: {self.pages}")

    def _after(self, request: httpx2.Request) -> httpx2.Request | None:
        answer = self._sent(request)
        self.pages.append(f"{answer.status_code} {request.method} {request.url.path}")
        if answer.is_redirect:
            return self._http.build_request("GET", urljoin(str(request.url), answer.headers["location"]))
        assert answer.status_code == 200, f"{self.pages[-1]}: {answer.text}"
        self.page = answer.text
        form = next(Forms.on(answer.text), None) if origin(request.url) == self._server else None
        return self._filled_in(form, request.url) if form else None

    def _sent(self, request: httpx2.Request) -> httpx2.Response:
        """With the cookies; a browser keeps `Secure` ones for loopback too, where httpx2 would not."""
        request.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        answer = self._http.send(request)
        for line in answer.headers.get_list("set-cookie"):
            self._keep(line)
        return answer

    def _keep(self, line: str) -> None:
        pair, *attributes = (part.strip() for part in line.split(";"))
        name, _, value = pair.partition("=")
        self._cookies[name] = value
        if any(attribute.lower() == "max-age=0" for attribute in attributes):
            del self._cookies[name]

    def _filled_in(self, form: "Form", page: httpx2.URL) -> httpx2.Request:
        fields = {name: self._person.get(name, value) for name, value in form.fields.items()}
        action = urljoin(str(page), form.action)
        return self._http.build_request("POST", action, data=fields, headers={"Origin": origin(page)})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()


@dataclass
class Form:
    """Where a form is sent, and what is in it; of two buttons with one name the first is pressed."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Forms(HTMLParser):
    """The forms of a page that are sent by POST."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    @classmethod
    def on(cls, page: str) -> Iterator[Form]:
        reader = cls()
        reader.feed(page)
        return iter(reader.found)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form" and told.get("method") == "post":
            self.found.append(Form(told["action"]))
        elif tag in {"input", "button"} and self.found and "name" in told:
            self.found[-1].fields.setdefault(told["name"], told.get("value", ""))


def origin(url: httpx2.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode()}"
