"""What an access token says (RFC 9068), and that our own reading of it is as strict as anybody's."""

from dataclasses import replace
from datetime import timedelta

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.keyring.live import CannotSign
from authserver.resource.jws import parse_compact
from authserver.resource.keys import PublicKeys
from authserver.resource.principal import Principal
from authserver.resource.verifier import Verifier, verify
from authserver.sessions.store import Session
from authserver.tokens.own import OwnTokens
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock
from tests.conftest import ISSUER, MakeServer

pytestmark = SQLITE_ONLY


@pytest.fixture
def session(alice: Account, clock: HandClock) -> Session:
    now, later = clock.now(), clock.now() + timedelta(days=30)
    return Session("the-session", alice.id, now, now, ("pwd",), now, later, None, None, None)


def own_tokens(server: Server) -> OwnTokens:
    verifier = Verifier(server.settings.issuer, server.settings.token_audience)
    return OwnTokens(server.keyring, verifier, server.capabilities.clock)


def test_a_token_is_an_rs256_access_token_with_every_claim_a_service_needs(
    server: Server, alice: Account, session: Session, clock: HandClock
) -> None:
    moment = clock.now() + timedelta(milliseconds=900)
    token = server.tokens.mint(server.tokens.signer(), session, alice, moment)
    header = parse_compact(token.value).unverified_header
    assert header == {"alg": "RS256", "typ": "at+jwt", "kid": server.tokens.signer().kid}
    keys, at = PublicKeys.from_jwks(server.keyring.snapshot.jwks), moment.timestamp()
    principal = verify(token.value, keys=keys, issuer=ISSUER, audience=ISSUER, now=at)
    assert isinstance(principal, Principal)
    assert (principal.sub, principal.sid, principal.client_id) == (alice.id, "the-session", "first-party")
    assert principal.roles == {"staff", "user"}
    assert principal.issued_at == int(at), "rounded down: a cut-off of this second is after it"
    assert principal.expires_at == int(at) + token.lifetime.total_seconds() == int(at) + 3_600
    assert len(token.value) < 4_000, "a browser keeps no cookie beyond 4096 bytes"


def test_each_token_is_another(server: Server, alice: Account, session: Session, clock: HandClock) -> None:
    tokens = {server.tokens.mint(server.tokens.signer(), session, alice, clock.now()).value for _ in range(5)}
    assert len(tokens) == 5


def test_the_audience_is_the_settings(
    make_server: MakeServer, alice: Account, session: Session, clock: HandClock
) -> None:
    server = make_server(audience="https://api.example.com")
    token = server.tokens.mint(server.tokens.signer(), session, alice, clock.now()).value
    keys, now = PublicKeys.from_jwks(server.keyring.snapshot.jwks), clock.now().timestamp()
    assert isinstance(
        verify(token, keys=keys, issuer=ISSUER, audience="https://api.example.com", now=now), Principal
    )
    assert not isinstance(verify(token, keys=keys, issuer=ISSUER, audience=ISSUER, now=now), Principal)


def test_our_own_reading_refuses_what_any_service_would(
    server: Server, alice: Account, session: Session, clock: HandClock
) -> None:
    own = own_tokens(server)
    token = server.tokens.mint(server.tokens.signer(), session, alice, clock.now()).value
    assert own.read(token) is not None
    head, payload, signature = token.split(".")
    for forged in (
        "",
        "x",
        f"{head}.{payload}.",
        f"{head}.{payload}.{signature[:-2]}",
        f"{token}=",
        f" {token}",
    ):
        assert own.read(forged) is None
    for typ in ("JWT", "secevent+jwt", "logout+jwt"):
        other = server.tokens.signer().sign(typ, {"sub": alice.id, "sid": "the-session"})
        assert own.read(other) is None
    clock.advance(timedelta(hours=1, seconds=61))
    assert own.read(token) is None


def test_a_token_of_a_compromised_key_is_no_longer_ours(
    server: Server, alice: Account, session: Session, clock: HandClock
) -> None:
    own = own_tokens(server)
    token = server.tokens.mint(server.tokens.signer(), session, alice, clock.now()).value
    [ring] = server.keyring.snapshot.rings
    assert ring.active is not None
    server.capabilities.rotation.compromise(ring.active, lambda _db, _change: None)
    server.follow()
    assert own.read(token) is None


def test_nothing_is_signed_before_there_is_a_key(server: Server, session: Session) -> None:
    server.keyring.snapshot = replace(server.keyring.snapshot, rings=())
    with pytest.raises(CannotSign, match="authserver keys rotate"):
        server.tokens.signer()
