"""A signing key was stolen, and its thief stands between the server and its readers: nothing of that may last."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from authserver.app import Server
from authserver.keyring.signer import Signer
from authserver.protocol import paths
from authserver.protocol.media import SECURITY_EVENT_TYP
from authserver.protocol.revocation import Kind
from authserver.published import revocations
from authserver.resource.jws import parse_compact
from authserver.resource.keys import PublicKeys
from authserver.resource.revocation_copy import Heard, RevocationCopy
from authserver.resource.revocation_document import UnusableDocument, issued_at, open_document, read_event
from authserver.revocations import feed, store
from authserver.revocations.keys import compromise
from authserver.revocations.store import Head
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock
from tests.visitor import Visitor

FAR = 2**53 - 1
INVENTED = "&mark=invented"


def sign_out(server: Server, *sessions: str) -> None:
    now = server.capabilities.clock.now()

    def step(db: Connection) -> None:
        for session in sessions:
            store.append(db, Kind.SID, session, now=now, expires_at=now + timedelta(hours=1))

    server.capabilities.database.write(step)
    server.follow()


def lose_the_key(server: Server) -> Signer:
    """Give up the key that signs; answer it, as its thief still has it."""
    [ring] = server.keyring.snapshot.rings
    assert ring.active is not None
    thiefs = server.keyring.signer(ring.active.algorithm)
    compromise(server.capabilities.rotation, ring.active)
    server.follow()
    return thiefs


class Reader:
    """A resource service that asks again and again, with nothing but what is published."""

    def __init__(self, server: Server, visitor: Visitor) -> None:
        self.copy = RevocationCopy()
        self._server, self._visitor = server, visitor
        self._keys = PublicKeys.from_jwks(visitor.get(paths.JWKS).json())

    def hear(self, token: bytes) -> bool:
        """As `RevocationSource` does: by the keys that it has, less those on the list that it has."""
        keys = self._keys.without(self.copy.revocations.kids)
        claims = open_document(token, keys.get, self._server.settings.issuer)
        now = self._server.capabilities.clock.now().timestamp()
        return self.copy.take(read_event(claims), issued_at(claims), Heard(now, now, now))

    def ask(self) -> bool:
        at = self.copy.position
        query = "" if at is None or self.copy.wants_all else f"?since={at.sequence}&mark={at.mark}"
        return self.hear(self._visitor.get(paths.REVOCATIONS + query).content)


@pytest.fixture
def reader(server: Server, visitor: Visitor) -> Reader:
    return Reader(server, visitor)


@SQLITE_ONLY
def test_no_answer_that_was_kept_is_signed_by_a_key_that_was_given_up(
    server: Server, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long list is kept for some seconds, whatever comes meanwhile; not for this."""
    monkeypatch.setattr(revocations, "LARGE", 1)
    sign_out(server, "a", "b")
    queries = ("", "?since=0", "?since=1", "?since=2", f"?since=9{INVENTED}")
    before = {visitor.get(paths.REVOCATIONS + query).text for query in queries}
    stolen = lose_the_key(server).kid
    after = {visitor.get(paths.REVOCATIONS + query).text for query in queries}
    assert {parse_compact(token).unverified_header["kid"] for token in before} == {stolen}
    assert stolen not in {parse_compact(token).unverified_header["kid"] for token in after}


@SQLITE_ONLY
def test_what_a_thief_signs_is_no_list_once_the_readers_have_heard(server: Server, reader: Reader) -> None:
    sign_out(server, "a")
    assert reader.ask()
    thiefs = lose_the_key(server)
    assert reader.ask()
    now = server.capabilities.clock.now()
    assert reader.copy.position is not None
    here = Head(*reader.copy.position)
    claims = feed.claims(server.settings.issuer, Head(FAR, "m"), (), since=here, confirmed_at=now)
    with pytest.raises(UnusableDocument, match="signature"):
        reader.hear(thiefs.sign(SECURITY_EVENT_TYP, claims).encode())
    assert "a" in str(
        reader.copy.revocations.hit({"sid": "a", "jti": "j", "sub": "s", "client_id": "c"}, "k")
    )


@SQLITE_ONLY
def test_a_reader_that_a_thief_led_to_the_end_of_all_numbers_is_led_back(
    server: Server, reader: Reader, clock: HandClock
) -> None:
    """While nobody knows of the theft its lists are believed. They must not be the last that is."""
    sign_out(server, "a")
    assert reader.ask()
    [ring] = server.keyring.snapshot.rings
    assert ring.active is not None
    claims = feed.claims(
        server.settings.issuer,
        Head(FAR, "m"),
        (),
        since=None,
        confirmed_at=clock.now() + timedelta(seconds=9),
    )
    forged = server.keyring.signer(ring.active.algorithm).sign(SECURITY_EVENT_TYP, claims)
    assert reader.hear(forged.encode())
    assert not len(reader.copy.revocations), "a is back, for a moment"
    clock.advance(1)
    lose_the_key(server)
    assert reader.ask(), "the reset"
    assert reader.ask(), "the whole list"
    assert reader.copy.revocations.hit({"sid": "a", "jti": "j", "sub": "s", "client_id": "c"}, "k")
    assert ring.active.kid in reader.copy.revocations.kids
