"""Signing in as an attacker tries it: asking who has an account, guessing, flooding, confusing (SECURITY §4.4)."""

import time

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
from tests.conftest import PASSWORD, add_account
from tests.visitor import Visitor

JSON = (b"content-type", b"application/json")
WRONG = "this is not the password"


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
