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
from authserver.resource.revocation_set import Delta, Entry, Reset, Snapshot

MAX_FEED: Final = 64 * 1_048_576  # bytes of one document: some 400,000 entries
_MAX_VALUE: Final = 1_024
_MOST_SAID: Final = 100
_MEDIA_PREFIX: Final = "application/"


class UnusableDocument(ValueError):
    """Why an answer is no revocation list of this issuer."""


def open_document(
    body: bytes, key_for: Callable[[str], PublicKey | None], issuer: str, *, max_length: int = MAX_FEED
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
        raise UnusableDocument(_another(claims.get("iss"), issuer))
    return claims


def _another(iss: object, issuer: str) -> str:
    """For whoever reads the log: mostly one server under two names. The signature is good, so this is the issuer's."""
    said, followed = (repr(name)[:_MOST_SAID] for name in (iss, issuer))
    return f"of another issuer: it says {said}, this guard follows {followed}"


def issued_at(claims: Mapping[str, Any]) -> float:
    iat = claims.get("iat")
    if type(iat) is not int and type(iat) is not float:
        raise UnusableDocument("no iat")
    return iat


def read_event(claims: Mapping[str, Any]) -> Snapshot | Delta | Reset:
    """What the event says; UnusableDocument unless every word of it is understood."""
    events = claims.get("events")
    if not isinstance(events, dict) or set(events) != {EVENT} or not isinstance(events[EVENT], dict):
        raise UnusableDocument("not one revocation event")
    event = events[EVENT]
    sequence, mark = _read_position(event, "sequence", "mark")
    if "reset" in event:
        return _read_reset(event, sequence, mark)
    if "since" in event or "since_mark" in event:
        return _read_delta(event, sequence, mark)
    return Snapshot(sequence, mark, _read_entries(event, 0, sequence))


def _read_delta(event: Mapping[str, Any], sequence: int, mark: str) -> Delta:
    since, since_mark = _read_position(event, "since", "since_mark")
    if sequence < since or (sequence == since and mark != since_mark):
        raise UnusableDocument("a delta that leads nowhere")
    return Delta(since, since_mark, sequence, mark, _read_entries(event, since, sequence))


def _read_reset(event: Mapping[str, Any], sequence: int, mark: str) -> Reset:
    lost = event["reset"]
    if not isinstance(lost, dict) or not {"since", "since_mark", "entries"}.isdisjoint(event):
        raise UnusableDocument("a reset that is something else too")
    return Reset(*_read_position(lost, "since", "mark"), sequence, mark)


def _read_position(members: Mapping[str, Any], sequence: str, mark: str) -> tuple[int, str]:
    number, name = members.get(sequence), members.get(mark)
    if not _is_count(number) or not _is_text(name):
        raise UnusableDocument(f"{sequence} or {mark}")
    return number, name


def _read_entries(event: Mapping[str, Any], since: int, sequence: int) -> tuple[Entry, ...]:
    entries = event.get("entries")
    if not isinstance(entries, list):
        raise UnusableDocument("no entries")
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
