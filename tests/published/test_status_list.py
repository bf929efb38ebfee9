"""GET /status-lists: signed, cached, from memory, and no weapon against whoever publishes it."""

from datetime import timedelta

import pytest

from authserver.accounts.store import Account
from authserver.app import Server, create_app
from authserver.capabilities import Outside
from authserver.database import DatabaseUnavailable
from authserver.resource.jws import parse_compact
from tests.attacks.cable import Cable
from tests.attacks.marks import POSTGRESQL_ONLY, SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor
from tests.attacks.watching import statements
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD, MakeServer, MakeSettings, add_account
from tests.databases import PostgreSQL
from tests.status_lists.reader import StatusReader, unpacked
from tests.visitor import Visitor

LIST = "/status-lists/0"


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    return make_server(status_list=True)


@pytest.fixture
def reader(server: Server, make_visitor: MakeVisitor) -> StatusReader:
    return StatusReader(server, make_visitor(server))


@SQLITE_ONLY
def test_a_list_says_everything_that_the_draft_asks_for(
    visitor: Visitor, reader: StatusReader, clock: HandClock
) -> None:
    answer, now = visitor.get(LIST), int(clock.now().timestamp())
    header = parse_compact(answer.text).unverified_header
    assert (header["typ"], header["alg"]) == ("statuslist+jwt", "RS256")
    claims = reader.listed(ISSUER + LIST)
    told = claims.pop("status_list")
    assert claims == {"iss": ISSUER, "sub": ISSUER + LIST, "iat": now, "exp": now + 3_660, "ttl": 60}
    assert (told["bits"], told["aggregation_uri"]) == (1, f"{ISSUER}/status-lists")
    assert unpacked(told["lst"]) == bytes(1 << 17)
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert len(answer.content) < 1_500


@SQLITE_ONLY
def test_the_aggregation_is_in_the_metadata_and_names_every_list(
    server: Server, visitor: Visitor, reader: StatusReader, alice: Account
) -> None:
    for document in ("oauth-authorization-server", "openid-configuration"):
        endpoint = visitor.get(f"/.well-known/{document}").json()["status_list_aggregation_endpoint"]
        assert endpoint == f"{ISSUER}/status-lists"
    visitor.sign_in("alice", PASSWORD)
    server.live.sign_status_lists()
    answer = visitor.get("/status-lists")
    assert answer.headers["content-type"] == "application/json"
    uris = answer.json()["status_lists"]
    assert uris == [f"{ISSUER}/status-lists/{number}" for number in (0, 1)]
    assert [reader.listed(uri)["sub"] for uri in uris] == uris


@SQLITE_ONLY
def test_a_list_is_signed_anew_when_a_bit_changed_or_half_its_time_is_over_and_not_before(
    server: Server, visitor: Visitor, alice: Account, clock: HandClock
) -> None:
    first = visitor.get(LIST)
    clock.advance(29)
    server.live.sign_status_lists()
    again = visitor.get(LIST, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    clock.advance(1)
    server.live.sign_status_lists()
    second = visitor.get(LIST)
    visitor.sign_in("alice", PASSWORD)
    server.live.sign_status_lists()
    assert visitor.get(LIST).content == second.content != first.content, "a sign-in is nobody's business"
    visitor.post("/logout", json={})
    server.live.sign_status_lists()
    assert visitor.get(LIST).content != second.content


@SQLITE_ONLY
def test_a_list_that_was_signed_by_a_clock_that_was_ahead_is_signed_anew(
    server: Server, reader: StatusReader, clock: HandClock
) -> None:
    """Or nobody would hear of a sign-out before the clock shows that moment again: `iat` lies in the future."""
    right = int(clock.now().timestamp())
    for leap in (timedelta(hours=3), timedelta(hours=-3)):
        clock.advance(leap)
        server.follow()
        server.live.sign_status_lists()
    assert reader.listed(ISSUER + LIST)["iat"] == right


@SQLITE_ONLY
def test_after_a_rotation_the_new_key_signs_and_the_list_verifies(
    server: Server, visitor: Visitor, reader: StatusReader, clock: HandClock
) -> None:
    def kid() -> str:
        return str(parse_compact(visitor.get(LIST).text).unverified_header["kid"])

    before = kid()
    clock.advance(timedelta(days=31))
    server.maintain()
    server.follow()
    server.live.sign_status_lists()
    assert kid() == server.tokens.signer().kid != before
    assert reader.listed(ISSUER + LIST)


@SQLITE_ONLY
def test_a_compromised_key_signs_no_list_from_the_next_look_on(
    server: Server, visitor: Visitor, reader: StatusReader
) -> None:
    before = visitor.get(LIST)
    [ring] = server.keyring.snapshot.rings
    assert ring.active is not None
    server.capabilities.rotation.compromise(ring.active, lambda _db, _change: None)
    server.follow()
    server.live.sign_status_lists()
    assert visitor.get(LIST).content != before.content
    assert reader.listed(ISSUER + LIST)


@SQLITE_ONLY
def test_reading_costs_no_statement_and_no_signature(server: Server, visitor: Visitor) -> None:
    signed = dict(server.status_lists._signed) if server.status_lists else {}
    with statements(server.capabilities.database) as seen:
        assert {visitor.get(path).status_code for path in (LIST, "/status-lists")} == {200}
    assert seen == []
    assert server.status_lists is not None
    assert server.status_lists._signed == signed


NO_LISTS = ["", "-1", "00", "0/", "0/0", "1e0", "256", "99999999999999999999", "%30%00", "٠", "..%2f0", "0x0"]


@SQLITE_ONLY
def test_a_path_that_is_no_list_is_not_found(visitor: Visitor) -> None:
    found = {path: visitor.get(f"/status-lists/{path}").status_code for path in NO_LISTS}
    assert set(found.values()) == {404}, found
    ahead = visitor.get("/status-lists/255")
    assert (ahead.status_code, ahead.json()["error"]) == (404, "not_found")
    assert ahead.headers["cache-control"] == "no-store"


@SQLITE_ONLY
def test_the_past_is_not_told(visitor: Visitor) -> None:
    for query in ("time=1686925000", "time=", "time=x&time=y", "a=1&time=0"):
        answer = visitor.get(f"{LIST}?{query}")
        assert (answer.status_code, answer.json()["error"]) == (501, "not_implemented"), query
    for query in ("", "x=1", "TIME=1", "&" * 100, "%ff=%00"):
        assert visitor.get(f"{LIST}?{query}").status_code == 200, query
    assert visitor.post(LIST).status_code == 405


@SQLITE_ONLY
def test_before_the_first_list_is_signed_nobody_is_told_that_there_is_none(
    make_settings: MakeSettings, outside: Outside, make_visitor: MakeVisitor
) -> None:
    """404 would be believed, and every token refused; 503 says when to come back."""
    unstarted = create_app(make_settings(status_list=True), outside)
    visitor = make_visitor(unstarted)
    for path in (LIST, "/status-lists"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    unstarted.runner.close()
    unstarted.capabilities.database.close()


@POSTGRESQL_ONLY
def test_without_the_database_the_last_lists_are_served_and_say_how_old_they_are(
    make_server: MakeServer, make_visitor: MakeVisitor, postgresql: PostgreSQL, clock: HandClock
) -> None:
    with postgresql.clone() as url, Cable(url) as cable:
        server = make_server(status_list=True, database_url=cable.url)
        add_account(server, "Alice")
        visitor = make_visitor(server)
        reader = StatusReader(server, make_visitor(server))
        visitor.sign_in("alice", PASSWORD)
        token = visitor.cookie("__Host-access_token") or ""
        assert reader.status(token) == 0
        asked_at = int(clock.now().timestamp())
        cable.cut()
        clock.advance(timedelta(minutes=10))
        with pytest.raises(DatabaseUnavailable):
            server.live.sign_status_lists()
        assert reader.listed(ISSUER + LIST)["iat"] == asked_at
        cable.mend()
        visitor.post("/logout", json={})
        assert reader.status(token) == 1
        server.capabilities.database.close()
