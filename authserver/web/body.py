"""Reading a request's body: bounded, strict, and one way for each media type.

A field that comes twice, invalid UTF-8, a NUL, a nesting bomb: refused as the client's error, never guessed at. Nor is
anybody waited for who sends a byte now and then: thousands of those would hold every descriptor that there is.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from authserver.protocol.media import FORM, JSON
from authserver.resource.strict_json import MalformedJSON, strict_json

LARGEST: Final = 16 * 1024
SLOWEST: Final = 10.0  # seconds for a whole body, of a few hundred bytes in truth
MOST_FIELDS: Final = 50
LONGEST_NUMBER: Final = 18


class BadRequest(Exception):
    """The body cannot be read. `reason` is public."""

    status = 400
    code = "invalid_request"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BodyTooLarge(BadRequest):
    status = 413


class BodyTooSlow(BadRequest):
    status = 408


class UnsupportedMediaType(BadRequest):
    status = 415


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_json(request: Request) -> bool:
    return media_type(request) == JSON


async def read_fields(request: Request) -> Mapping[str, Any]:
    """Read a JSON object or a form, whichever the client says it sent.

    :raises BadRequest: or one of its kinds.
    """
    kind = media_type(request)
    if kind == JSON:
        return _json(await read_body(request))
    if kind == FORM:
        return _form(await read_body(request))
    raise UnsupportedMediaType(f"Send {JSON} or {FORM}.")


def text(fields: Mapping[str, Any], name: str, *, longest: int = 4096) -> str:
    """Answer a field that must be there and be text.

    :raises BadRequest: it is missing, or something else.
    """
    value = fields.get(name)
    if not isinstance(value, str):
        raise BadRequest(f"The field {name} is missing or is not text.")
    if len(value.encode("utf-8", "surrogatepass")) > longest:
        raise BadRequest(f"The field {name} is too long.")
    return value


def optional_text(fields: Mapping[str, Any], name: str) -> str | None:
    return text(fields, name) if fields.get(name) not in (None, "") else None


def flag(fields: Mapping[str, Any], name: str) -> bool:
    """Answer a yes or no: JSON's true, or "true" from a form.

    :raises BadRequest: it is something else.
    """
    value = fields.get(name, False)
    if isinstance(value, bool):
        return value
    if value in ("true", "on", "false", ""):
        return value in ("true", "on")
    raise BadRequest(f"The field {name} must be true or false.")


async def read_body(request: Request, largest: int = LARGEST) -> bytes:
    """Read a whole body of at most so many bytes.

    :raises BadRequest: or one of its kinds.
    """
    declared = request.headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdigit() and len(declared) <= LONGEST_NUMBER):
        raise BadRequest("The header Content-Length cannot be read.")
    if int(declared) > largest:
        raise BodyTooLarge(f"The body may have at most {largest} bytes.")
    try:
        async with asyncio.timeout(SLOWEST):
            return await _streamed(request, largest)
    except TimeoutError:
        raise BodyTooSlow("The body took too long.") from None


async def _streamed(request: Request, largest: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise BodyTooLarge(f"The body may have at most {largest} bytes.")
    return bytes(body)


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        return strict_json(body)
    except MalformedJSON:
        raise BadRequest("The request is not valid JSON.") from None


def _form(body: bytes) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except (ValueError, UnicodeDecodeError):
        raise BadRequest("The form cannot be read.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadRequest("A field was sent twice.")
    if any("\0" in value for value in fields.values()):
        raise BadRequest("A field holds a NUL character.")
    return fields
