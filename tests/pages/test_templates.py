import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

from authserver.pages.round_trips import Trouble
from authserver.web.localization import LOCALES, NAMES, Catalogs
from authserver.web.signed_out import Onward
from authserver.web.templating import Templates

PAGES = Path(__file__).parents[2] / "authserver" / "pages"
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} %(x)s"
WHEN = datetime(2025, 11, 23, 5, 33, tzinfo=UTC)
NATIVE = frozenset({"Northwind", "English", "Chrome", "Windows", "UTC"})

TEMPLATES = Templates(
    PAGES / "templates",
    Catalogs.load(PAGES / "locale"),
    product_name="Northwind",
    static="/static",
    version="1",
)


def session(identifier: str, *, current: bool, text: str | None = None) -> dict[str, Any]:
    seen = {"browser": text or "Chrome", "system": text or "Windows", "address": text or "203.0.113.7"}
    return {"id": identifier, "current": current, "started_at": WHEN, "last_seen_at": WHEN, **seen}


def app(text: str) -> dict[str, Any]:
    return {"client_id": "a?b", "name": text, "scopes": (text, text), "given_at": WHEN}


def contexts(text: str, token: str = "t0ken") -> dict[str, tuple[str, dict[str, Any]]]:
    """Each page in each of its states; `text` stands wherever words come from outside the template."""
    sessions = [session("a", current=True, text=text), session("b?c", current=False, text=text)]
    errors = {"current_password": text, "new_password": text}
    return {
        "login": (
            "login.html",
            {
                "form_token": token,
                "return_to": None,
                "username": "",
                "error": None,
                "lost": False,
                "app_name": None,
            },
        ),
        "login without a way back": (
            "login.html",
            {
                "form_token": token,
                "return_to": None,
                "username": "",
                "error": None,
                "lost": True,
                "app_name": None,
            },
        ),
        "login failed": (
            "login.html",
            {
                "form_token": token,
                "return_to": text,
                "username": text,
                "error": text,
                "lost": False,
                "app_name": text,
            },
        ),
        "account": (
            "account.html",
            {
                "form_token": token,
                "username": text,
                "roles": [text],
                "notice": text,
                "sessions": sessions,
                "apps": [app(text)],
            },
        ),
        "password": (
            "password.html",
            {"form_token": token, "username": text, "errors": {}, "minimum_length": 12},
        ),
        "password failed": (
            "password.html",
            {"form_token": token, "username": text, "errors": errors, "minimum_length": 12},
        ),
        "consent": (
            "consent.html",
            {
                "form_token": token,
                "client_id": text,
                "request_uri": text,
                "app_name": text,
                "app_host": text,
                "policy_uri": f"/{text}",
                "tos_uri": None,
                "scopes": ["openid", "offline_access", text],
                "name": text,
            },
        ),
        "device": ("device.html", {"form_token": token, "user_code": text, "error": None}),
        "device unknown": ("device.html", {"form_token": token, "user_code": "", "error": text}),
        "device asks": (
            "device_confirm.html",
            {
                "form_token": token,
                "user_code": text,
                "app_name": text,
                "name": text,
                "scopes": ["openid", "offline_access", text],
                "browser": text,
                "system": text,
                "address": text,
                "asked_at": WHEN,
                "elsewhere": True,
                "policy_uri": f"/{text}",
                "tos_uri": None,
            },
        ),
        "device connected": ("device_done.html", {"allowed": True}),
        "device refused": ("device_done.html", {"allowed": False}),
        "signed out": ("signed_out.html", {"everywhere": False, "frames": (), "onward": None}),
        "signed out everywhere": ("signed_out.html", {"everywhere": True, "frames": (), "onward": None}),
        "signed out by an app": (
            "signed_out.html",
            {"everywhere": False, "frames": (), "onward": Onward(text, f"/{text}", at_once=True)},
        ),
        "asked to sign out": (
            "end_session.html",
            {"form_token": token, "action": "/", "fields": {"state": text}, "name": text, "app_name": text},
        ),
        "stopped by a second cookie": (
            "stopped.html",
            {"trouble": Trouble.TWICE, "target": f"/{text}", "app": text, "site": text},
        ),
        "stopped by a long token": ("stopped.html", {"trouble": Trouble.TOO_LONG}),
        "stopped on the way from another site": (
            "stopped.html",
            {"trouble": Trouble.FROM_ELSEWHERE, "target": f"/{text}", "app": text},
        ),
        "stopped after going round": (
            "stopped.html",
            {"trouble": Trouble.ROUND, "target": f"/{text}", "app": text, "site": text},
        ),
        "error": ("error.html", {"status": 503, "title": text, "description": text, "retry_after": 5}),
        "error without end": (
            "error.html",
            {"status": 404, "title": text, "description": text, "retry_after": None},
        ),
    }


class Page(HTMLParser):
    """A rendered page as a list of elements (tag, attributes) and its text."""

    def __init__(self, state: str, locale: str = "en", text: str = "문구", **changes: object) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        template, context = contexts(text)[state]
        links = [
            {"locale": tag, "name": NAMES[tag], "href": f"?ui_locales={tag}", "current": tag == locale}
            for tag in NAMES
        ]
        html = TEMPLATES.render(
            template, locale, **{"logo_url": None, "locale_links": links, **context, **changes}
        )
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        return [found for name, found in self.elements if name == tag and attributes.items() <= found.items()]

    def one(self, tag: str, **attributes: str) -> dict[str, str]:
        (found,) = self.all(tag, **attributes)
        return found


every_page = pytest.mark.parametrize("state", contexts(""))
every_locale = pytest.mark.parametrize("locale", LOCALES)


@every_page
@every_locale
def test_page_works_under_a_policy_without_inline_code_or_foreign_origins(state: str, locale: str) -> None:
    for tag, attributes in Page(state, locale).elements:
        assert tag not in {"script", "style", "base", "iframe", "object", "embed"}
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        for name in ("href", "src", "action"):
            assert re.match(r"[/?#](?!/)", attributes.get(name, "/"))


@every_page
@every_locale
def test_words_from_outside_never_become_markup(state: str, locale: str) -> None:
    hostile, harmless = Page(state, locale, HOSTILE), Page(state, locale, "x")
    names = [[(tag, sorted(attributes)) for tag, attributes in page.elements] for page in (hostile, harmless)]
    assert names[0] == names[1]
    assert "49" not in hostile.text


@every_page
@every_locale
def test_page_has_landmarks_one_heading_a_language_and_a_title(state: str, locale: str) -> None:
    page = Page(state, locale)
    assert page.one("html") == {"lang": locale, "dir": "ltr"}
    for tag in ("header", "main", "footer", "h1", "title"):
        page.one(tag)
    assert page.one("nav")["aria-label"]
    assert page.one("a", **{"aria-current": "true"})["lang"] == locale


@every_page
def test_every_field_has_a_label_and_every_reference_leads_somewhere(state: str) -> None:
    page = Page(state)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("aria-describedby", "aria-labelledby", "for"):
            assert set(attributes.get(name, "").split()) <= set(ids)
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in ids
    visible = {field["id"] for field in page.all("input") if field.get("type") != "hidden"}
    assert visible == {label["for"] for label in page.all("label")}


@every_page
def test_every_form_posts_and_carries_the_form_token(state: str) -> None:
    page = Page(state)
    forms = page.all("form")
    assert all(form["method"] == "post" and form["action"].startswith("/") for form in forms)
    assert len(page.all("input", type="hidden", name="form_token", value="t0ken")) == len(forms)
    assert len(page.all("button", type="submit")) == len(page.all("button")) >= len(forms)


@every_page
def test_a_korean_page_speaks_korean(state: str) -> None:
    assert set(re.findall(r"[A-Za-z]{2,}", Page(state, "ko").text)) <= NATIVE


@every_page
def test_a_password_never_comes_back_in_the_page(state: str) -> None:
    assert not [field for field in Page(state).all("input", type="password") if "value" in field]


@every_page
def test_page_fails_loudly_when_it_is_not_given_what_it_needs(state: str) -> None:
    template, context = contexts("x")[state]
    for name in context:
        incomplete = {key: value for key, value in context.items() if key != name}
        with pytest.raises(UndefinedError):
            TEMPLATES.render(template, "en", logo_url=None, locale_links=[], **incomplete)


def test_login_serves_password_managers_and_phones() -> None:
    page = Page("login")
    assert page.one("form")["action"] == "/login"
    assert page.one("input", name="username")["autocomplete"] == "username"
    assert page.one("input", name="password")["autocomplete"] == "current-password"
    for name in ("username", "password"):
        assert page.one("input", name=name, autocapitalize="none", spellcheck="false")


def test_login_starts_at_the_user_name_and_after_a_failure_at_the_password() -> None:
    assert page_focus(Page("login")) == ["username"]
    assert page_focus(Page("login failed")) == ["password"]


def page_focus(page: Page) -> list[str]:
    return [attributes["id"] for _, attributes in page.elements if "autofocus" in attributes]


def test_login_failure_is_announced_and_tied_to_the_fields() -> None:
    page = Page("login failed")
    assert page.one("div", role="alert")["tabindex"] == "-1"
    assert len(page.all("input", **{"aria-describedby": "error"})) == 2
    assert page.one("input", type="hidden", name="return_to")["value"] == "문구"
    assert page.text.split("<")[0].strip().startswith("Error: ")


def test_login_without_a_target_sends_none() -> None:
    assert not Page("login").all("input", name="return_to")


def test_password_page_shows_managers_the_account_but_does_not_send_it() -> None:
    page = Page("password")
    field = page.one("input", id="username", autocomplete="username")
    assert "name" not in field
    assert "readonly" in field
    assert page.one("input", name="current_password")["autocomplete"] == "current-password"
    assert page.one("input", name="new_password")["autocomplete"] == "new-password"
    assert page_focus(page) == ["current_password"]


def test_password_errors_stand_at_their_fields_and_in_the_summary() -> None:
    page = Page("password failed", errors={"new_password": "too short"})
    field = page.one("input", id="new_password")
    assert field["aria-describedby"].split() == ["new_password-error"]
    assert field["aria-invalid"] == "true"
    assert "aria-invalid" not in page.one("input", id="current_password")
    assert page.one("div", role="alert")
    assert page.one("a", href="#new_password")
    assert page_focus(page) == ["new_password"]
    assert page.text.count("too short") == 2


def test_account_page_ends_other_sessions_and_signs_out_here_and_everywhere() -> None:
    page = Page("account")
    assert [form["action"] for form in page.all("form")] == [
        "/account/sessions/b%3Fc/end",
        "/account/apps/a%3Fb/disconnect",
        "/logout",
        "/logout",
    ]
    assert page.one("button", **{"aria-describedby": "session-2"})
    assert page.one("input", type="hidden", name="everywhere")["value"] == "true"
    assert page.one("a", href="/account/password")
    assert page.one("div", role="status")


@pytest.mark.parametrize(
    ("browser", "system", "name"),
    [
        ("Chrome", "Windows", "Chrome on Windows"),
        ("curl", None, "curl"),
        (None, "iOS", "iOS"),
        (None, None, "Unknown device"),
    ],
)
def test_a_session_is_called_what_is_known_of_it(browser: str | None, system: str | None, name: str) -> None:
    known = {**session("a", current=True), "browser": browser, "system": system}
    assert f"\n{name} This device\n" in Page("account", sessions=[known]).text


def test_a_logo_takes_the_place_of_the_name_and_says_it() -> None:
    assert Page("login", logo_url="/logo.svg").one("img") == {
        "src": "/logo.svg",
        "alt": "Northwind",
        "referrerpolicy": "no-referrer",
    }


def test_the_wait_is_said_in_words_and_only_when_known() -> None:
    assert "try again in 1 second." in Page("error", retry_after=1).text
    assert "try again in 5 seconds." in Page("error").text
    assert "try again" not in Page("error without end").text
