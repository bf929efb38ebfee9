"""Two servers on one PostgreSQL, as real processes: what is done at one is known at the other within a second."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from time import monotonic

import pytest

from authserver.protocol import paths
from tests.databases import PostgreSQL
from tests.faults.contract import (
    NEWS,
    gap_was_caught_up_by_deltas,
    no_sign_out_was_forgotten,
    no_valid_token_was_refused,
)
from tests.faults.door import Door
from tests.faults.login import Server, give_keys, kid_of, people, sign_out_until, tokens
from tests.faults.running_services import Service
from tests.faults.verdicts import ACCEPTED, SIGNED_OUT
from tests.processes import HOST, free_ports, until


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers of one issuer, which is reached at `door`: at the first of them that is alive."""

    one: Server
    other: Server
    door: str


@pytest.fixture(scope="module")
def pair(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Each in a folder of its own, as on two machines: they share the database, and the folder of the keys."""
    shared, first = tmp_path_factory.mktemp("shared"), free_ports()
    folders = (tmp_path_factory.mktemp("login"), tmp_path_factory.mktemp("login"))
    with postgresql.clone() as url, Door((first, first + 1)) as door:
        issuer = f"http://{HOST}:{door.port}"
        give_keys(shared, issuer=issuer, database_url=url)
        chosen = {"issuer": issuer, "database_url": url, "keys_directory": str(shared / "keys")}
        one, other = (Server(folder, first + place, **chosen) for place, folder in enumerate(folders))
        with one, other:
            yield Pair(one, other, issuer)


def test_who_signs_out_at_one_server_is_refused_by_a_guard_that_follows_the_other(pair: Pair) -> None:
    everybody = people(pair.other.port, 6)
    leaving = dict(list(everybody.items())[:5])
    staying = everybody.keys() - leaving.keys()
    with Service(pair.door) as service:
        service.warm(tokens(everybody))
        acknowledged = sign_out_until(lambda: None, 0, leaving, pair.other.port)
        until(lambda: service.all_say(SIGNED_OUT, leaving))
    assert acknowledged.keys() == leaving.keys()
    no_valid_token_was_refused(service, staying)
    no_sign_out_was_forgotten(service, acknowledged)


def test_when_one_server_is_killed_the_guard_goes_on_at_the_other(pair: Pair) -> None:
    everybody = people(pair.other.port, 14)
    leaving = dict(list(everybody.items())[:10])
    staying = everybody.keys() - leaving.keys()
    with Service(pair.door) as service:
        service.warm(tokens(everybody))
        began = monotonic()
        acknowledged = sign_out_until(pair.one.kill, 4, leaving, pair.other.port)
        until(lambda: service.all_say(SIGNED_OUT, leaving))
        until(service.streams)
    pair.one.start()
    assert acknowledged.keys() == leaving.keys(), "the other server did not mind"
    no_valid_token_was_refused(service, staying)
    no_sign_out_was_forgotten(service, acknowledged)
    gap_was_caught_up_by_deltas(service, since=began)
    pair.one.wait()


def test_a_key_rotated_once_is_published_by_both_servers_and_no_guard_stumbles(pair: Pair) -> None:
    servers = (pair.one, pair.other)
    person = people(pair.other.port, 1)["person00"]
    before = published(pair.one)
    with Service(pair.door) as service:
        service.warm({"old": person.token})
        pair.one.command("keys", "rotate", "--json")
        until(lambda: published(pair.one) == published(pair.other) > before, within=NEWS)
        renewed = {f"new {server.port}": person.renewed(server.port) for server in servers}
        service.watch(renewed)
        until(lambda: service.all_say(ACCEPTED, renewed))
    assert {kid_of(token) for token in renewed.values()} == before - {kid_of(person.token)}
    no_valid_token_was_refused(service, ["old", *renewed])


def published(server: Server) -> set[str]:
    """The `kid` of every key in a server's JWKS."""
    with closing(HTTPConnection(HOST, server.port, timeout=5)) as connection:
        connection.request("GET", paths.JWKS)
        return {key["kid"] for key in json.load(connection.getresponse())["keys"]}
