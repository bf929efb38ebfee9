"""nginx and Caddy as the examples configure them, in front of an app that believes what it is told.

Each test runs with both. What matters most is what the app never sees.
"""

import time
from urllib.parse import urlencode, urlsplit

import pytest

from authserver.clock import seconds
from authserver.keyring.live import LiveKeyring
from authserver.pages.verify import IDENTITY
from authserver.protocol import cookies
from tests.conftest import PASSWORD
from tests.processes import until
from tests.proxies.asking import Answer, ask
from tests.proxies.conftest import PAGE, Person, Place, person
from tests.visitor import FORM_TOKEN

EVIL = "https://evil.example"
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def test_the_app_hears_who_it_is_and_gets_no_token(place: Place, who: Person) -> None:
    for credential in (who.cookie, who.bearer):
        answer = place.ask("/orders?page=2", credential)
        assert answer.status == 200
        seen = place.seen()
        assert (seen.method, seen.path) == ("GET", "/orders?page=2")
        assert seen.values("X-Auth-Subject") == [answer.json["you"]]
        assert seen.values("X-Auth-Roles") == ["demo user"]
        assert seen.values("X-Auth-Client") == ["first-party"]
        assert len(seen.values("X-Auth-Session")) == 1
        assert who.token not in str(seen.headers)


def test_the_body_of_a_request_reaches_the_app_alone_and_whole(place: Place, who: Person) -> None:
    body = b"x" * 200_000
    answer = place.ask("/", {**who.cookie, "Origin": place.origin}, method="POST", body=body)
    assert answer.status == 200
    assert place.seen().body == body.decode()


def test_a_program_without_a_token_reads_401_in_its_own_form_and_language(place: Place) -> None:
    answer = place.ask("/", {"Accept": "application/json", "Accept-Language": "ko"})
    assert (answer.status, answer.json) == (401, {"error": "missing", "message": "토큰이 없습니다"})
    assert answer.challenges == [f'Bearer realm="{place.login.origin}"']
    assert answer.headers["cache-control"] == "no-store"
    assert not place.app.seen


def test_a_page_leads_to_the_sign_in_and_back(place: Place) -> None:
    sent = place.ask("/orders?page=2&q=a%20b", PAGE)
    assert (sent.status, sent.challenges) == (303, [])
    welcomed = fill_in(place, path_of(sent.headers["location"]))
    assert (welcomed.status, welcomed.headers["location"]) == (303, f"{place.origin}/orders?page=2&q=a%20b")
    assert place.ask("/orders?page=2&q=a%20b", PAGE | person(welcomed).cookie).status == 200


def test_a_page_whose_token_ran_out_is_back_without_a_question(place: Place, who: Person) -> None:
    sent = place.ask("/orders", PAGE)
    session = {"Cookie": f"{cookies.SESSION}={who.session}"}
    back = ask(place.login.port, path_of(sent.headers["location"]), PAGE | session)
    assert (back.status, back.headers["location"]) == (303, f"{place.origin}/orders")
    fresh = dict(line.partition(";")[0].split("=", 1) for line in back.set_cookie)
    assert place.ask("/orders", PAGE | Person("", fresh[cookies.TOKEN_HOST_ONLY]).cookie).status == 200


def test_a_page_whose_token_came_twice_ends_at_the_sign_in_and_not_in_a_circle(
    place: Place, who: Person
) -> None:
    """Any host of the domain can plant a second one; which of them is ours, nobody can tell."""
    both = f"{cookies.TOKEN_HOST_ONLY}=planted; {who.cookie['Cookie']}; {cookies.SESSION}={who.session}"
    sent = place.ask("/orders", PAGE | {"Cookie": both})
    assert sent.status == 303
    stopped = ask(place.login.port, path_of(sent.headers["location"]), PAGE | {"Cookie": both})
    assert (stopped.status, "two sign-ins at once" in stopped.body.decode()) == (200, True)
    assert not place.app.seen


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def fill_in(place: Place, path: str) -> Answer:
    shown = ask(place.login.port, path, PAGE)
    token = FORM_TOKEN.search(shown.body.decode())
    assert token is not None
    fields = {
        "form_token": token[1],
        "username": "demo",
        "password": PASSWORD,
        "return_to": f"{place.origin}/orders?page=2&q=a%20b",
    }
    headers = PAGE | {
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": place.login.origin,
        "Cookie": shown.set_cookie[0].partition(";")[0],
    }
    return ask(place.login.port, "/login", headers, method="POST", body=urlencode(fields).encode())


def test_who_signs_out_is_refused_within_a_second(place: Place) -> None:
    leaving = place.sign_in()
    assert place.ask("/", leaving.cookie).status == 200
    place.sign_out(leaving)
    began = time.monotonic()
    until(lambda: place.ask("/", leaving.bearer).status != 200)
    assert time.monotonic() - began < 1
    answer = place.ask("/", leaving.bearer)
    assert (answer.status, answer.json["message"]) == (401, "The token was signed out")


def test_the_wrong_role_is_403_and_the_right_one_passes(place: Place, who: Person) -> None:
    answer = place.ask("/admin/keys", {**who.cookie, **PAGE})
    assert (answer.status, answer.json["error"]) == (403, "insufficient_scope")
    assert [challenge.count("insufficient_scope") for challenge in answer.challenges] == [1]
    assert not place.app.seen
    chief = {"Authorization": f"Bearer {minted(place, ['admin'])}"}
    assert place.ask("/admin/keys", chief).status == 200
    assert place.seen().values("X-Auth-Roles") == ["admin"]


FORGED = (
    "X-Auth-Subject",
    "x-auth-subject",
    "X_Auth_Subject",
    "X-Auth_Subject",
    "x_auth-subject",
    "X_AUTH_ROLES",
)
FORGED_TOO = (
    "X-Forwarded-Method",
    "X-Forwarded-Uri",
    "X-Forwarded-Host",
    "X-Forwarded-For",
    "X_Forwarded_For",
    "X_Forwarded_Host",
    "Forwarded",
)
MORE_FORGED = ("X-Auth-Roles", "X-Auth-Scope", "X-Auth-Session", "X-Auth-Client", "X_Auth_Scope")


@pytest.mark.parametrize("path", ["/", "/public/x"])
def test_what_a_visitor_says_of_himself_never_arrives(place: Place, who: Person, path: str) -> None:
    lies = [(name, "admin-by-hearsay") for name in (*FORGED, *MORE_FORGED, *FORGED_TOO)]
    truth = list(who.cookie.items())
    assert place.ask(path, [*lies, *truth, *lies]).status == 200
    seen = place.seen()
    assert "hearsay" not in str(seen.headers)
    assert [len(seen.values(name)) for name in IDENTITY if path == "/"] in (
        [],
        [1, 1, 1, 0, 1],
        [1, 1, 1, 1, 1],
    )


def test_an_open_part_hears_of_nobody(place: Place, who: Person) -> None:
    assert place.ask("/public/x", who.cookie).status == 200
    seen = place.seen()
    assert not any("".join(seen.values(name)) for name in IDENTITY)
    assert who.token not in str(seen.headers)


def test_the_proxy_alone_describes_the_request(place: Place, who: Person) -> None:
    """Else a cross-site POST would be called a GET, or a foreign page one of the app's own."""
    lies = {
        "X-Forwarded-Method": "GET",
        "X_Forwarded_Method": "GET",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Uri": "/public/",
        "X-Original-Method": "GET",
        "X-HTTP-Method-Override": "GET",
        "Forwarded": "host=evil.example;proto=https",
        "Connection": "keep-alive, X-Forwarded-Method, X-Forwarded-Host, Origin, Cookie",
    }
    answer = place.ask("/", lies | who.cookie | {"Origin": EVIL}, method="POST", body=b"")
    assert (answer.status, answer.json["error"]) == (403, "forged_request")
    assert not place.app.seen
    redirected = place.ask("/orders", lies | PAGE)
    assert redirected.headers["location"].endswith(urlencode({"return_to": f"{place.origin}/orders"}))


def test_no_header_of_the_proxy_is_dropped_at_a_visitors_wish(place: Place, who: Person) -> None:
    named = ", ".join(("close", *IDENTITY, "X-Forwarded-For"))
    assert place.ask("/", who.cookie | {"Connection": named}).status == 200
    assert place.seen().values("X-Auth-Roles") == ["demo user"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_another_sites_page_cannot_act_with_the_cookie(place: Place, who: Person, method: str) -> None:
    for evidence in ({"Origin": EVIL}, {"Sec-Fetch-Site": "same-site"}, {}):
        answer = place.ask("/", {**who.cookie, **evidence}, method=method, body=b"x=1")
        assert (answer.status, answer.json["error"]) == (403, "forged_request")
    assert not place.app.seen
    assert place.ask("/", {**who.cookie, "Origin": place.origin}, method=method, body=b"x=1").status == 200


def test_a_websocket_of_the_app_opens_and_another_sites_does_not(place: Place, who: Person) -> None:
    assert place.ask("/ws", HANDSHAKE | who.cookie | {"Origin": EVIL}).status == 403
    assert place.ask("/ws", HANDSHAKE | {"Origin": place.origin}).status == 401
    assert not place.app.seen
    answer = place.ask("/ws", HANDSHAKE | who.cookie | {"Origin": place.origin})
    assert (answer.status, answer.body) == (101, b"\x81\x05hello")
    assert place.seen().values("X-Auth-Roles") == ["demo user"]


@pytest.mark.parametrize("upgrade", ["h2c", "TLS/1.0", "websocket, h2c", "h2c,websocket"])
def test_no_other_kind_of_connection_opens(place: Place, who: Person, upgrade: str) -> None:
    """On a connection that speaks something else, further requests would pass unseen."""
    wish = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": upgrade, "HTTP2-Settings": "AAMAAABk"}
    assert place.ask("/", who.cookie | wish).status == 200
    assert place.seen().values("Upgrade") == []


def test_a_long_token_with_many_roles_passes(place: Place) -> None:
    roles = [f"role-{number:04}" for number in range(700)]
    token = minted(place, roles)
    assert len(token) > 9_000
    assert place.ask("/", {"Authorization": f"Bearer {token}"}).status == 200
    assert place.seen().values("X-Auth-Roles") == [" ".join(roles)]


def minted(place: Place, roles: list[str]) -> str:
    parts = place.login.keyring.parts
    keyring = LiveKeyring(parts.database, parts.vault, parts.clock, parts.settings.clock_skew)
    keyring.refresh()
    now = seconds(parts.clock.now())
    claims = {"iss": place.login.origin, "aud": place.login.origin, "sub": "s", "client_id": "c", "jti": "j"}
    return keyring.signer("RS256").sign("at+jwt", claims | {"iat": now, "exp": now + 7_200, "roles": roles})


def test_the_question_itself_cannot_be_asked_through_the_proxy(place: Place, who: Person) -> None:
    for path in ("/.authserver/verify", "/.authserver/verify?role=demo"):
        assert place.ask(path, who.cookie).status in (200, 404), "the app's own word, or nobody's"
