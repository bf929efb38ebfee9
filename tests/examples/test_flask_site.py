"""The tutorial's site: what its readers expect of `/login` and `/protected`, without a password passing through."""

import json
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient

from authserver.protocol.cookies import TOKEN_HOST_ONLY
from authserver.resource.testing import LocalIssuer
from examples.flask_site.app import FLASK_SITE, LOGIN_SERVICE
from tests.examples.conftest import KOREAN


def test_the_tutorials_welcome_is_kept(flask_site: FlaskClient, site_issuer: LocalIssuer) -> None:
    flask_site.set_cookie(TOKEN_HOST_ONLY, site_issuer.token("alice"))
    assert flask_site.get("/protected", headers=KOREAN).json == {"message": "환영합니다, alice!"}
    assert flask_site.get("/protected").json == {"message": "Welcome, alice!"}
    assert "환영합니다, alice!" in flask_site.get("/protected", headers=KOREAN).text  # not as \ud658…


def test_the_tutorials_refusals_are_kept(flask_site: FlaskClient, site_issuer: LocalIssuer) -> None:
    site_issuer.revoke("sid", "phone")
    for token, message in (
        (None, "토큰이 없습니다"),
        (site_issuer.token(lifetime=-120), "토큰이 만료되었습니다"),
        ("not.a.token", "유효하지 않은 토큰입니다"),
        (site_issuer.token(sid="phone"), "로그아웃된 토큰입니다"),
    ):
        headers = KOREAN | ({"Authorization": f"Bearer {token}"} if token else {})
        answer = flask_site.get("/protected", headers=headers)
        assert (answer.status_code, json.loads(answer.text)["message"]) == (401, message)


def test_people_are_sent_to_the_login_service_and_back(flask_site: FlaskClient) -> None:
    answer = flask_site.get("/login", headers={"Host": "evil.example"})
    target = urlsplit(answer.location)
    assert answer.status_code == 303
    assert f"{target.scheme}://{target.netloc}{target.path}" == f"{LOGIN_SERVICE}/login"
    assert parse_qs(target.query) == {"return_to": [f"{FLASK_SITE}/"]}


def test_a_password_is_neither_taken_nor_passed_on(flask_site: FlaskClient) -> None:
    """No redirect: a 307 would repeat the password, and have programs send it here for ever."""
    answer = flask_site.post("/login", json={"username": "admin", "password": "password"}, headers=KOREAN)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert answer.json == {
        "message": "비밀번호는 로그인 서비스에만 보내세요",
        "login": f"{LOGIN_SERVICE}/login",
    }
    assert {"Location", "Set-Cookie"}.isdisjoint(answer.headers.keys())


def test_home_is_a_page_in_the_readers_language(flask_site: FlaskClient, site_issuer: LocalIssuer) -> None:
    signed_in = site_issuer.bearer("<alice>", roles=["user", "demo"])
    korean, english = (flask_site.get("/", headers=signed_in | more) for more in (KOREAN, {}))
    assert "환영합니다" in korean.text
    assert "Welcome" in english.text
    assert "demo, user" in english.text
    assert "&lt;alice&gt;" in english.text
    assert "<alice>" not in english.text


def test_home_shows_the_signed_out_a_way_in(flask_site: FlaskClient, site_issuer: LocalIssuer) -> None:
    site_issuer.revoke("sub", "alice", before=2**40)
    for headers, told in (({}, False), (site_issuer.bearer("alice"), True)):
        answer = flask_site.get("/", headers=KOREAN | headers)
        assert (answer.status_code, answer.mimetype) == (401, "text/html")
        assert "WWW-Authenticate" in answer.headers
        assert 'href="/login"' in answer.text
        assert ("로그아웃된 토큰입니다" in answer.text) is told


def test_nothing_that_was_shown_is_stored(flask_site: FlaskClient, site_issuer: LocalIssuer) -> None:
    """Else "back" shows the next person who was signed in."""
    for path in ("/", "/protected", "/login"):
        for headers in ({}, site_issuer.bearer("alice")):
            assert flask_site.get(path, headers=headers).headers["Cache-Control"] == "no-store"
    with flask_site.get("/look/style.css") as style:
        assert style.headers["Cache-Control"] != "no-store"


def test_the_pages_run_no_script_and_stand_in_no_frame(flask_site: FlaskClient) -> None:
    policy = flask_site.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
