import json
from base64 import urlsafe_b64decode
from typing import Any

from authserver.protocol import paths
from authserver.protocol.revocation import EVENT
from authserver.resource.guard import Guard, PlainRequest
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.testing import LocalIssuer


def ask(guard: Guard, headers: dict[str, str]) -> Principal | Refusal:
    return guard.authenticate(PlainRequest("GET", {name.lower(): value for name, value in headers.items()}))


def test_a_service_can_be_tested_without_network_or_keys() -> None:
    issuer = LocalIssuer()
    guard = Guard(issuer.url, audience=issuer.audience, fetch=issuer.fetch)
    holder = ask(guard, issuer.bearer("alice", scope="orders:write", roles=["admin"], sid="phone"))
    assert isinstance(holder, Principal)
    assert (holder.sub, holder.scope, holder.roles) == (
        "alice",
        frozenset({"orders:write"}),
        frozenset({"admin"}),
    )
    assert ask(guard, issuer.bearer(lifetime=-3_600)) == Refusal(Reason.EXPIRED)
    guard.close()


def test_a_logout_can_be_tested() -> None:
    issuer = LocalIssuer()
    issuer.revoke("sid", "phone")
    guard = Guard(issuer.url, audience=issuer.audience, fetch=issuer.fetch)
    outcome = ask(guard, issuer.bearer(sid="phone"))
    assert isinstance(outcome, Refusal)
    assert outcome.reason is Reason.SIGNED_OUT
    guard.close()


def test_a_logout_is_known_at_the_next_poll() -> None:
    issuer = LocalIssuer()
    guard = Guard(issuer.url, audience=issuer.audience, fetch=issuer.fetch)
    headers = issuer.bearer(sid="phone")
    assert isinstance(ask(guard, headers), Principal)
    guard.close()
    issuer.revoke("sid", "phone")
    feed = guard._trust.feed
    assert feed is not None
    feed.poll_once()
    outcome = ask(guard, headers)
    assert isinstance(outcome, Refusal)
    assert outcome.reason is Reason.SIGNED_OUT


def test_a_reader_is_answered_from_where_it_stands() -> None:
    issuer = LocalIssuer()
    issuer.revoke("sid", "phone")
    issuer.revoke("sub", "bob", before=7)
    asked = {
        "": (None, None, [1, 2]),
        f"?since=1&mark={issuer._marks[1]}": (1, issuer._marks[1], [2]),
        f"?since=2&mark={issuer._marks[2]}": (2, issuer._marks[2], []),
    }
    for query, (since, mark, sequences) in asked.items():
        said = event(issuer, query)
        assert (said.get("since"), said.get("since_mark")) == (since, mark)
        assert [entry["seq"] for entry in said["entries"]] == sequences
    assert event(issuer, "?since=2&mark=other")["reset"] == {"since": 2, "mark": "other"}
    assert event(issuer, "?since=9&mark=other")["mark"] == issuer._marks[2]


def event(issuer: LocalIssuer, query: str) -> dict[str, Any]:
    payload = issuer.fetch(issuer.url + paths.REVOCATIONS + query, None).body.split(b".")[1]
    said: dict[str, Any] = json.loads(urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))["events"][
        EVENT
    ]
    return said


def test_other_addresses_are_not_found() -> None:
    assert LocalIssuer().fetch("https://login.test/elsewhere", None).status == 404
