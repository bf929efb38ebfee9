"""What a person is called and how to reach them: the standard claims of OpenID Connect Core §5.1, and their rules.

Apps put these into pages, mails and file names, and believe `email`. So a claim has one shape and a limit, whatever is
visible stays on its line, an address of a web page begins with https:// or http:// (a `javascript:` in `picture` would
run in every app that shows it), and what was verified counts for the very value that was: a new `email` is unverified
until somebody says otherwise. What is stored is normalised, so that two apps that compare see the same.

Pure. `updated_at` is ours alone; `roles` and `groups` are columns of their own.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from authserver.clock import seconds

BY_SCOPE: Final[Mapping[str, tuple[str, ...]]] = {  # OIDC Core §5.4; the last two are ours
    "profile": (
        *("name", "given_name", "family_name", "middle_name", "nickname", "preferred_username"),
        *("profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"),
    ),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "address": ("address",),
    "roles": ("roles",),
    "groups": ("groups",),
}
SCOPE_OF: Final = {claim: scope for scope, claims in BY_SCOPE.items() for claim in claims}
VERIFIED: Final = {"email": "email_verified", "phone_number": "phone_number_verified"}
ADDRESS: Final = ("formatted", "street_address", "locality", "region", "postal_code", "country")

LONGEST_TEXT: Final = 255
LONGEST_ADDRESS: Final = 500
LONGEST_EMAIL: Final = 254  # RFC 5321 §4.5.3.1.3, without its brackets
LONGEST_GROUP: Final = 64
MOST_GROUPS: Final = 200

_EMAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_WEB_PAGE: Final = re.compile(
    r"https?://[A-Za-z0-9\[][!#-;=?-\[\]_a-z~%]{0,1999}"
)  # no quotes, brackets <>, \
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}(?:;ext=[0-9]{1,11})?")  # E.164, RFC 3966 §3
_BIRTHDATE: Final = re.compile(r"[0-9]{4}(?:-[0-9]{2}-[0-9]{2})?")
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,32}){0,2}")
_LOCALE: Final = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,5}")  # RFC 5646


class BadClaim(ValueError):
    """A claim cannot be stored; the message says which and why, never the value: it is personal."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is stored of a person beyond the account itself."""

    claims: Mapping[str, Any] = field(default_factory=dict)
    groups: tuple[str, ...] = ()


def changed(held: Mapping[str, Any], changes: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Answer the claims after a change; None takes one away.

    :raises BadClaim: one of them is not as it must be.
    """
    new = {name: checked(name, value) for name, value in changes.items() if value is not None}
    gone = {name for name, value in changes.items() if value is None}
    for claim, flag in VERIFIED.items():
        if claim in changes and new.get(claim) != held.get(claim):
            gone.add(flag)
    after = {**{name: value for name, value in held.items() if name not in gone}, **new}
    for claim, flag in VERIFIED.items():
        if flag in after and claim not in after:
            raise BadClaim(f"{flag} says something of {claim}, and there is none")
    return {**after, "updated_at": seconds(now)}


def checked(name: str, unverified: Any) -> Any:
    """Answer the value of one claim, normalised.

    :raises BadClaim: there is no such claim, or it has another shape.
    """
    rule = RULES.get(name)
    if rule is None:
        raise BadClaim(f"{name!a} is no claim that can be set: {', '.join(sorted(RULES))}")
    try:
        return rule(unverified)
    except ValueError as why:
        raise BadClaim(f"{name} {why}") from None


def checked_groups(unverified: Iterable[str]) -> tuple[str, ...]:
    """Answer groups in order, each once.

    :raises BadClaim: one would be misread in a log or a header, or there are too many.
    """
    groups = tuple(sorted(set(unverified)))
    if len(groups) > MOST_GROUPS:
        raise BadClaim(f"an account has at most {MOST_GROUPS} groups")
    for group in groups:
        if not 0 < len(group) <= LONGEST_GROUP or not group.isprintable() or set(group) & set(" ,"):
            raise BadClaim(f"a group has 1 to {LONGEST_GROUP} visible characters without spaces and commas")
    return groups


def _text(value: Any, longest: int = LONGEST_TEXT, lines: str = "") -> str:
    text = unicodedata.normalize("NFC", value.strip()) if isinstance(value, str) else ""
    if not 0 < len(text) <= longest or not all(char.isprintable() or char in lines for char in text):
        raise ValueError(f"has 1 to {longest} visible characters")
    return text


def _in_form(pattern: re.Pattern[str], what: str) -> Callable[[Any], str]:
    def rule(value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(f"is {what}")
        return value

    return rule


def _flag(value: Any) -> bool:
    if value is not True and value is not False:
        raise ValueError("is true or false")
    return bool(value)


def _email(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if len(text) > LONGEST_EMAIL or not _EMAIL.fullmatch(text):
        raise ValueError("is an address like alice@example.com")
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"  # the local part belongs to its domain: RFC 5321 §2.4


def _phone(value: Any) -> str:
    number, separator, extension = value.partition(";") if isinstance(value, str) else ("", "", "")
    text = re.sub(r"[ ().-]", "", number) + separator + extension
    if not _PHONE.fullmatch(text):
        raise ValueError("is a number with its country, like +82 2 312 3456")
    return text


def _birthdate(value: Any) -> str:
    """A year alone, or a day; the year 0000 means that nobody said which (§5.1). It may be a leap year."""
    wrong = ValueError("is a year, or a day like 2000-12-31 (0000-12-31: without the year)")
    if not isinstance(value, str) or not _BIRTHDATE.fullmatch(value):
        raise wrong
    year, day = value[:4], value[4:] or "-01-01"
    try:
        date.fromisoformat(("2000" if year == "0000" else year) + day)
    except ValueError:
        raise wrong from None
    return value


def _locale(value: Any) -> str:
    text = value.replace("_", "-") if isinstance(value, str) else ""  # §5.1: some write en_US
    if not _LOCALE.fullmatch(text):
        raise ValueError("is a language like ko or en-US")
    return text


def _address(value: Any) -> dict[str, str]:
    """§5.1.1: lines only where a whole address, or a street with its house, may need them."""
    if not isinstance(value, Mapping) or not value or not set(value) <= set(ADDRESS):
        raise ValueError(f"has members of these: {', '.join(ADDRESS)}")
    lines = {"formatted": "\n", "street_address": "\n"}
    return {member: _text(value[member], LONGEST_ADDRESS, lines.get(member, "")) for member in value}


_web_page: Final = _in_form(_WEB_PAGE, "an address like https://example.com/alice")

RULES: Final[Mapping[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("name", "given_name", "family_name", "middle_name", "nickname"), _text),
    **dict.fromkeys(("preferred_username", "gender"), _text),
    **dict.fromkeys(("profile", "picture", "website"), _web_page),
    "birthdate": _birthdate,
    "zoneinfo": _in_form(_ZONE, "a time zone like Asia/Seoul"),
    "locale": _locale,
    "email": _email,
    "email_verified": _flag,
    "phone_number": _phone,
    "phone_number_verified": _flag,
    "address": _address,
}
