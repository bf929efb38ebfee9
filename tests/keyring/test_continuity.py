"""Fifty rotations in a row while tokens are minted and verified by caches of every age: no failure."""

from datetime import datetime, timedelta

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.keyring.states import State
from authserver.resource.keys import PublicKeys
from authserver.resource.principal import Principal
from authserver.resource.verifier import verify
from authserver.sessions.store import Session
from tests.clocks import HandClock
from tests.conftest import ISSUER, MakeServer

ROTATIONS = 50
MAX_AGE = timedelta(minutes=5)


class Cache:
    """A verifier that obeys `max-age` to the second and asks for nothing in between."""

    def __init__(self, server: Server, age: timedelta) -> None:
        self._server = server
        self._age = age
        self._fetched_at: datetime | None = None

    def verify(self, token: str, now: datetime) -> bool:
        if self._fetched_at is None or now - self._fetched_at >= self._age:
            self._keys = PublicKeys.from_jwks(self._server.keyring.snapshot.jwks)
            self._fetched_at = now
        verdict = verify(token, keys=self._keys, issuer=ISSUER, audience=ISSUER, now=now.timestamp())
        return isinstance(verdict, Principal)


def session_of(account: Account, now: datetime) -> Session:
    return Session("sid", account.id, now, now, ("pwd",), now, now + timedelta(days=1), None, None, None)


def test_fifty_rotations_in_a_row_fail_no_verification(
    make_server: MakeServer, clock: HandClock, alice: Account
) -> None:
    server = make_server()
    rotation = server.capabilities.rotation
    caches = [Cache(server, MAX_AGE * part / 2) for part in range(3)]
    alive: list[tuple[datetime, str]] = []
    verifications, signed_by = 0, set[str]()
    while len(signed_by) < ROTATIONS + 1:
        rotation.rotate("RS256")
        for _ in range(2):
            clock.advance(timedelta(seconds=181))
            rotation.keep(["RS256"])
            server.follow()
            now = clock.now()
            token = server.tokens.mint(server.tokens.signer(), session_of(alice, now), alice, now)
            signed_by.add(server.tokens.signer().kid)
            alive = [(at, value) for at, value in alive if now - at < timedelta(minutes=59)][::7]
            alive.append((now, token.value))
            for cache in caches:
                assert all(cache.verify(value, now) for _, value in alive)
                verifications += len(alive)
    assert verifications > ROTATIONS * len(caches)
    states = [key.state for key in server.keyring.snapshot.rings[0].keys]
    assert (states.count(State.ACTIVE), states.count(State.NEXT)) == (1, 1)
