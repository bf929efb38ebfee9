"""Whole stories over HTTP, on both databases."""

from authserver.accounts.store import Account
from authserver.app import Server
from tests.conftest import PASSWORD
from tests.visitor import Visitor


def test_a_person_signs_in_and_out_and_the_list_has_the_session(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    answer = visitor.sign_in("alice", PASSWORD, headers={"Accept-Language": "ko"})
    assert (answer.status_code, answer.json()["message"]) == (200, "로그인 성공")
    assert answer.json()["sub"] == alice.id
    assert visitor.post("/session/refresh", json={}).status_code == 200
    assert visitor.post("/logout", json={}).status_code == 200
    assert visitor.post("/session/refresh", json={}).status_code == 401
    server.follow()
    assert server.revocations.known is not None
    assert [entry.kind for entry in server.revocations.known.entries] == ["sid"]
