"""Signing in as an attacker tries it: asking who has an account, guessing, flooding, confusing (SECURITY §4.4)."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from authserver.accounts import store as accounts
from authserver.accounts.hashing import Parameters, PasswordHasher
from authserver.accounts.passwords import prepare
from authserver.accounts.store import Account
from authserver.accounts.usernames import InvalidUsername, canonical
from authserver.app import Server
from authserver.sessions.sign_in import NOBODY
from tests.attacks.bare_request import send
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor
from tests.attacks.watching import HashGate, statements
from tests.clocks import HandClock
from tests.conftest import PASSWORD, MakeServer, add_account
from tests.visitor import Visitor

JSON = (b"content-type", b"application/json")
WRONG = "this is not the password"


def tries(visitor: Visitor, name: str, times: int) -> list[int]:
    return [visitor.sign_in(name, WRONG).status_code for _ in range(times)]


def told(answer: httpx2.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    return answer.status_code, answer.content, answer.headers.multi_items()


def test_an_unknown_account_and_a_wrong_password_are_answered_byte_for_byte_alike(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    add_account(server, "Carol")
    carol = server.capabilities.database.read(lambda db: accounts.by_username(db, canonical("carol")))
    assert carol is not None
    server.capabilities.database.write(
        lambda db: server.capabilities.consequences.disable(db, carol, server.capabilities.clock.now())
    )
    answers = [
        told(visitor.sign_in("alice", WRONG)),
        told(visitor.sign_in("nobody", WRONG)),
        told(visitor.sign_in("carol", PASSWORD)),
        told(visitor.sign_in("no body", WRONG)),
        told(visitor.sign_in("alice", "\u200b")),
        told(visitor.sign_in("", "")),
    ]
    assert answers[0][0] == 401
    assert all(answer == answers[0] for answer in answers)


@SQLITE_ONLY
def test_the_page_says_the_same_of_an_unknown_account_and_of_a_wrong_password(
    server: Server, make_visitor: MakeVisitor, alice: Account
) -> None:
    pages = []
    for name in ("alice", "nobod"):
        visitor = make_visitor(server)
        visitor.http.cookies.set("__Host-form", "same", domain="login.example.com", path="/")
        answer = visitor.form("/login", "/login", {"username": name, "password": WRONG})
        pages.append((answer.status_code, answer.text.replace(name, "")))
    assert pages[0] == pages[1]
    assert pages[0][0] == 401


def test_an_unknown_account_costs_as_many_hashes_and_statements_as_a_wrong_password(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    gate, work = HashGate(server), []
    for name in ("alice", "nobody", "no body"):
        before = gate.count
        with statements(server.capabilities.database) as seen:
            visitor.sign_in(name, WRONG)
        work.append((gate.count - before, seen))
    assert work[0][0] == 1
    assert work[0] == work[1] == work[2]


SPELLINGS = {
    "Alice": ["alice", "ALICE", "aLiCe", "ａｌｉｃｅ"],
    "Élodie": ["élodie", "e\u0301lodie", "E\u0301LODIE"],
    "김철수": ["\u1100\u1175\u11b7\u110e\u1165\u11af\u1109\u116e"],
}


@SQLITE_ONLY
def test_every_spelling_of_a_name_signs_in_to_the_one_account(server: Server, visitor: Visitor) -> None:
    made = {name: add_account(server, name) for name in SPELLINGS}
    for name, spellings in SPELLINGS.items():
        for typed in spellings:
            assert visitor.sign_in(typed, PASSWORD).json()["sub"] == made[name].id, typed


LOOK_ALIKES = ["al\u200bice", "\u202ealice", "аlice", "alıce", "alice ", "alice\u0000", "ⓐlice", "a" * 4_096]


@SQLITE_ONLY
def test_a_name_that_only_looks_like_hers_is_not_hers(visitor: Visitor, alice: Account) -> None:
    assert {visitor.sign_in(typed, PASSWORD).status_code for typed in LOOK_ALIKES} == {401}


def test_no_account_can_have_the_name_that_stands_for_no_name() -> None:
    with pytest.raises(InvalidUsername):
        canonical(NOBODY)


@SQLITE_ONLY
def test_spellings_share_one_counter_of_guesses(visitor: Visitor, alice: Account) -> None:
    spellings = ["alice", "ALICE", "Alice", "ａlice", "aLICE"] * 2
    assert {visitor.sign_in(each, WRONG).status_code for each in spellings} == {401}
    assert visitor.sign_in("aliCE", WRONG).status_code == 429


@SQLITE_ONLY
@pytest.mark.parametrize(
    ("password", "status"),
    [("p" * 4_096, 401), ("p" * 4_097, 400), ("é" * 2_049, 400), ("p" * 20_000, 413), ("p" * 1_000_000, 413)],
    ids=["4 KB", "4 KB and one", "4 KB and two in UTF-8", "20 KB", "1 MB"],
)
def test_a_password_too_long_is_refused_before_anything_is_hashed(
    server: Server, visitor: Visitor, alice: Account, password: str, status: int
) -> None:
    gate = HashGate(server)
    began = time.perf_counter()
    assert visitor.sign_in("alice", password).status_code == status
    assert gate.count == (1 if status == 401 else 0)
    assert time.perf_counter() - began < 1


@SQLITE_ONLY
def test_of_fifty_megabytes_only_the_first_few_kilobytes_are_read(server: Server) -> None:
    chunk = {"type": "http.request", "body": b'{"password":"' + b"p" * 1_000_000, "more_body": True}
    streamed = send(server, "POST", "/login", JSON, messages=(chunk,) * 50)
    assert (streamed.status, streamed.unread) == (413, 49)
    declared = send(server, "POST", "/login", JSON, (b"content-length", b"50000000"), messages=(chunk,) * 50)
    assert (declared.status, declared.unread) == (413, 50)


@SQLITE_ONLY
def test_seventy_two_bytes_are_not_where_a_password_ends(server: Server, visitor: Visitor) -> None:
    add_account(server, "Alice", "p" * 72 + "right")
    assert visitor.sign_in("alice", "p" * 72 + "wrong").status_code == 401
    assert visitor.sign_in("alice", "p" * 72).status_code == 401
    assert visitor.sign_in("alice", "p" * 72 + "right").status_code == 200


UNCLEAR_JSON = [
    b'{"username":"alice","password":"\\ud800"}',
    b'{"username":"\\udc00","password":"x"}',
    b'{"username":"alice","password":"\xff\xfe"}',
    b'{"username":"alice","password":"x","password":"y"}',
    b'{"username":"alice","username":"bob","password":"y"}',
    b'{"username":"alice"}',
    b'{"username":"alice","password":null}',
    b'{"username":["alice"],"password":"x"}',
    b'{"username":"alice","password":{"$ne":""}}',
    b'{"username":1,"password":2}',
    b'{"username":"alice","password":"x","return_to":7}',
    b'["alice","x"]',
    b"null",
    b"",
    b"{",
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b"[" * 16_000,
    b'{"n":' + b"9" * 9_000 + b"}",
    b'{"n":NaN}',
    b'{"username":"alice","password":"x"} trailing',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
]


@SQLITE_ONLY
def test_json_that_parsers_disagree_about_is_refused_before_anything_is_hashed(
    server: Server, visitor: Visitor
) -> None:
    gate = HashGate(server)
    for body in UNCLEAR_JSON:
        answer = visitor.post("/login", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), body[:60]
    assert gate.count == 0


@SQLITE_ONLY
def test_a_nul_in_a_json_field_is_a_wrong_name_or_password_and_no_more(
    visitor: Visitor, alice: Account
) -> None:
    assert visitor.sign_in("alice\0", PASSWORD).status_code == 401
    assert visitor.sign_in("alice", PASSWORD + "\0").status_code == 401


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


@SQLITE_ONLY
def test_signing_in_makes_a_weakly_hashed_password_strong(
    server: Server, visitor: Visitor, clock: HandClock
) -> None:
    weak, parts = PasswordHasher(Parameters(8, 1, 1)).hash(prepare(PASSWORD)), server.capabilities
    account = add_account(server, "Alice")
    parts.database.write(lambda db: accounts.change(db, account.id, password_hash=weak))
    parts.hasher.parameters = Parameters(16, 2, 1)
    assert visitor.sign_in("alice", PASSWORD).status_code == 200
    stored = parts.database.read(lambda db: accounts.by_id(db, account.id))
    assert stored is not None
    assert "m=16,t=2,p=1" in (stored.password_hash or "")
    assert visitor.sign_in("alice", PASSWORD).status_code == 200


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
