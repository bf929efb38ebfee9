"""GET /.well-known/jwks.json: the public half of every key that is needed, nothing of any other (SECURITY K01)."""

from datetime import timedelta

from authserver.app import Server
from authserver.keyring.states import State
from authserver.revocations.keys import compromise
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor
from tests.clocks import HandClock
from tests.conftest import MakeServer
from tests.visitor import Visitor

JWKS = "/.well-known/jwks.json"
PUBLIC = {"RSA": {"kty", "n", "e", "kid", "use", "alg"}, "EC": {"kty", "crv", "x", "y", "kid", "use", "alg"}}


def kids(visitor: Visitor) -> set[str]:
    return {key["kid"] for key in visitor.get(JWKS).json()["keys"]}


def in_state(server: Server, *states: State) -> set[str]:
    [ring] = server.keyring.snapshot.rings
    return {key.kid for key in ring.keys if key.state in states}


@SQLITE_ONLY
def test_no_private_member_and_nothing_twice(make_server: MakeServer, make_visitor: MakeVisitor) -> None:
    server = make_server(signing_algorithms=("RS256", "ES256"))
    answer = make_visitor(server).get(JWKS)
    keys = answer.json()["keys"]
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert answer.headers["cache-control"] == "public, max-age=300, stale-if-error=86400"
    assert len({key["kid"] for key in keys}) == len(keys) == 4
    assert {key["alg"] for key in keys} == {"RS256", "ES256"}
    for key in keys:
        assert set(key) == PUBLIC[key["kty"]]
        assert key["use"] == "sig"


def test_next_active_and_retired_keys_are_published_and_a_removed_one_is_not(
    server: Server, visitor: Visitor, clock: HandClock
) -> None:
    first = in_state(server, State.ACTIVE)
    clock.advance(timedelta(minutes=10))
    server.capabilities.rotation.rotate("RS256")
    server.follow()
    assert in_state(server, State.RETIRED) == first
    assert kids(visitor) == in_state(server, State.NEXT, State.ACTIVE, State.RETIRED)
    assert len(kids(visitor)) == 3
    clock.advance(timedelta(hours=1, seconds=60))
    server.maintain()
    server.follow()
    assert not kids(visitor) & first
    assert len(kids(visitor)) == 2


def test_another_server_publishes_a_rotation_after_its_next_look(
    make_server: MakeServer, make_visitor: MakeVisitor, clock: HandClock
) -> None:
    one, other = make_server(), make_server()
    reader = make_visitor(other)
    before = reader.get(JWKS)
    clock.advance(timedelta(minutes=10))
    one.capabilities.rotation.rotate("RS256")
    other.follow()
    after = reader.get(JWKS, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert len(after.json()["keys"]) == 3
    assert other.tokens.signer().kid in in_state(other, State.ACTIVE)


def test_a_compromised_key_is_gone_at_once_and_on_the_list(
    server: Server, visitor: Visitor, clock: HandClock
) -> None:
    [ring] = server.keyring.snapshot.rings
    assert ring.active is not None
    stolen = ring.active
    compromise(server.capabilities.rotation, stolen)
    server.follow()
    assert stolen.kid not in kids(visitor)
    assert server.tokens.signer().kid != stolen.kid
    known = server.revocations.known
    assert known is not None
    assert [(entry.kind.value, entry.value) for entry in known.entries] == [("kid", stolen.kid)]
