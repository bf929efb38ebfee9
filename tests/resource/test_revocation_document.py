from typing import Any

import pytest

from authserver.protocol.revocation import EVENT, Kind
from authserver.resource.jws import VerifiedClaims
from authserver.resource.revocation_document import UnusableDocument, issued_at, open_document, read_event
from authserver.resource.revocation_set import Delta, Entry, Reset, Snapshot
from tests.resource import forge

KEYS = forge.public_keys()
SID = {"seq": 18, "kind": "sid", "value": "x", "exp": 100}
SUB = {"seq": 19, "kind": "sub", "value": "s", "before": 50, "exp": 100}


def document(event: Any = None, **members: Any) -> dict[str, Any]:
    usual = {"since": 17, "since_mark": "m17", "sequence": 19, "mark": "m19", "entries": [SID, SUB]}
    return {
        "iss": forge.ISSUER,
        "iat": forge.NOW,
        "jti": "j",
        "events": {EVENT: usual | (event or {})},
    } | members


def signed(claims: dict[str, Any], **head: Any) -> bytes:
    return forge.sign(forge.header(**({"typ": "secevent+jwt"} | head)), claims).encode()


def opened(body: bytes) -> VerifiedClaims:
    return open_document(body, KEYS.get, forge.ISSUER, max_length=10_000)


def test_a_delta_is_read() -> None:
    entries = (Entry(Kind.SID, "x", 100), Entry(Kind.SUB, "s", 100, 50))
    assert read_event(opened(signed(document()))) == Delta(17, "m17", 19, "m19", entries)


def test_without_since_a_document_is_a_snapshot() -> None:
    event = {"sequence": 19, "mark": "m19", "entries": [SID]}
    entries = (Entry(Kind.SID, "x", 100),)
    assert read_event(document(events={EVENT: event})) == Snapshot(19, "m19", entries)


def test_a_delta_without_entries_says_that_nothing_has_changed() -> None:
    event = {"since": 19, "since_mark": "m19", "entries": []}
    assert read_event(document(event)) == Delta(19, "m19", 19, "m19", ())


def test_a_reset_names_the_position_that_was_lost() -> None:
    event = {"reset": {"since": 19, "mark": "m19"}, "sequence": 12, "mark": "r12"}
    assert read_event(document(events={EVENT: event})) == Reset(19, "m19", 12, "r12")


@pytest.mark.parametrize(
    "event",
    [
        {"reset": None},
        {"reset": {}},
        {"reset": {"since": 19}},
        {"reset": {"since": "19", "mark": "m"}},
        {"reset": {"since": 19, "mark": ""}},
        {"reset": {"since": 19, "mark": "m"}, "entries": []},
        {"reset": {"since": 19, "mark": "m"}, "since": 3},
        {"reset": {"since": 19, "mark": "m"}, "mark": None},
    ],
)
def test_half_a_reset_is_none(event: dict[str, Any]) -> None:
    with pytest.raises(UnusableDocument):
        read_event(document(events={EVENT: {"sequence": 12, "mark": "r12"} | event}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"<html>",
        signed(document()) + b"x",
        signed(document(), typ="at+jwt"),
        signed(document(), typ=None),
        signed(document(), kid="unknown"),
        signed(document(iss="https://evil.example")),
        forge.sign(forge.header(typ="secevent+jwt"), document(), forge.OTHER_KEY).encode(),
        forge.sign(forge.header(typ="secevent+jwt"), b"[]").encode(),
        signed(document({"entries": [{"value": "x" * 12_000}]})),
    ],
)
def test_what_the_issuer_did_not_sign_as_a_list_is_unusable(body: bytes) -> None:
    with pytest.raises(UnusableDocument):
        opened(body)


@pytest.mark.parametrize(
    ("iss", "said"),
    [
        ("https://login.example.org", "it says 'https://login.example.org', this guard follows"),
        ("x" * 5_000, "it says 'xxx"),
        ("\x1b[2J\nan entry of its own", r"\x1b[2J\nan entry"),
        (None, "it says None"),
    ],
)
def test_a_list_of_another_issuer_says_whose_it_is(iss: str | None, said: str) -> None:
    with pytest.raises(UnusableDocument) as refused:
        opened(signed(document(iss=iss)))
    told = str(refused.value)
    assert told.startswith("of another issuer: ")
    assert said in told
    assert forge.ISSUER in told
    assert len(told) < 250
    assert told.isprintable()


def test_what_nobody_has_signed_is_not_repeated() -> None:
    claims = document(iss="https://evil.example")
    with pytest.raises(UnusableDocument, match=r"^signature not by a current key of the issuer$"):
        opened(forge.sign(forge.header(typ="secevent+jwt"), claims, forge.OTHER_KEY).encode())


@pytest.mark.parametrize(
    "event",
    [
        {"mark": ""},
        {"mark": 1},
        {"mark": None},
        {"since_mark": ""},
        {"since_mark": None},
        {"sequence": -1},
        {"sequence": "19"},
        {"sequence": True},
        {"since": -1},
        {"since": None},
        {"since": 20, "entries": []},
        {"since": 19, "entries": []},  # nothing has changed, but the mark has
        {"since": 19, "since_mark": "m19"},
        {"entries": None},
        {"entries": [1]},
        {"entries": [SUB, SID]},
        {"entries": [SID, SID]},
        {"entries": [SID | {"seq": 17}]},
        {"entries": [SID | {"seq": 20}]},
        {"entries": [SID | {"kind": "device"}]},
        {"entries": [SID | {"kind": ["sid"]}]},
        {"entries": [SID | {"value": ""}]},
        {"entries": [SID | {"value": 1}]},
        {"entries": [SID | {"exp": 1.5}]},
        {"entries": [SID | {"before": 5}]},
        {"entries": [SID | {"before": "x"}]},
        {"entries": [SUB | {"before": None}]},
        {"entries": [SUB | {"before": -1}]},
    ],
)
def test_an_event_that_is_not_understood_to_the_last_word_is_unusable(event: dict[str, Any]) -> None:
    with pytest.raises(UnusableDocument):
        read_event(document(event))


@pytest.mark.parametrize("events", [None, [], {}, {"other": {}}, {EVENT: []}, {EVENT: {}, "other": {}}])
def test_another_event_is_unusable(events: Any) -> None:
    with pytest.raises(UnusableDocument):
        read_event(document(events=events))


@pytest.mark.parametrize("iat", [None, "1", True])
def test_a_document_says_when_it_was_made(iat: Any) -> None:
    with pytest.raises(UnusableDocument):
        issued_at(document(iat=iat))
