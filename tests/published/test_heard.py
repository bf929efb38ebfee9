"""POST /revocations/heard: what a service says of itself is taken, remembered, and believed by nobody."""

import json
from typing import Any

import pytest
from starlette.types import Message

from authserver.app import Server
from authserver.published import heard
from authserver.services import store
from authserver.services.live import LiveServices
from authserver.services.store import Instance
from tests.attacks.bare_request import Answer, send, trickle
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.sabotage import execute
from tests.clocks import HandClock
from tests.services.saying import report, said

PATH = "/revocations/heard"
JSON = (b"content-type", b"application/json")


def body(*parts: bytes) -> tuple[Message, ...]:
    last = len(parts) - 1
    return tuple(
        {"type": "http.request", "body": part, "more_body": number < last}
        for number, part in enumerate(parts)
    )


def say(server: Server, *headers: tuple[bytes, bytes], **other: Any) -> Answer:
    """Send a report as a guard does."""
    return send(server, "POST", PATH, JSON, *headers, messages=body(json.dumps(report(**other)).encode()))


def stored(server: Server) -> list[Instance]:
    server.services.write_heard()
    return server.capabilities.database.read(store.instances)


def test_report_is_taken_and_known_by_the_clock_of_the_server(server: Server, clock: HandClock) -> None:
    answer = say(server)
    assert (answer.status, answer.body, answer.headers["cache-control"]) == (204, b"", "no-store")
    [found] = stored(server)
    assert (found.service, found.instance, found.sequence, found.by) == ("orders", "one", 7, "stream")
    assert found.heard_at == clock.now()


def test_nothing_that_was_said_changes_what_the_server_publishes(server: Server) -> None:
    before = send(server, "GET", "/.well-known/jwks.json").body
    assert say(server, sequence=2**53 - 1, kids=["made up"]).status == 204
    stored(server)
    server.follow()
    assert send(server, "GET", "/.well-known/jwks.json").body == before
    assert server.revocations.known is not None
    assert server.revocations.known.head.sequence == 0


@SQLITE_ONLY
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_only_post_is_allowed_so_no_page_of_another_site_gets_through_its_preflight(
    server: Server, method: str
) -> None:
    answer = send(server, method, PATH, (b"origin", b"https://evil.example"))
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert not [name for name in answer.headers if name.startswith("access-control-")]


NO_JSON = [
    b"text/plain",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data",
    b"application/jsonp",
    b"text/plain; application/json",
    b"",
    b"\xff",
]


@SQLITE_ONLY
@pytest.mark.parametrize("kind", NO_JSON)
def test_what_a_form_of_another_site_could_send_is_not_read(server: Server, kind: bytes) -> None:
    sent = body(json.dumps(report()).encode())
    answer = send(server, "POST", PATH, (b"content-type", kind), messages=sent)
    assert (answer.status, answer.unread) == (415, 1)
    assert stored(server) == []


def test_a_report_without_a_media_type_is_not_read(server: Server) -> None:
    assert send(server, "POST", PATH, messages=body(json.dumps(report()).encode())).status == 415


@SQLITE_ONLY
@pytest.mark.parametrize("kind", [b"application/json; charset=utf-8", b"Application/JSON"])
def test_json_is_json_however_it_is_written(server: Server, kind: bytes) -> None:
    sent = body(json.dumps(report()).encode())
    assert send(server, "POST", PATH, (b"content-type", kind), messages=sent).status == 204


HOSTILE = [
    b"",
    b"null",
    b"[]",
    b"7",
    b"{",
    b"{}",
    b'"orders"',
    b"\xff\xfe",
    b"[" * 2000,
    b'{"a":' * 500,
    json.dumps([report()]).encode(),
    json.dumps(report()).encode() + b"x",
    json.dumps(report()).encode().replace(b'"by"', b'"service": "other", "by"'),
    json.dumps(report()).encode().replace(b"7", b"NaN"),
    json.dumps(report()).encode().replace(b"7", b"1e3"),
    json.dumps(report(sequence=10**30)).encode(),
    json.dumps(report(service="a\x00")).encode(),
    json.dumps(report(service="\ud800")).encode(),
    json.dumps(report(service="\x1b[2J")).encode(),
    json.dumps(report(kids=["k"] * 33)).encode(),
    json.dumps(report(more=1)).encode(),
    json.dumps(report()).encode("utf-16"),
]


@SQLITE_ONLY
@pytest.mark.parametrize("sent", HOSTILE, ids=lambda sent: ascii(sent[:40]))
def test_anything_else_is_the_clients_mistake_in_words(server: Server, sent: bytes) -> None:
    answer = send(server, "POST", PATH, JSON, messages=body(sent))
    assert answer.status == 400
    assert json.loads(answer.body)["error"] == "invalid_request"
    assert json.loads(answer.body)["message"].endswith(".")
    assert stored(server) == []


@SQLITE_ONLY
@pytest.mark.parametrize("declared", [b"-1", b"x", b"\xb2", b"9" * 19])
def test_a_length_that_is_none_is_the_clients_mistake(server: Server, declared: bytes) -> None:
    assert say(server, (b"content-length", declared)).status == 400


@SQLITE_ONLY
def test_too_much_is_not_read(server: Server) -> None:
    declared = send(server, "POST", PATH, JSON, (b"content-length", b"4097"), messages=body(b"{}"))
    assert (declared.status, declared.unread) == (413, 1)
    undeclared = send(server, "POST", PATH, JSON, messages=body(*[b" " * 1000] * 9))
    assert (undeclared.status, undeclared.unread) == (413, 4)


@SQLITE_ONLY
def test_a_report_may_come_in_pieces_and_one_that_ends_early_is_none(server: Server) -> None:
    whole = json.dumps(report()).encode()
    assert send(server, "POST", PATH, JSON, messages=body(whole[:30], whole[30:], b"")).status == 204
    cut = ({"type": "http.request", "body": whole[:30], "more_body": True}, {"type": "http.disconnect"})
    assert send(server, "POST", PATH, JSON, messages=cut).status == 400


@SQLITE_ONLY
def test_a_body_that_trickles_in_is_not_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard, "SLOWEST", 0.01)
    answer = trickle(server, PATH, JSON)
    assert (answer.status, answer.headers["connection"]) == (408, "close")


@SQLITE_ONLY
def test_no_cookie_is_read_and_none_is_set(server: Server) -> None:
    answer = say(server, (b"cookie", b"__Host-session=" + b"x" * 9_000))
    assert answer.status == 204
    assert "set-cookie" not in answer.headers


@SQLITE_ONLY
def test_a_crowd_is_told_when_to_come_back(server: Server, clock: HandClock) -> None:
    server.services._most = 2
    answers = [say(server, instance=str(number)) for number in range(3)]
    assert [answer.status for answer in answers] == [204, 204, 503]
    assert int(answers[-1].headers["retry-after"]) >= 1
    clock.advance(91)
    assert say(server, instance="3").status == 204


def test_reports_are_taken_while_the_database_is_away(server: Server) -> None:
    execute(server.capabilities.database, "ALTER TABLE service_instance RENAME TO away")
    assert say(server).status == 204
    with pytest.raises(Exception, match="service_instance"):
        server.services.write_heard()
    assert say(server, sequence=8).status == 204
    execute(server.capabilities.database, "ALTER TABLE away RENAME TO service_instance")
    assert [one.sequence for one in stored(server)] == [8]


def test_what_two_servers_were_told_is_one_list(server: Server, clock: HandClock) -> None:
    other = LiveServices(server.capabilities.database, clock)
    assert say(server).status == 204
    stored(server)
    clock.advance(1)
    other.hear(said(sequence=8), "203.0.113.9")
    other.write_heard()
    say(server, service="billing")
    assert [(one.service, one.sequence) for one in stored(server)] == [("billing", 7), ("orders", 8)]
