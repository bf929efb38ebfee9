"""What the tutorial promises about a login with a token in a cookie, promise by promise.

Where it and its own example differ (HS256, 403 for a missing token, no SameSite, a logout that is a heading only),
the promise is kept and the example is not.
"""

import base64
import hmac
import json
from datetime import timedelta
from http.cookies import Morsel, SimpleCookie
from typing import Any

import httpx2
import jwt
import pytest
from joserfc.jwk import RSAKey

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.protocol import paths
from authserver.protocol.cookies import SESSION, TOKEN_HOST_ONLY
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD, PRIVATE_MEMBERS, MakeServer, add_account
from tests.promises.conftest import ENGLISH, KOREAN, Api
from tests.visitor import Visitor

THE_TUTORIALS_SECRET = b"mysecretkey"


def signed_in(visitor: Visitor) -> str:
    answer = visitor.sign_in("alice", PASSWORD, headers=KOREAN)
    assert answer.status_code == 200
    return token_of(visitor)


def token_of(visitor: Visitor) -> str:
    token = visitor.cookie(TOKEN_HOST_ONLY)
    assert token is not None
    return token


def header_and_claims(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})


def cookie_set_by(answer: httpx2.Response, name: str) -> "Morsel[str]":
    found = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        found.load(line)
    return found[name]


# Promise: 서버가 사용자의 아이디/비밀번호를 확인


@pytest.mark.parametrize(
    ("language", "message"), [(KOREAN, "로그인 성공"), (ENGLISH, "Signed in")], ids=["ko", "en"]
)
def test_the_right_password_signs_in(
    visitor: Visitor, alice: Account, language: dict[str, str], message: str
) -> None:
    answer = visitor.sign_in("alice", PASSWORD, headers=language)
    assert (answer.status_code, answer.json()["message"]) == (200, message)
    assert answer.json()["sub"] == alice.id


@pytest.mark.parametrize(
    ("language", "message"), [(KOREAN, "로그인 실패"), (ENGLISH, "Sign-in failed")], ids=["ko", "en"]
)
@pytest.mark.parametrize("username", ["alice", "nobody"])
def test_a_wrong_password_and_an_unknown_name_are_refused_alike(
    visitor: Visitor, alice: Account, username: str, language: dict[str, str], message: str
) -> None:
    answer = visitor.sign_in(username, "password", headers=language)
    assert answer.status_code == 401
    assert answer.json() == {"message": message, "error": "invalid_credentials"}
    assert "set-cookie" not in answer.headers


# Promise: JWT를 생성하여 클라이언트에게 반환; user_id, role 등


def test_the_token_is_signed_with_rs256_and_says_who_and_in_what_role(
    visitor: Visitor, alice: Account
) -> None:
    header, claims = header_and_claims(signed_in(visitor))
    assert (header["alg"], header["typ"]) == ("RS256", "at+jwt")
    assert (claims["iss"], claims["aud"]) == (ISSUER, ISSUER)
    assert (claims["sub"], claims["roles"]) == (alice.id, ["staff", "user"])
    assert claims["exp"] - claims["iat"] == 3_600


def test_the_token_holds_nothing_that_its_reader_must_not_see(visitor: Visitor, alice: Account) -> None:
    """A token is signed, not encrypted."""
    _, claims = header_and_claims(signed_in(visitor))
    known = {"iss", "aud", "sub", "client_id", "iat", "exp", "jti", "sid", "auth_time", "amr", "roles"}
    assert set(claims) == known
    assert claims["sid"] != visitor.cookie(SESSION)
    assert "alice" not in json.dumps(claims).lower()


# Promise: HttpOnly, Secure, SameSite; 만료 시간 고려


def test_the_token_cookie_is_httponly_secure_and_lax(visitor: Visitor, alice: Account) -> None:
    cookie = cookie_set_by(visitor.sign_in("alice", PASSWORD), TOKEN_HOST_ONLY)
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "lax")
    assert (cookie["path"], cookie["domain"], cookie["max-age"]) == ("/", "", "3600")


def test_the_token_cookie_is_strict_where_the_settings_say_so(
    make_server: MakeServer, make_visitor: Any
) -> None:
    server = make_server(cookie_samesite="strict")
    add_account(server, "Alice")
    answer = make_visitor(server).sign_in("alice", PASSWORD)
    assert cookie_set_by(answer, TOKEN_HOST_ONLY)["samesite"] == "strict"
    assert cookie_set_by(answer, SESSION)["samesite"] == "lax"


def test_no_answer_shows_the_token_to_a_script(visitor: Visitor, alice: Account) -> None:
    answer = visitor.sign_in("alice", PASSWORD)
    token = token_of(visitor)
    assert token not in answer.text + visitor.get("/account", headers={"Accept": "application/json"}).text


# Promise: 인증 확인 API (쿠키에서 JWT 확인)


def test_whoever_brings_the_cookie_is_welcome(visitor: Visitor, alice: Account, api: Api) -> None:
    answer = api.welcome(signed_in(visitor))
    assert answer.status_code == 200
    assert answer.json() == {"message": f"환영합니다, {alice.id}!", "roles": ["staff", "user"]}


@pytest.mark.parametrize(
    ("language", "message"), [(KOREAN, "토큰이 없습니다"), (ENGLISH, "No token was sent")], ids=["ko", "en"]
)
def test_without_a_token_the_answer_is_401(api: Api, language: dict[str, str], message: str) -> None:
    answer = api.welcome(None, language)
    assert (answer.status_code, answer.json()["message"]) == (401, message)
    assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("language", "message"),
    [(KOREAN, "토큰이 만료되었습니다"), (ENGLISH, "The token has expired")],
    ids=["ko", "en"],
)
def test_an_expired_token_is_refused(
    visitor: Visitor, alice: Account, api: Api, clock: HandClock, language: dict[str, str], message: str
) -> None:
    token = signed_in(visitor)
    assert api.welcome(token).status_code == 200
    clock.advance(timedelta(minutes=59))
    assert api.welcome(token).status_code == 200
    clock.advance(timedelta(minutes=3))  # the hour, the leeway for clocks that differ, and a little
    answer = api.welcome(token, language)
    assert (answer.status_code, answer.json()["message"]) == (401, message)


def forgeries(token: str, jwks: dict[str, Any]) -> dict[str, str]:
    """A good token's claims under signatures that are not ours."""
    header, claims = header_and_claims(token)
    published = next(key for key in jwks["keys"] if key["kid"] == header["kid"])
    public_pem = RSAKey.import_key(published).as_pem(private=False)
    unsigned, _, signature = token.rpartition(".")
    return {
        "the tutorial's secret": hs256(header, claims, THE_TUTORIALS_SECRET),
        "the public key as a secret": hs256(header, claims, public_pem),
        "no signature": ".".join((segment({**header, "alg": "none"}), segment(claims), "")),
        "another signature": f"{unsigned}.{signature[::-1]}",
        "half a token": unsigned,
    }


def hs256(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """By hand: the libraries refuse to sign with such secrets, and rightly so."""
    unsigned = f"{segment({**header, 'alg': 'HS256'})}.{segment(claims)}"
    signature = hmac.digest(secret, unsigned.encode(), "sha256")
    return f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def segment(members: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


def test_a_forged_token_is_refused(visitor: Visitor, alice: Account, api: Api) -> None:
    token = signed_in(visitor)
    assert api.welcome(token).status_code == 200
    for kind, forged in forgeries(token, visitor.get(paths.JWKS).json()).items():
        korean, english = api.welcome(forged), api.welcome(forged, ENGLISH)
        assert (korean.status_code, korean.json()["message"]) == (401, "유효하지 않은 토큰입니다"), kind
        assert (english.status_code, english.json()["message"]) == (401, "The token is not valid"), kind


def test_whoever_can_verify_cannot_sign(visitor: Visitor) -> None:
    """The tutorial's services would share one secret; ours have public keys."""
    for key in visitor.get(paths.JWKS).json()["keys"]:
        assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
        assert PRIVATE_MEMBERS.isdisjoint(key)


# Promise: CSRF 방지


def test_another_sites_page_cannot_use_the_cookie(visitor: Visitor, alice: Account, api: Api) -> None:
    token = signed_in(visitor)
    assert api.order(token, ISSUER).status_code == 200
    refused = api.order(token, "https://evil.example")
    assert (refused.status_code, refused.json()["error"]) == (403, "forged_request")


def test_another_sites_page_cannot_sign_anybody_in_or_out(visitor: Visitor, alice: Account) -> None:
    signed_in(visitor)
    evil = {"Origin": "https://evil.example"}
    for path in ("/login", "/logout", "/session/refresh"):
        assert visitor.post(path, json={}, headers=evil).status_code == 403
        assert visitor.post(path, data={"username": "alice"}, headers=evil).status_code == 403
    assert visitor.post("/session/refresh", json={}).status_code == 200


@pytest.mark.parametrize("path", ["/login", "/signed-out", "/nowhere"])
def test_no_page_hides_from_us_where_its_form_comes_from(visitor: Visitor, path: str) -> None:
    """`no-referrer` makes a browser send `Origin: null` with a page's own form, so nobody could sign in."""
    policy = visitor.get(path, headers={"Accept": "text/html"}).headers["referrer-policy"]
    assert policy in {"same-origin", "strict-origin"}


# Promise: 브라우저 세션 유지 가능


def test_a_session_outlives_its_token(
    server: Server, visitor: Visitor, alice: Account, api: Api, clock: HandClock
) -> None:
    old = signed_in(visitor)
    clock.advance(timedelta(hours=2))
    server.follow()
    assert api.welcome(old).status_code == 401
    assert visitor.post("/session/refresh", json={}).status_code == 200
    assert api.welcome(token_of(visitor)).status_code == 200


# Promise: 로그아웃 처리


@pytest.mark.parametrize(
    ("language", "message"),
    [(KOREAN, "로그아웃된 토큰입니다"), (ENGLISH, "The token was signed out")],
    ids=["ko", "en"],
)
def test_a_token_that_was_signed_out_is_refused(
    server: Server, visitor: Visitor, alice: Account, api: Api, language: dict[str, str], message: str
) -> None:
    copy = signed_in(visitor)
    assert api.welcome(copy).status_code == 200
    assert visitor.post("/logout", json={}, headers=KOREAN).json()["message"] == "로그아웃되었습니다"
    server.follow()
    api.hear()
    answer = api.welcome(copy, language)
    assert (answer.status_code, answer.json()["message"]) == (401, message)


def test_sign_out_takes_the_cookies_back(visitor: Visitor, alice: Account) -> None:
    signed_in(visitor)
    answer = visitor.post("/logout", json={})
    for name in (SESSION, TOKEN_HOST_ONLY):
        cookie = cookie_set_by(answer, name)
        assert (cookie.value, cookie["max-age"]) == ("", "0")
        assert (cookie["path"], cookie["httponly"], cookie["secure"]) == ("/", True, True)
        assert visitor.cookie(name) is None


def test_a_new_sign_in_after_a_sign_out_is_welcome(
    server: Server, visitor: Visitor, alice: Account, api: Api
) -> None:
    signed_in(visitor)
    visitor.post("/logout", json={})
    new = signed_in(visitor)
    server.follow()
    api.hear()
    assert api.welcome(new).status_code == 200


def test_a_rotation_between_sign_in_and_request_is_not_noticed(
    server: Server, visitor: Visitor, alice: Account, api: Api, clock: HandClock
) -> None:
    old = signed_in(visitor)
    assert api.welcome(old).status_code == 200
    clock.advance(timedelta(minutes=7))
    server.capabilities.rotation.rotate("RS256")
    server.follow()
    visitor.post("/session/refresh", json={})
    new = token_of(visitor)
    assert header_and_claims(new)[0]["kid"] != header_and_claims(old)[0]["kid"]
    assert [api.welcome(token).status_code for token in (old, new)] == [200, 200]
