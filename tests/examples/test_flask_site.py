"""The tutorial's site: what its readers expect of `/login` and `/protected`, without a password passing through."""

import json
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient

from authserver.protocol.cookies import TOKEN_HOST_ONLY
from authserver.resource.testing import LocalIssuer
from examples.flask_site import app as site
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
        assert ("로그아웃되었습니다" in answer.text) is told


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


def test_a_refused_cookie_is_exchanged_by_way_of_the_login_service_once(
    flask_site: FlaskClient, site_issuer: LocalIssuer
) -> None:
    for bad in (site_issuer.token(lifetime=-120), "not.a.token"):
        visitor = site.app.test_client()
        visitor.set_cookie(TOKEN_HOST_ONLY, bad)
        sent = visitor.get("/")
        assert (sent.status_code, sent.headers["Cache-Control"]) == (303, "no-store")
        assert sent.location == flask_site.get("/login").location
        visitor.set_cookie(TOKEN_HOST_ONLY, site_issuer.token("alice"))
        assert "alice" in visitor.get("/").text


def test_a_cookie_that_is_refused_again_leads_to_a_page_and_to_no_circle(
    flask_site: FlaskClient, site_issuer: LocalIssuer
) -> None:
    flask_site.set_cookie(TOKEN_HOST_ONLY, site_issuer.token(aud="https://another.example"))
    assert flask_site.get("/").status_code == 303
    again = flask_site.get("/", headers=KOREAN)
    assert (again.status_code, again.mimetype) == (401, "text/html")
    assert "다시 로그인해 주세요" in again.text
    assert 'href="/login"' in again.text


def test_nobody_without_a_cookie_is_sent_anywhere(flask_site: FlaskClient, site_issuer: LocalIssuer) -> None:
    for headers in ({}, {"Authorization": "Bearer not.a.token"}, {"Cookie": "other=1"}):
        assert flask_site.get("/", headers=headers).status_code == 401


def test_what_is_no_page_is_answered_and_not_sent_round(
    flask_site: FlaskClient, site_issuer: LocalIssuer
) -> None:
    flask_site.set_cookie(TOKEN_HOST_ONLY, site_issuer.token(lifetime=-120))
    assert flask_site.get("/protected").status_code == 401


def test_no_page_speaks_of_tokens(flask_site: FlaskClient, site_issuer: LocalIssuer) -> None:
    """They are nothing that a person has ever seen."""
    site_issuer.revoke("sid", "phone")
    sent = [site_issuer.bearer("alice"), {}, {"Authorization": "Bearer not.a.token"}]
    sent += [site_issuer.bearer(sid="phone"), {"Authorization": f"Bearer {site_issuer.token(lifetime=-120)}"}]
    for headers in sent:
        for language in (KOREAN, {}):
            text = flask_site.get("/", headers=headers | language).text.lower()
            assert "토큰" not in text
            assert "token" not in text
