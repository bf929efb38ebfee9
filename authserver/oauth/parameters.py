"""Reading the parameters of a protocol request: once each, from one place, in UTF-8 (RFC 6749 §3.1, §3.2).

A parameter without a value counts as omitted, an unknown one is ignored, one that comes twice is refused: two programs
that read such a request differently are an attack (SECURITY O60). Only `resource` (RFC 8707 §2)
and `audience` (RFC 8693 §2.1) may come again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from authserver.protocol.media import FORM
from authserver.web.body import BadRequest, UnsupportedMediaType, media_type, read_body

RESOURCE: Final = "resource"
AUDIENCE: Final = "audience"
MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Parameters:
    """What was sent, decoded and otherwise untouched."""

    values: Mapping[str, str]
    resources: Sequence[str] = field(default=())
    audiences: Sequence[str] = field(default=())

    def get(self, name: str) -> str | None:
        return self.values.get(name) or None


def from_query(request: Request) -> Parameters:
    """Read the query.

    :raises BadRequest: it cannot be read in one way only.
    """
    return _read(request.scope["query_string"])


async def from_form(request: Request) -> Parameters:
    """Read the form of a POST; what stands in its query does not count (RFC 6749 §3.2: "in the request body").

    :raises BadRequest: as above.
    """
    if media_type(request) != FORM:
        raise UnsupportedMediaType(f"Send {FORM}.")
    if request.scope["query_string"]:
        raise BadRequest("Send the parameters in the body, not in the query.")
    return _read(await read_body(request))


def of_stored(values: Mapping[str, str | list[str]]) -> Parameters:
    """Read what `to_store` wrote."""
    resources = values.get(RESOURCE, ())
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    return Parameters(texts, tuple(resources))


def to_store(parameters: Parameters) -> dict[str, str | list[str]]:
    return {**parameters.values, RESOURCE: list(parameters.resources)}


def _read(raw: bytes) -> Parameters:
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST)
    except (ValueError, UnicodeDecodeError):
        raise BadRequest("The parameters cannot be read.") from None
    single = [(name, value) for name, value in pairs if name not in (RESOURCE, AUDIENCE)]
    values = dict(single)
    if len(values) != len(single):
        raise BadRequest("A parameter was sent twice.")
    if any("\0" in text for pair in pairs for text in pair):
        raise BadRequest("A parameter holds a NUL character.")
    return Parameters(values, _all(RESOURCE, pairs), _all(AUDIENCE, pairs))


def _all(wanted: str, pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(value for name, value in pairs if name == wanted and value)
