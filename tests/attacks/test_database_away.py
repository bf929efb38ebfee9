"""The database is down, cut off, frozen or locked: what needs it says so soon, the rest goes on (SECURITY R7, R9)."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from authserver.accounts.store import Account
from authserver.app import Server, create_app
from authserver.capabilities import Outside
from authserver.database import DatabaseUnavailable
from authserver.settings import Settings
from tests.attacks.cable import Cable
from tests.attacks.marks import POSTGRESQL_ONLY, SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor, ResourceService
from tests.attacks.sabotage import another_writer, demoted
from tests.clocks import HandClock
from tests.conftest import PASSWORD, MakeServer, add_account
from tests.databases import PostgreSQL
from tests.visitor import Visitor

FROM_MEMORY = (
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/livez",
    "/static/style.css",
    "/login",
)
PAGE = {"Accept": "text/html"}
TOKEN = "__Host-access_token"


@pytest.fixture
def cable(postgresql: PostgreSQL) -> Iterator[Cable]:
    with postgresql.clone() as url, Cable(url) as cable:
        yield cable


def attempts(visitor: Visitor) -> list[httpx2.Response]:
    """Everything that cannot be answered without the database."""
    return [
        visitor.sign_in("alice", PASSWORD),
        visitor.post("/session/refresh", json={}),
        visitor.post("/logout", json={}),
        visitor.get("/account", headers=PAGE),
    ]


def says_so(answer: httpx2.Response) -> bool:
    """503, when to come back, and no word that would be believed: nobody is called signed out, no cookie is touched."""
    return (
        answer.status_code == 503
        and int(answer.headers["retry-after"]) >= 1
        and not answer.headers.get_list("set-cookie")
        and "clear-site-data" not in answer.headers
    )


@POSTGRESQL_ONLY
def test_without_its_database_the_server_says_so_publishes_on_and_recovers_by_itself(
    make_server: MakeServer, make_visitor: MakeVisitor, cable: Cable, clock: HandClock
) -> None:
    server = make_server(database_url=cable.url)
    add_account(server, "Alice")
    visitor, stranger = make_visitor(server), make_visitor(server)
    service = ResourceService(server, make_visitor(server))
    visitor.sign_in("alice", PASSWORD)
    token = visitor.cookie(TOKEN)
    assert service.accepts(token)
    cable.cut()
    began = time.perf_counter()
    assert [answer.status_code for answer in attempts(visitor) if not says_so(answer)] == []
    assert time.perf_counter() - began < 4
    assert {stranger.get(path, headers=PAGE).status_code for path in FROM_MEMORY} == {200}
    with pytest.raises(DatabaseUnavailable):
        server.follow()
    clock.advance(timedelta(seconds=4))
    assert stranger.get("/readyz").status_code == 503
    cable.mend()
    server.follow()
    assert stranger.get("/readyz").status_code == 200
    assert visitor.post("/session/refresh", json={}).status_code == 200
    assert service.accepts(token)


@POSTGRESQL_ONLY
def test_a_database_that_hangs_without_a_word_is_answered_for_in_time(
    make_server: MakeServer, make_visitor: MakeVisitor, cable: Cable
) -> None:
    server = make_server(database_url=cable.url)
    add_account(server, "Alice")
    visitor = make_visitor(server)
    visitor.sign_in("alice", PASSWORD)
    cable.freeze()
    began = time.perf_counter()
    refresh: tuple[str, str, dict[str, Any]] = ("POST", "/session/refresh", {"json": {}})
    answers = visitor.together(*[refresh] * 8, *[("GET", path, {}) for path in FROM_MEMORY[:4]])
    took = time.perf_counter() - began
    cable.mend()
    assert all(says_so(answer) for answer in answers[:8])
    assert {answer.status_code for answer in answers[8:]} == {200}
    assert took < 3.5
    assert visitor.post("/session/refresh", json={}).status_code == 200


@POSTGRESQL_ONLY
def test_a_standby_that_takes_no_writes_is_a_database_that_is_away(
    make_server: MakeServer, make_visitor: MakeVisitor, cable: Cable
) -> None:
    """After a failover the old address may reach a server that only reads."""
    server = make_server(database_url=cable.url)
    add_account(server, "Alice")
    visitor, database = make_visitor(server), server.capabilities.database
    visitor.sign_in("alice", PASSWORD)
    with demoted(database):
        assert says_so(visitor.post("/session/refresh", json={}))
        assert says_so(visitor.post("/logout", json={}))
    assert visitor.post("/logout", json={}).status_code == 200


@SQLITE_ONLY
def test_while_another_process_writes_nobody_is_misled_and_documents_do_not_wait(
    server: Server, visitor: Visitor, alice: Account, clock: HandClock
) -> None:
    visitor.sign_in("alice", PASSWORD)
    token = visitor.cookie(TOKEN)
    with another_writer(server.capabilities.database):
        began = time.perf_counter()
        answers = visitor.together(
            ("POST", "/logout", {"json": {}}),
            ("POST", "/session/refresh", {"json": {}}),
            *[("GET", path, {}) for path in FROM_MEMORY[:4]],
        )
        assert time.perf_counter() - began < 3.5
    assert all(says_so(answer) for answer in answers[:2])
    assert {answer.status_code for answer in answers[2:]} == {200}
    assert visitor.cookie(TOKEN) == token


@SQLITE_ONLY
def test_a_writer_that_is_done_soon_is_waited_for_off_the_event_loop(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    visitor.sign_in("alice", PASSWORD)
    hold = another_writer(server.capabilities.database)
    hold.__enter__()
    order: list[str] = []

    async def play() -> int:
        async def document() -> None:
            await visitor.http.get("/.well-known/jwks.json")
            order.append("document")
            hold.__exit__(None, None, None)

        async def refresh() -> int:
            answer = await visitor.http.post("/session/refresh", json={})
            order.append("refresh")
            return answer.status_code

        renewed, _ = await asyncio.gather(refresh(), document())
        return renewed

    assert visitor._loop.run(play()) == 200
    assert order == ["document", "refresh"]


@POSTGRESQL_ONLY
def test_a_server_that_starts_without_its_database_works_as_soon_as_it_is_there(
    make_settings: Callable[..., Settings], outside: Outside, make_visitor: MakeVisitor, cable: Cable
) -> None:
    cable.cut()
    server = create_app(make_settings(database_url=cable.url), outside)
    with pytest.raises(DatabaseUnavailable):
        server.start()
    visitor = make_visitor(server)
    statuses = [visitor.get(path).status_code for path in ("/livez", "/readyz", "/.well-known/jwks.json")]
    assert statuses == [200, 503, 503]
    assert says_so(visitor.sign_in("alice", PASSWORD))
    cable.mend()
    server.maintain()
    server.follow()
    assert visitor.get("/readyz").status_code == 200
    server.runner.close()
    server.capabilities.database.close()


def test_signing_stops_when_the_keys_were_not_confirmed_for_half_the_skew(
    server: Server, visitor: Visitor, alice: Account, clock: HandClock
) -> None:
    visitor.sign_in("alice", PASSWORD)
    clock.advance(30)
    assert visitor.post("/session/refresh", json={}).status_code == 200
    clock.advance(1)
    for answer in (visitor.post("/session/refresh", json={}), visitor.sign_in("alice", PASSWORD)):
        assert says_so(answer)
    assert visitor.get("/revocations").status_code == 503
    assert visitor.get("/.well-known/jwks.json").status_code == 200
    assert visitor.post("/logout", json={}).status_code == 200, "signing out needs no key"
    server.follow()
    assert visitor.sign_in("alice", PASSWORD).status_code == 200


@SQLITE_ONLY
def test_readiness_is_lost_three_seconds_after_the_last_word_of_the_database(
    server: Server, visitor: Visitor, clock: HandClock
) -> None:
    statuses = []
    for seconds in (0, 3, 0.5):
        clock.advance(seconds)
        statuses.append(visitor.get("/readyz").status_code)
    assert statuses == [200, 200, 503]
    assert visitor.get("/livez").status_code == 200
