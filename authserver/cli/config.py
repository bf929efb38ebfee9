"""`authserver config`: the settings as they are, and what is wrong with them. Secrets are masked."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from authserver.cli.answers import Answer, Table
from authserver.cli.call import Call
from authserver.cli.nouns import noun
from authserver.cli.times import span
from authserver.cli.verbs import verb
from authserver.settings import PREFIX, Settings, SettingsError, missing_for_service

app = noun("config")

MASK: Final = "********"


@verb(app, "show")
def show(call: Call) -> Answer:
    """Show every setting: its name in the environment, its value, its default and what it is for.

    Example: authserver config show --json
    """
    settings = [*_described(call.settings)]
    rows = [(one["name"], one["value"], _default(one), one["description"]) for one in settings]
    return Answer({"settings": settings}, [Table(("name", "value", "default", ""), rows)])


@verb(app, "check")
def check(call: Call) -> Answer:
    """Say what keeps `authserver serve` from starting with these settings; exit code 1 if anything does.

    Example: authserver config check && authserver serve
    """
    try:
        problems = missing_for_service(call.settings)
    except SettingsError as error:
        problems = error.problems
    facts = {"ok": not problems, "problems": problems}
    return Answer(facts, problems or ["The settings can be used."], code=1 if problems else 0)


def _described(settings: Settings) -> Iterator[dict[str, str]]:
    for name, field in Settings.model_fields.items():
        yield {
            "name": f"{PREFIX}{name.upper()}",
            "value": _text(getattr(settings, name), name),
            "default": _text(field.default, name),
            "description": field.description or "",
        }


def _default(described: dict[str, str]) -> str:
    return "as is" if described["value"] == described["default"] else described["default"] or "none"


def _text(value: Any, name: str) -> str:
    """Write a value as it would be set. Whatever is a secret, or may hold one, is masked."""
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, timedelta):
        return span(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(_text(one, name) for one in value)
    if value is None:
        return ""
    return _without_password(str(value)) if name == "database_url" else str(value)


def _without_password(url: str) -> str:
    """A database's URL may hold its password, before the `@` or as a parameter."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    query = "&".join(f"{key}={MASK if 'pass' in key.lower() else rest}" for key, rest in _pairs(parts.query))
    return parts._replace(netloc=f"{name}{colon}{MASK if colon else ''}{at}{host}", query=query).geturl()


def _pairs(query: str) -> list[tuple[str, str]]:
    return [(key, value) for key, _, value in (pair.partition("=") for pair in query.split("&") if pair)]
