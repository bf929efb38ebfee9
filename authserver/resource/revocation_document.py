"""Reading one answer of the revocation feed: `authserver.protocol.revocation` word by word.

An entry that is not understood makes the whole document unusable: a service that skips what it cannot read lets
signed-out tokens in without noticing; one whose list goes stale says so.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeGuard

from authserver.protocol.media import SECURITY_EVENT_TYP
from authserver.protocol.revocation import EVENT, WITH_CUTOFF, Kind
from authserver.resource.jws import (
    MalformedToken,
    VerifiedClaims,
    parse_compact,
    verified_claims,
    verify_signature,
)
from authserver.resource.keys import PublicKey
from authserver.resource.revocation_set import Delta, Entry, Snapshot

_MAX_VALUE: Final = 1_024
_MEDIA_PREFIX: Final = "application/"


class UnusableDocument(ValueError):
    """Why an answer is no revocation list of this issuer."""


def open_document(
    body: bytes, key_for: Callable[[str], PublicKey | None], issuer: str, *, max_length: int
) -> VerifiedClaims:
    """The claims of a Security Event Token that `issuer` signed; `key_for` gives the key of a `kid`."""
    try:
        jws = parse_compact(body.decode("ascii").strip(), max_length=max_length)
        typ = str(jws.unverified_header.get("typ", "")).lower().removeprefix(_MEDIA_PREFIX)
        if typ != SECURITY_EVENT_TYP:  # an access token is signed by the same key (RFC 8725 §3.11)
            raise UnusableDocument("not a security event token")
        key = key_for(jws.unverified_header["kid"])
        payload = verify_signature(jws, key) if key is not None else None
        if payload is None:
            raise UnusableDocument("signature not by a current key of the issuer")
        claims = verified_claims(payload)
    except (MalformedToken, UnicodeDecodeError):
        raise UnusableDocument("not a JWS") from None
    if claims.get("iss") != issuer:
        raise UnusableDocument("of another issuer")
    return claims


def issued_at(claims: Mapping[str, Any]) -> float:
    iat = claims.get("iat")
    if type(iat) is not int and type(iat) is not float:
        raise UnusableDocument("no iat")
    return iat


def read_event(claims: Mapping[str, Any]) -> Snapshot | Delta:
    """What the event says; UnusableDocument unless every word of it is understood."""
    events = claims.get("events")
    if not isinstance(events, dict) or set(events) != {EVENT} or not isinstance(events[EVENT], dict):
        raise UnusableDocument("not one revocation event")
    event = events[EVENT]
    epoch, sequence, entries = event.get("epoch"), event.get("sequence"), event.get("entries")
    if not _is_text(epoch) or not _is_count(sequence) or not isinstance(entries, list):
        raise UnusableDocument("epoch, sequence or entries")
    if "since" not in event:
        return Snapshot(epoch, sequence, _read_entries(entries, 0, sequence))
    since = event["since"]
    if not _is_count(since):
        raise UnusableDocument("since")
    return Delta(epoch, since, sequence, _read_entries(entries, since, sequence))


def _read_entries(entries: list[Any], since: int, sequence: int) -> tuple[Entry, ...]:
    read = []
    last = since
    for entry in entries:
        if (
            not isinstance(entry, dict)
            or not _is_count(entry.get("seq"))
            or not last < entry["seq"] <= sequence
        ):
            raise UnusableDocument("the entries are not in order")
        last = entry["seq"]
        read.append(_read_entry(entry))
    return tuple(read)


def _read_entry(entry: Mapping[str, Any]) -> Entry:
    kind, value, exp, before = entry.get("kind"), entry.get("value"), entry.get("exp"), entry.get("before")
    if not _is_text(kind) or kind not in _KINDS or not _is_text(value) or not _is_count(exp):
        raise UnusableDocument("an entry that is not understood")
    if (kind in WITH_CUTOFF) != _is_count(before) or (before is not None and kind not in WITH_CUTOFF):
        raise UnusableDocument("a cut-off where none belongs, or none where one does")
    return Entry(_KINDS[kind], value, exp, before)


_KINDS: Final = {kind.value: kind for kind in Kind}


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= _MAX_VALUE


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and value >= 0
