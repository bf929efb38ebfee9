"""Guessing passwords, and flooding whoever checks them: what is let through, and who else is hurt (SECURITY L10, L12)."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2

from authserver.accounts.store import Account
from authserver.app import Server
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor
from tests.attacks.watching import HashGate
from tests.clocks import HandClock
from tests.conftest import PASSWORD, MakeServer, add_account
from tests.visitor import Visitor

WRONG = "this is not the password"


def tries(visitor: Visitor, name: str, times: int) -> list[int]:
    return [visitor.sign_in(name, WRONG).status_code for _ in range(times)]


def test_the_eleventh_guess_is_refused_unseen_and_told_in_two_languages_when_to_come_back(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    assert tries(visitor, "alice", 10) == [401] * 10
    gate = HashGate(server)
    for language, words in (("en", "Try again in 600 seconds."), ("ko", "600초 후에 다시 시도")):
        answer = visitor.sign_in("alice", PASSWORD, headers={"Accept-Language": language})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "600")
        assert words in answer.json()["message"]
        assert answer.json()["error"] == "too_many_attempts"
    page = visitor.form("/login", "/login", {"username": "alice", "password": PASSWORD})
    assert (page.status_code, page.headers["retry-after"]) == (429, "600")
    assert gate.count == 0


@SQLITE_ONLY
def test_an_unknown_name_is_throttled_like_an_account(visitor: Visitor, alice: Account) -> None:
    hers, nobodys = tries(visitor, "alice", 11), tries(visitor, "nobody", 11)
    assert hers == nobodys == [401] * 10 + [429]


@SQLITE_ONLY
def test_after_the_window_the_right_password_works_again(
    server: Server, visitor: Visitor, alice: Account, clock: HandClock
) -> None:
    tries(visitor, "alice", 11)
    clock.advance(timedelta(seconds=600))
    server.follow()
    assert visitor.sign_in("alice", PASSWORD).status_code == 200


@SQLITE_ONLY
def test_a_person_under_attack_signs_in_from_a_known_device_and_others_are_untouched(
    server: Server, make_visitor: MakeVisitor, alice: Account
) -> None:
    add_account(server, "Bob")
    owner, stranger = make_visitor(server), make_visitor(server, address="198.51.100.66")
    owner.sign_in("alice", PASSWORD)
    owner.post("/logout", json={})
    assert tries(stranger, "alice", 12)[-2:] == [429, 429]
    assert owner.sign_in("alice", PASSWORD).status_code == 200
    assert make_visitor(server).sign_in("bob", PASSWORD).status_code == 200


@SQLITE_ONLY
def test_a_device_known_to_one_account_is_a_stranger_to_another(
    server: Server, visitor: Visitor, make_visitor: MakeVisitor, alice: Account
) -> None:
    add_account(server, "Mallory")
    visitor.sign_in("mallory", PASSWORD)
    tries(make_visitor(server), "alice", 10)
    assert visitor.sign_in("alice", PASSWORD).status_code == 429


def test_of_a_hundred_guesses_at_once_ten_are_looked_at(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    server = make_server(hash_queue=200)
    add_account(server, "Alice")
    gate = HashGate(server)
    guess = ("POST", "/login", {"json": {"username": "alice", "password": WRONG}})
    # From two addresses, or the address's own limit of fifty would be what holds.
    answers = [
        answer.status_code
        for address in ("198.51.100.1", "198.51.100.2")
        for answer in make_visitor(server, address=address).together(*[guess] * 49)
    ]
    assert (answers.count(401), answers.count(429), gate.count) == (10, 88, 10)


@SQLITE_ONLY
def test_a_proxys_header_from_a_stranger_does_not_make_a_new_address(
    server: Server, visitor: Visitor
) -> None:
    def guess(number: int) -> int:
        forged = f"10.0.{number}.1"
        headers = {"X-Forwarded-For": forged, "Forwarded": f"for={forged}", "X-Real-IP": forged}
        return visitor.sign_in(f"user{number}", WRONG, headers=headers).status_code

    assert [guess(number) for number in range(51)] == [401] * 50 + [429]


@SQLITE_ONLY
def test_hopping_inside_an_ipv6_network_of_one_customer_is_standing_still(
    server: Server, make_visitor: MakeVisitor
) -> None:
    answers = []
    for number in range(3):
        visitor = make_visitor(server, address=f"2001:db8:1:2:{number}::{number}")
        answers += [visitor.sign_in(f"user{number}-{each}", WRONG).status_code for each in range(17)]
    assert answers == [401] * 50 + [429]


@SQLITE_ONLY
def test_fifty_one_people_of_one_office_can_all_sign_in(
    server: Server, make_visitor: MakeVisitor, alice: Account
) -> None:
    """One IPv4 address is an office, a school or half a mobile network; successes are no attack."""
    assert {make_visitor(server).sign_in("alice", PASSWORD).status_code for _ in range(51)} == {200}


def hammer(visitor: Visitor, gate: HashGate, times: int) -> tuple[list[httpx2.Response], httpx2.Response]:
    """Fill the hashing queue with two sign-ins, try more often than it takes, and then let it work."""

    async def play() -> tuple[list[httpx2.Response], httpx2.Response]:
        body: dict[str, Any] = {"json": {"username": "busy", "password": WRONG}}
        gate.shut()
        waiting = [asyncio.ensure_future(visitor.http.post("/login", **body)) for _ in range(2)]
        await asyncio.to_thread(gate.reached.wait, 10)
        refused = [
            await visitor.http.post("/login", json={"username": "alice", "password": PASSWORD})
            for _ in range(times)
        ]
        jwks = await visitor.http.get("/.well-known/jwks.json")
        gate.open()
        await asyncio.gather(*waiting)
        return refused, jwks

    return visitor._loop.run(play())


@SQLITE_ONLY
def test_when_the_hashing_queue_is_full_the_next_is_told_to_come_back_and_documents_go_on(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    server = make_server(hash_threads=1, hash_queue=1)
    add_account(server, "Alice")
    visitor = make_visitor(server)
    [refused], jwks = hammer(visitor, HashGate(server), 1)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["error"] == "temporarily_unavailable"
    assert "set-cookie" not in refused.headers
    assert jwks.status_code == 200
    assert visitor.sign_in("alice", PASSWORD).status_code == 200


@SQLITE_ONLY
def test_a_password_that_was_never_looked_at_does_not_count_as_a_guess(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    """Else whoever keeps the queue full locks out everybody who tries again as told."""
    server = make_server(hash_threads=1, hash_queue=1)
    add_account(server, "Alice")
    visitor = make_visitor(server)
    refused, _ = hammer(visitor, HashGate(server), 11)
    assert {answer.status_code for answer in refused} == {503}
    assert visitor.sign_in("alice", PASSWORD).status_code == 200
