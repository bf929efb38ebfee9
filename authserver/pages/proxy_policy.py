"""What the operator of a reverse proxy asks of visitors, in the query of the address that the proxy calls.

    /verify?scope=orders:read&role=admin&role=owner&audience=https://orders.example.com&sign_in=redirect

All of the scopes, and one of the roles. A mistake must not admit everybody: an unknown name, an empty value (a variable
of a configuration that came out empty) or a second audience is refused, and with it every request, until it is mended.
"""

import re
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import parse_qsl

from authserver.resource.requirement import Requirement
from authserver.web.body import BadRequest

NAMES: Final = ("scope", "role", "audience", "allowed_origin", "sign_in")
MOST_FIELDS: Final = 50
LONGEST: Final = 4_096
ORIGIN: Final = re.compile(r"https?://[0-9a-z._:\[\]-]+")


@dataclass(frozen=True, slots=True)
class ProxyPolicy:
    """Which tokens are enough, whose pages may use the cookie, and whether pages are sent to sign in."""

    requirement: Requirement
    audience: str
    allowed_origins: frozenset[str]
    sign_in: bool

    @classmethod
    def read(cls, query: bytes, default_audience: str) -> Self:
        """Read a query.

        :raises BadRequest: with what is wrong with it.
        """
        chosen = _values(query)
        return cls(
            requirement=_requirement(chosen["scope"], chosen["role"]),
            audience=_at_most_one(chosen["audience"], "audience") or default_audience,
            allowed_origins=_origins(chosen["allowed_origin"]),
            sign_in=_sign_in(_at_most_one(chosen["sign_in"], "sign_in")),
        )


def _values(query: bytes) -> dict[str, list[str]]:
    chosen: dict[str, list[str]] = {name: [] for name in NAMES}
    for name, value in _pairs(query):
        if name not in chosen:
            raise BadRequest(f"The query knows {', '.join(NAMES)}, and nothing else.")
        if not value.strip():
            raise BadRequest(f"The value of {name} is empty.")
        chosen[name].append(value)
    return chosen


def _pairs(query: bytes) -> list[tuple[str, str]]:
    if not query:
        return []
    if len(query) > LONGEST:
        raise BadRequest("The query is too long.")
    try:
        return parse_qsl(
            "&".join(filter(None, query.decode("ascii").split("&"))),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise BadRequest("The query cannot be read.") from None


def _requirement(scopes: list[str], roles: list[str]) -> Requirement:
    try:
        return Requirement.of(" ".join(scopes).split(), roles or None)
    except ValueError:
        raise BadRequest("Write each role as a role of its own: role=admin&role=owner.") from None


def _at_most_one(values: list[str], name: str) -> str | None:
    if len(values) > 1:
        raise BadRequest(f"There can be one {name} only.")
    return values[0] if values else None


def _origins(values: list[str]) -> frozenset[str]:
    if not all(map(ORIGIN.fullmatch, values)):
        raise BadRequest("Write allowed_origin as browsers do: https://app.example.com.")
    return frozenset(values)


def _sign_in(value: str | None) -> bool:
    if value not in (None, "redirect"):
        raise BadRequest("sign_in=redirect is all that sign_in can be.")
    return value is not None
