"""JSON as a token may carry it: one object, each member once, bounded in depth and number range (RFC 8725bis, I-JSON).

Two parsers that disagree about a document are a way in, so everything they disagree about is refused: repeated
members (RFC 7515 §4, RFC 7519 §4), NaN and Infinity, numbers a double cannot hold, unpaired surrogates, text that is
not UTF-8, and nesting that exhausts a stack.
"""

import json
from math import isfinite
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 16
LARGEST_INTEGER: Final = 2**53 - 1  # RFC 7493 §2.2
_SURELY_SMALL: Final = 15  # digits, or a sign and fourteen
_WHITESPACE: Final = " \t\r\n"  # RFC 8259 §2; str.strip() alone would strip more


class MalformedJSON(ValueError):
    """The reason, never the document: it may hold personal data."""


def strict_json(document: bytes) -> dict[str, Any]:
    """The one object in `document`; MalformedJSON for everything else."""
    try:
        text = document.decode()
        if text[:1] != "{":
            text = _from_its_brace(text)
        members: dict[str, Any]
        members, end = _DECODER.raw_decode(text)
        if end != len(text):
            _only_whitespace(text[end:])
        # Brackets bound the depth from above, inside strings too, and cost little to count: most documents end here.
        if text.count("{") + text.count("[") > MAX_DEPTH:
            _check_depth(members, 1)
        if "\\" in text:
            # "\ud800" alone is legal JSON and no Unicode text at all; two libraries read it as two different strings.
            json.dumps(members, ensure_ascii=False).encode()
    except MalformedJSON:
        raise
    except (ValueError, RecursionError):  # `from None`: a JSONDecodeError carries the whole document
        raise MalformedJSON("not JSON") from None
    return members


def _only_whitespace(rest: str) -> None:
    if rest.strip(_WHITESPACE):
        raise MalformedJSON("something follows the object")


def _from_its_brace(text: str) -> str:
    text = text.lstrip(_WHITESPACE)
    if text[:1] != "{":
        raise MalformedJSON("not an object")
    return text


def _check_depth(value: Any, depth: int) -> None:
    if isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            raise MalformedJSON("nested too deeply")
        for member in value.values() if isinstance(value, dict) else value:
            _check_depth(member, depth + 1)


def _each_member_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJSON("a member is repeated")
    return members


def _integer(digits: str) -> int:
    number = int(digits)
    if len(digits) > _SURELY_SMALL and abs(number) > LARGEST_INTEGER:
        raise MalformedJSON("a number is out of range")
    return number


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise MalformedJSON("a number is out of range")
    return number


def _no_constant(_name: str) -> NoReturn:
    raise MalformedJSON("NaN and Infinity are not JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_each_member_once, parse_int=_integer, parse_float=_finite, parse_constant=_no_constant
)
