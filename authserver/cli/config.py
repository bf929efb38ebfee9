"""`authserver config`: the settings as they are, and what is wrong with them. Secrets are masked."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from authserver.cli.answers import Answer, Table
from authserver.cli.call import Call
from authserver.cli.nouns import noun
from authserver.cli.times import span
from authserver.cli.verbs import verb
from authserver.settings import PREFIX, Settings, SettingsError, Source, exposed, missing_for_service

app = noun("config")

MASK: Final = "********"


@verb(app, "show")
def show(call: Call) -> Answer:
    """Show every setting: its name in the environment, its value, what set it, its default, what it is for.

    Example: authserver config show --json
    """
    settings = [*_described(call.settings, call.sources)]
    rows = [(one["name"], one["value"], one["source"], _default(one), one["description"]) for one in settings]
    return Answer({"settings": settings}, [Table(("name", "value", "source", "default", ""), rows)])


@verb(app, "check")
def check(call: Call) -> Answer:
    """Say what keeps `authserver serve` from starting with these settings; exit code 1 if anything does.

    Example: authserver config check && authserver serve
    """
    problems: list[str] = []
    try:
        settings: Settings | None = call.settings
    except SettingsError as error:
        problems, settings = error.problems, error.unusable
    if settings is not None:
        problems = [
            *problems,
            *missing_for_service(settings),
            *exposed(call.sources),
            *_about_database(settings),
        ]
    facts = {"ok": not problems, "problems": problems}
    return Answer(facts, problems or ["The settings can be used."], code=1 if problems else 0)


def _about_database(settings: Settings) -> list[str]:
    """Say what keeps the database from being used; no question here makes one or changes one."""
    from authserver import schema  # noqa: PLC0415 - `config show` needs no database
    from authserver.cli.failures import UPGRADE, explain  # noqa: PLC0415 - as above
    from authserver.database import Database  # noqa: PLC0415 - as above

    try:
        with closing(Database(settings.database_address)) as database:
            file = database.url.database
            if database.embedded and file and not Path(file).is_file():
                return [f"database: there is none at {file}: check --data, or {UPGRADE} to make one"]
            found = schema.revisions(database)
    except Exception as error:
        failure = explain(error, None)
        if failure is None:
            raise
        return [f"database: {problem}" for problem in failure.problems]
    if found.up_to_date:
        return []
    return [f"database: at revision {found.current or 'none'}, this release needs {found.wanted}: {UPGRADE}"]


def _described(settings: Settings, sources: dict[str, Source]) -> Iterator[dict[str, str]]:
    for name, field in Settings.model_fields.items():
        yield {
            "name": f"{PREFIX}{name.upper()}",
            "value": _text(getattr(settings, name), name),
            "source": " ".join(
                [sources[name].kind, *([str(sources[name].file)] if sources[name].file else [])]
            ),
            "default": _text(field.default, name),
            "description": field.description or "",
        }


def _default(described: dict[str, str]) -> str:
    return "" if described["value"] == described["default"] else described["default"] or "none"


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
