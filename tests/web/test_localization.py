import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import PoFileError, read_po
from hypothesis import given
from hypothesis import strategies as st

from authserver.web.localization import DIRECTIONS, LOCALES, LONGEST_LIST, NAMES, Catalogs, negotiate
from authserver.web.templating import DATE_PATTERN, MONTHS

PAGES = Path(__file__).parents[2] / "authserver" / "pages"
LOCALE = PAGES / "locale"
PLACEHOLDER = re.compile(r"%\([a-z_]+\)s")
HANGUL = re.compile(r"[가-힣]")

SAID_BY_ENDPOINTS = (
    "The app was disconnected.",
    "This app cannot sign you in",
    "This app is not registered here.",
    "The address that this app wants you to be sent to is not registered.",
    "This sign-in was open for too long, or was finished already. Start again in the app.",
    "Signed in",
    "Sign-in failed",
    "The user name or password is wrong.",
    "Too many attempts. Try again in %(seconds)s seconds.",
    "This page was open for too long or was sent from another site. Please try again.",
    "Signed out",
    "Signed out everywhere",
    "You are not signed in.",
    "The password was changed. Other devices were signed out.",
    "The session was ended.",
    "The service is busy. Please try again in a moment.",
    "The service cannot reach its database. Please try again in a moment.",
    "The password needs at least %(minimum)s characters.",
    "The password may have at most %(maximum)s characters.",
    "This password is too easy to guess: it is on lists that attackers try first.",
    "The password must not contain your user name or the name of this service.",
    "The password contains characters that cannot be typed again reliably.",
    "The current password is wrong.",
    "The new password must differ from the current one.",
    "Session refreshed",
    "The request is not valid JSON.",
    "Something went wrong on our side.",
    "Page not found",
    "No device waits with this code. Look at it again: a code is good for ten minutes, and for one device.",
    "Welcome, %(name)s",
)


@pytest.mark.parametrize(
    ("ui_locales", "accept_language", "locale"),
    [
        (None, None, "en"),
        ("", "", "en"),
        ("ko", None, "ko"),
        ("ko-KR", None, "ko"),
        ("KO-kr", None, "ko"),
        ("fr-CA ko en", None, "ko"),
        ("en", "ko", "en"),
        ("fr", "ko", "ko"),
        (None, "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"),
        (None, "en-US,en;q=0.9,ko;q=0.8", "en"),
        (None, "en;q=0.1, ko;q=0.2", "ko"),
        (None, "en;q=0.5, ko;q=0.5", "en"),
        (None, "fr, de;q=0.9, ko;q=0.001", "ko"),
        (None, "ko;q=0, fr", "en"),
        (None, "*, ko;q=0.5", "en"),
        (None, "ko-Kore-KR ; Q=1.000", "ko"),
    ],
)
def test_the_app_then_the_browser_chooses_the_language(
    ui_locales: str | None, accept_language: str | None, locale: str
) -> None:
    assert negotiate(ui_locales, accept_language) == locale


@pytest.mark.parametrize(
    "header",
    [
        "kok",
        "k",
        "ko;q=nan",
        "ko;q=2",
        "ko;q=1e0",
        "ko;q=-1",
        "ko;q=",
        "ko;q=０",
        "한국어",
        ",;,=",
        "ko\x00",
        "ko_KR",
    ],
)
def test_garbage_is_no_preference(header: str) -> None:
    assert negotiate(header if ";" not in header else None, header) == "en"


@given(st.text() | st.none(), st.text() | st.none())
def test_negotiation_never_raises_and_always_answers_a_known_locale(
    one: str | None, other: str | None
) -> None:
    assert negotiate(one, other) in LOCALES


def test_a_list_longer_than_any_browser_sends_is_not_read() -> None:
    hostile = "ko," * (1 << 19)
    assert negotiate(hostile.replace(",", " "), hostile) == "en"
    assert negotiate(None, "ko,".ljust(LONGEST_LIST, ",")) == "ko"


def test_every_locale_has_a_name_and_a_direction() -> None:
    assert set(NAMES) == set(DIRECTIONS) == set(LOCALES)


def korean() -> list[Message]:
    with (LOCALE / "ko" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return [message for message in read_po(file, locale="ko", abort_invalid=True) if message.id]


def used_in_templates() -> Iterator[str]:
    found = extract_from_dir(
        PAGES / "templates",
        [("**.html", "jinja2")],
        {
            "**.html": {
                "extensions": "jinja2.ext.i18n",
                "newstyle_gettext": "true",
                "silent": "false",
                "trim_blocks": "true",
            }
        },
    )
    for _, _, message, _, _ in found:
        yield message if isinstance(message, str) else message[0]


def singular(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def translations(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def test_every_sentence_of_templates_and_endpoints_has_a_korean_entry_and_no_entry_is_idle() -> None:
    used = {*used_in_templates(), *SAID_BY_ENDPOINTS, DATE_PATTERN, *MONTHS}
    assert {singular(message) for message in korean()} == used
    assert len(used) > 60


@pytest.mark.parametrize("message", korean(), ids=singular)
def test_the_entry_is_finished_and_keeps_its_placeholders(message: Message) -> None:
    assert not message.fuzzy
    expected = sorted(PLACEHOLDER.findall(singular(message)))
    for text in translations(message):
        assert HANGUL.search(text)
        assert sorted(PLACEHOLDER.findall(text)) == expected
        assert "%" not in PLACEHOLDER.sub("", text)


def test_the_two_answers_of_the_json_api_are_exactly_as_promised() -> None:
    catalogs = Catalogs.load(LOCALE)
    assert catalogs.gettext("ko", "Signed in") == "로그인 성공"
    assert catalogs.gettext("ko", "Sign-in failed") == "로그인 실패"
    assert catalogs.gettext("en", "Signed in") == "Signed in"


def test_the_plural_form_is_korean_too() -> None:
    message = ("You can try again in %(num)s second.", "You can try again in %(num)s seconds.")
    korean = Catalogs.load(LOCALE).translations("ko")
    assert (
        korean.ngettext(*message, 1)
        == korean.ngettext(*message, 5)
        == "%(num)s초 후에 다시 시도할 수 있습니다."
    )


def test_a_missing_catalogue_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Catalogs.load(tmp_path)


def test_a_broken_catalogue_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "ko" / "LC_MESSAGES" / "messages.po"
    file.parent.mkdir(parents=True)
    file.write_text('msgid "Sign in"\nnonsense\n')
    with pytest.raises(PoFileError):
        Catalogs.load(tmp_path)
