"""Which language a page speaks, and its words.

The language: `ui_locales` (OpenID Connect Core §3.1.2.1) is what the app asked for and wins over `Accept-Language`
(RFC 9110 §12.5.4), what the browser prefers. Tags match by their primary subtag (RFC 4647 §3.4: `ko-KR` is `ko`).
Both come from outside: garbage is no preference, and a list longer than any browser sends is not read at all.

The words: message ids are the English sentences, so English needs no catalogue; the other languages are `.po` files,
compiled in memory at start. There is no `.mo` to forget to build, and a broken catalogue stops the start.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES: Final = ("en", "ko")
DEFAULT: Final = "en"
NAMES: Final = MappingProxyType({"en": "English", "ko": "한국어"})  # each in its own language, for the switch
DIRECTIONS: Final = MappingProxyType({"en": "ltr", "ko": "ltr"})

LONGEST_LIST: Final = 1024  # characters; browsers send well under 200
_WEIGHTED: Final = re.compile(
    r"\s*([A-Za-z0-9*-]{1,64})\s*(?:;\s*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?"
)


def negotiate(ui_locales: str | None, accept_language: str | None) -> str:
    """The page's locale: the first of LOCALES that the app, then the browser asks for, else English. Never raises."""
    asked = [*_asked_by_app(ui_locales or ""), *_asked_by_browser(accept_language or "")]
    return next((locale for tag in asked if (locale := _supported(tag))), DEFAULT)


def _asked_by_app(unverified_tags: str) -> list[str]:
    return unverified_tags.split() if len(unverified_tags) <= LONGEST_LIST else []


def _asked_by_browser(unverified_header: str) -> list[str]:
    if len(unverified_header) > LONGEST_LIST:
        return []
    by_weight = sorted(
        _weighted(unverified_header), key=lambda pair: -pair[0]
    )  # stable: ties keep their order
    return [tag for weight, tag in by_weight if weight > 0]


def _weighted(header: str) -> Iterator[tuple[float, str]]:
    for part in header.split(","):
        if match := _WEIGHTED.fullmatch(part):
            yield float(match[2] or 1), match[1]


def _supported(tag: str) -> str | None:
    if tag == "*":
        return DEFAULT
    primary = tag.split("-", 1)[0].lower()
    return primary if primary in LOCALES else None


@dataclass(frozen=True, slots=True)
class Catalogs:
    """The words of every locale."""

    _by_locale: MappingProxyType[str, NullTranslations]

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read `<directory>/<locale>/LC_MESSAGES/messages.po`; a missing or malformed file raises."""
        return cls(MappingProxyType({locale: _translations(directory, locale) for locale in LOCALES}))

    def gettext(self, locale: str, message: str) -> str:
        """`message` in the language of `locale`, with its `%(placeholders)s` still in it."""
        return self._by_locale[locale].gettext(message)

    def translations(self, locale: str) -> NullTranslations:
        """What Jinja's i18n extension installs."""
        return self._by_locale[locale]


def _translations(directory: Path, locale: str) -> NullTranslations:
    if locale == DEFAULT:
        return NullTranslations()
    with (directory / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalog = read_po(file, locale=locale, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return GNUTranslations(compiled)
