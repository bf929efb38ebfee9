"""Changing a password: who may, what it ends, and what happens while it is being done."""

from collections.abc import Callable
from datetime import datetime

import pytest

from authserver.accounts import devices
from authserver.accounts import store as accounts
from authserver.accounts.passwords import prepare
from authserver.accounts.store import Account
from authserver.app import Server
from authserver.capabilities import Outside
from authserver.keyring.generation import Generate
from authserver.resource.refusal import Reason
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor, ResourceService
from tests.attacks.watching import HashGate
from tests.clocks import HandClock
from tests.conftest import PASSWORD, add_account
from tests.visitor import Visitor

SESSION, TOKEN, DEVICE = "__Host-session", "__Host-access_token", "__Host-device"
NEW = "quartz lantern otter brisk"


class InterruptedClock(HandClock):
    """While somebody waits, something else happens."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], None] | None = None

    async def reach(self, moment: datetime) -> None:
        happening, self.meanwhile = self.meanwhile, None
        if happening is not None:
            happening()
        await super().reach(moment)


@pytest.fixture
def clock() -> InterruptedClock:
    return InterruptedClock()


@pytest.fixture
def outside(clock: InterruptedClock, generate: Generate, outside: Outside) -> Outside:
    return Outside(clock, generate, outside.hashing)


def change(
    visitor: Visitor, current: str = PASSWORD, new: str = NEW, language: str = "en"
) -> tuple[int, str, str]:
    body = {"current_password": current, "new_password": new}
    answer = visitor.post("/account/password", json=body, headers={"Accept-Language": language})
    facts = answer.json()
    return answer.status_code, facts["message"], facts.get("field", "")


def set_by_operator(server: Server, account: Account, password: str) -> None:
    parts = server.capabilities
    hashed = parts.hasher.hash(prepare(password))
    parts.database.write(
        lambda db: parts.consequences.change_password(db, account, hashed, parts.clock.now(), "operator")
    )


def test_a_changed_password_ends_every_other_session_every_token_and_every_device(
    server: Server, make_visitor: MakeVisitor, alice: Account
) -> None:
    laptop, phone = make_visitor(server), make_visitor(server)
    service = ResourceService(server, make_visitor(server))
    laptop.sign_in("alice", PASSWORD)
    phone.sign_in("alice", PASSWORD)
    before = {name: laptop.cookie(name) for name in (SESSION, TOKEN, DEVICE)}
    stolen = phone.cookie(DEVICE)
    assert change(laptop)[0] == 200
    assert all(laptop.cookie(name) != value for name, value in before.items())
    assert phone.post("/session/refresh", json={}).status_code == 401
    for token in (before[TOKEN], phone.cookie(TOKEN)):
        assert service.refusal(token) is Reason.SIGNED_OUT
    assert service.accepts(laptop.cookie(TOKEN))
    now = server.capabilities.clock.now()
    assert not server.capabilities.database.read(lambda db: devices.recognise(db, stolen, alice.id, now))
    assert phone.sign_in("alice", PASSWORD).status_code == 401
    assert phone.sign_in("alice", NEW).status_code == 200


@SQLITE_ONLY
def test_the_new_password_must_be_good_and_the_reason_is_said_in_two_languages(
    visitor: Visitor, alice: Account
) -> None:
    visitor.sign_in("alice", PASSWORD)
    assert change(visitor, new="short") == (422, "The password needs at least 15 characters.", "new_password")
    assert change(visitor, new="short", language="ko") == (
        422,
        "비밀번호는 15자 이상이어야 합니다.",
        "new_password",
    )
    for weak in (
        "p" * 1_025,
        "aaaaaaaaaaaaaaaaaaaa",
        "authserver2026authserver",
        PASSWORD,
        "\u200b" * 20,
        "x\0" * 10,
    ):
        status, _, where = change(visitor, new=weak)
        assert (status, where) == (422, "new_password"), weak
    assert visitor.sign_in("alice", PASSWORD).status_code == 200


@SQLITE_ONLY
def test_a_stolen_session_cannot_guess_the_current_password_without_end(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    visitor.sign_in("alice", PASSWORD)
    assert {change(visitor, current="a guess of the thief")[0] for _ in range(10)} == {422}
    gate = HashGate(server)
    body = {"current_password": PASSWORD, "new_password": NEW}
    answer = visitor.post("/account/password", json=body)
    assert (answer.status_code, gate.count) == (429, 0)
    assert answer.headers["retry-after"] == "600"


@SQLITE_ONLY
def test_a_wrong_current_password_changes_nothing(visitor: Visitor, alice: Account) -> None:
    visitor.sign_in("alice", PASSWORD)
    session = visitor.cookie(SESSION)
    assert change(visitor, current="not the one at all") == (
        422,
        "The current password is wrong.",
        "current_password",
    )
    assert visitor.cookie(SESSION) == session
    assert visitor.post("/session/refresh", json={}).status_code == 200


@SQLITE_ONLY
def test_a_wrong_current_password_is_in_the_audit_log(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    """Whoever guesses here holds a stolen session: that is what an operator looks for (SECURITY X15)."""
    visitor.sign_in("alice", PASSWORD)
    count = "SELECT count(*) FROM audit_entry"
    database = server.capabilities.database
    before = database.read(lambda db: db.exec_driver_sql(count).scalar_one())
    change(visitor, current="a guess of the thief")
    assert database.read(lambda db: db.exec_driver_sql(count).scalar_one()) == before + 1


@SQLITE_ONLY
def test_the_page_says_what_is_wrong_beside_the_field(visitor: Visitor, alice: Account) -> None:
    visitor.sign_in("alice", PASSWORD)
    fields = {"current_password": PASSWORD, "new_password": "short"}
    answer = visitor.form("/account/password", "/account/password", fields)
    assert answer.status_code == 422
    assert "The password needs at least 15 characters." in answer.text
    assert PASSWORD not in answer.text


@SQLITE_ONLY
def test_nobodys_form_token_changes_anothers_password(
    server: Server, make_visitor: MakeVisitor, alice: Account
) -> None:
    add_account(server, "Mallory")
    hers, mallorys = make_visitor(server), make_visitor(server)
    hers.sign_in("alice", PASSWORD)
    mallorys.sign_in("mallory", PASSWORD)
    page = mallorys.get("/account/password", headers={"Accept": "text/html"}).text
    token = page.partition('name="form_token" value="')[2].partition('"')[0]
    data = {"form_token": token, "current_password": PASSWORD, "new_password": NEW}
    answer = hers.post("/account/password", data=data, headers={"Origin": hers.origin})
    assert answer.status_code == 403


def test_of_two_changes_at_once_one_is_made(
    server: Server, make_visitor: MakeVisitor, alice: Account
) -> None:
    visitor = make_visitor(server)
    visitor.sign_in("alice", PASSWORD)
    bodies = [{"current_password": PASSWORD, "new_password": NEW + suffix} for suffix in (" one", " two")]
    header = {"Cookie": f"{SESSION}={visitor.cookie(SESSION)}"}
    answers = visitor.together(
        *[("POST", "/account/password", {"json": body, "headers": header}) for body in bodies]
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 401], [200, 422])
    stored = server.capabilities.database.read(lambda db: accounts.by_id(db, alice.id))
    assert stored is not None
    verify = server.capabilities.hasher.verify
    fits = [verify(prepare(body["new_password"]), stored.password_hash).match for body in bodies]
    assert fits == [answer.status_code == 200 for answer in answers]


def test_an_account_disabled_while_its_password_is_changed_gets_no_new_session(
    server: Server, visitor: Visitor, alice: Account, clock: InterruptedClock
) -> None:
    parts = server.capabilities
    visitor.sign_in("alice", PASSWORD)
    session = visitor.cookie(SESSION)
    clock.meanwhile = lambda: parts.database.write(
        lambda db: parts.consequences.disable(db, alice, clock.now())
    )
    body = {"current_password": PASSWORD, "new_password": NEW}
    answer = visitor.post("/account/password", json=body)
    assert answer.status_code == 401
    assert visitor.cookie(SESSION) == session
    assert visitor.post("/session/refresh", json={}).status_code == 401


def test_a_password_reset_by_the_operator_meanwhile_wins_over_the_one_who_waits(
    server: Server, visitor: Visitor, alice: Account, clock: InterruptedClock
) -> None:
    """A thief changes the password; the operator sets another. The thief's new session must not begin after that."""
    visitor.sign_in("alice", PASSWORD)
    clock.meanwhile = lambda: set_by_operator(server, alice, "operator chose otherwise")
    visitor.post("/account/password", json={"current_password": PASSWORD, "new_password": NEW})
    assert visitor.post("/session/refresh", json={}).status_code == 401
