"""Templates to HTML, one compiled environment per locale.

Every value is escaped (XSS: a user name, an app's name, a User-Agent all come from outside) and every name must be
given: a misspelt variable is an error in a test, not an empty page in production. Dates are shown in UTC, because
the server does not know where the reader is; their pattern and the month names are messages like any other, which
costs nothing, where a locale database costs 5 MB and 30 ms.
"""

import gettext
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from authserver.web.localization import DIRECTIONS, LOCALES, Catalogs

DATE_PATTERN: Final = "%(month)s %(day)s, %(year)s at %(time)s UTC"
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Templates:
    """Renders the templates of one directory in any locale of LOCALES; `globals` are seen by all of them."""

    def __init__(self, directory: Path, catalogs: Catalogs, **globals: object) -> None:  # noqa: A002 - Jinja's word
        self._environments = {
            locale: _environment(directory, locale, catalogs.translations(locale), globals)
            for locale in LOCALES
        }

    def render(self, name: str, /, locale: str, **context: object) -> str:
        """The HTML of template `name`. A variable that it needs and `context` lacks raises UndefinedError."""
        return self._environments[locale].get_template(name).render(context)


def _environment(
    directory: Path, locale: str, translations: gettext.NullTranslations, names: dict[str, object]
) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(directory),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    environment.filters["datetime"] = _datetime_filter(translations)
    environment.globals |= {**names, "locale": locale, "lang": locale, "dir": DIRECTIONS[locale]}
    return environment


def _datetime_filter(translations: gettext.NullTranslations) -> Callable[[datetime], Markup]:
    def element(value: datetime) -> Markup:
        if value.tzinfo is None:
            raise ValueError("a page shows moments, and a naive datetime is none: give it a time zone")
        moment = value.astimezone(UTC)
        return Markup('<time datetime="{}">{}</time>').format(
            moment.strftime("%Y-%m-%dT%H:%M:%SZ"), _readable(moment, translations)
        )

    return element


def _readable(moment: datetime, translations: gettext.NullTranslations) -> str:
    return translations.gettext(DATE_PATTERN) % {
        "year": moment.year,
        "month": translations.gettext(MONTHS[moment.month - 1]),
        "day": moment.day,
        "time": f"{moment:%H:%M}",
    }
