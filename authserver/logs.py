"""Structured logs: one line for each event, bounded, escaped, and without a secret in it.

A line is JSON, so a user name with CR, LF or ANSI codes in it cannot forge another line (SECURITY X04).
"""

import json
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Literal

import structlog

LONGEST_VALUE: Final = 300
HIDDEN: Final = "[hidden]"
SECRET_NAME: Final = re.compile(
    r"password|secret|token|cookie|authorization|private|passphrase|key_encryption", re.IGNORECASE
)
SECRET_VALUE: Final = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # a JWT or JWE, wherever it turns up
    r"|\$argon2\S+"  # a password's hash
    r"|(?<=DETAIL:)[^\n]*"  # PostgreSQL's copy of a row that it refused
)

Logger = structlog.stdlib.BoundLogger


def get_logger(name: str) -> Logger:
    return structlog.stdlib.get_logger(name)


def configure(style: Literal["json", "console"], level: str) -> None:
    """Set up this process's logging once, at its start. Libraries' own loggers go through the same door."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer = _renderer(style)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("authlib", "uvicorn.access", "alembic.runtime.migration"):
        logging.getLogger(noisy).setLevel(logging.WARNING)  # Authlib logs whole tokens at DEBUG
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Hide what is named like a secret or looks like a token, and cut what is too long."""
    return {name: HIDDEN if SECRET_NAME.search(name) else _harmless(value) for name, value in event.items()}


def _harmless(value: Any) -> Any:
    if isinstance(value, str):
        limit = LONGEST_VALUE if "Traceback" not in value[:40] else 20 * LONGEST_VALUE
        hidden = SECRET_VALUE.sub(HIDDEN, value)
        return hidden if _width(hidden) <= limit else f"{_cut(hidden, limit)}… ({len(hidden)} characters)"
    return value


def _width(text: str) -> int:
    """How many bytes the text takes as ASCII JSON: an emoji is twelve."""
    return len(json.dumps(text))


def _cut(text: str, limit: int) -> str:
    text = text[:limit]
    while _width(text) > limit:
        text = text[: len(text) * limit // (_width(text) + 1)]
    return text


def _renderer(style: Literal["json", "console"]) -> structlog.typing.Processor:
    if style == "json":
        return structlog.processors.JSONRenderer()  # ASCII only: U+2028 and friends are escaped too
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), repr_native_str=True, exception_formatter=structlog.dev.plain_traceback
    )
