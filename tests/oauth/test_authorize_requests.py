"""What an authorization request may hold, and how it is answered: SECURITY O20, O30, O60–O64, and Authlib's W1 to W9."""

import html
import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx2
import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.oauth.parameters import MOST
from tests.attacks.bare_request import send
from tests.attacks.marks import SQLITE_ONLY
from tests.conftest import ISSUER, PASSWORD
from tests.oauth.conftest import CALLBACK, CHALLENGE, App, MakeApp, on_the_way, returned
from tests.oauth.reading import PAGE, SAYABLE, leads_nowhere
from tests.visitor import Visitor

FIELD = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
POSTED = {"Content-Type": "application/x-www-form-urlencoded", **PAGE}


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account) -> Visitor:
    visitor.sign_in(alice.username, PASSWORD)
    return visitor


def refusal(answer: httpx2.Response) -> str:
    told = returned(answer)
    assert told["iss"] == ISSUER
    assert all(SAYABLE.fullmatch(told[name]) for name in ("error", "error_description"))
    return told["error"]


# RFC 7636: O20


BAD_CHALLENGES: tuple[dict[str, str | None], ...] = (
    {"code_challenge": None, "code_challenge_method": None},
    {"code_challenge": None},
    {"code_challenge": ""},
    {"code_challenge_method": "plain"},
    {"code_challenge_method": None},
    {"code_challenge_method": "s256"},
    {"code_challenge_method": "S512"},
    {"code_challenge": CHALLENGE[:42]},
    {"code_challenge": f"{CHALLENGE}A"},
    {"code_challenge": f"{CHALLENGE[:42]}="},
    {"code_challenge": f"{CHALLENGE[:42]}+"},
    {"code_challenge": f"{CHALLENGE[:42]}\n"},
    {"code_challenge": f"{CHALLENGE}\n"},
    {"code_challenge": "코" * 43},
    {"code_challenge": "A" * 129},
)

pytestmark = SQLITE_ONLY  # what is read and refused here, no database has a part in


@pytest.mark.parametrize("kind", ["confidential", "public"])
def test_request_without_a_good_s256_challenge_is_refused(
    app: App, public_app: App, signed_in: Visitor, kind: str, subtests: pytest.Subtests
) -> None:
    asking = public_app if kind == "public" else app
    for sent in BAD_CHALLENGES:
        with subtests.test(sent=sent):
            assert refusal(asking.authorize(signed_in, **sent)) == "invalid_request"


def test_pkce_can_be_left_out_by_a_confidential_client_that_may_and_by_no_other(
    make_app: MakeApp, signed_in: Visitor
) -> None:
    without = {"code_challenge": None, "code_challenge_method": None}
    old = make_app(client_id="old", require_pkce=False)
    assert "code" in returned(old.authorize(signed_in, **without))
    assert refusal(old.authorize(signed_in, code_challenge=None)) == "invalid_request"
    assert refusal(old.authorize(signed_in, code_challenge_method="plain")) == "invalid_request"
    page = make_app(client_id="page", require_pkce=False, token_endpoint_auth_method="none")
    assert refusal(page.authorize(signed_in, **without)) == "invalid_request"


# response_type, response_mode, scope, resource


NOT_OFFERED: tuple[tuple[dict[str, str | None], str], ...] = (
    ({"response_type": None}, "invalid_request"),
    ({"response_type": ""}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "id_token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_type": "code token"}, "unsupported_response_type"),
    ({"response_type": "none"}, "unsupported_response_type"),
    ({"response_type": "CODE"}, "unsupported_response_type"),
    ({"response_type": "code code"}, "unsupported_response_type"),
    ({"response_type": '"'}, "unsupported_response_type"),
    ({"response_type": "코드"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"response_mode": "web_message"}, "invalid_request"),
    ({"response_mode": "query.jwt"}, "invalid_request"),
    ({"response_mode": "jwt"}, "invalid_request"),
    ({"response_mode": "Query"}, "invalid_request"),
    ({"response_mode": "okmode"}, "invalid_request"),
    ({"scope": "nothing:known"}, "invalid_scope"),
    ({"scope": '"'}, "invalid_scope"),
    ({"scope": "주문"}, "invalid_scope"),
    ({"scope": "openid  profile"}, "invalid_scope"),
    ({"scope": "openid\tprofile"}, "invalid_scope"),
    ({"scope": "openid\n"}, "invalid_scope"),
    ({"resource": "https://other.example/"}, "invalid_target"),
    ({"resource": "not a uri"}, "invalid_target"),
    ({"resource": "한국"}, "invalid_target"),
    ({"dpop_jkt": "x"}, "invalid_request"),
)


def test_request_for_what_is_not_offered_is_refused_by_name(
    app: App, signed_in: Visitor, subtests: pytest.Subtests
) -> None:
    for sent, error in NOT_OFFERED:
        with subtests.test(sent=sent):
            answer = app.authorize(signed_in, **sent)
            assert refusal(answer) == error
            assert not urlsplit(answer.headers["location"]).fragment


def test_client_that_has_no_codes_gets_none(make_app: MakeApp, signed_in: Visitor) -> None:
    machine = make_app(grant_types=("client_credentials",))
    assert refusal(machine.authorize(signed_in)) == "unauthorized_client"


def test_client_that_has_to_push_is_not_heard_otherwise(make_app: MakeApp, signed_in: Visitor) -> None:
    strict = make_app(require_pushed_authorization_requests=True)
    assert refusal(strict.authorize(signed_in)) == "invalid_request"
    posted = signed_in.post("/oauth2/authorize", data=strict.request())
    assert refusal(signed_in.get(posted.headers["location"])) == "invalid_request"
    pushed = signed_in.post("/oauth2/par", data=strict.request(), auth=strict.auth).json()
    query = {"client_id": strict.client.client_id, "request_uri": pushed["request_uri"]}
    assert "code" in returned(signed_in.get("/oauth2/authorize", params=query))


def test_unknown_scopes_are_left_out_and_known_ones_given(app: App, signed_in: Visitor) -> None:
    tokens = app.exchange(signed_in, app.code(signed_in, scope="openid orders:read admin openid")).json()
    assert tokens["scope"] == "openid orders:read"


# RFC 9207 and `state`: O30, O64

STATES = (
    "0",
    "x" * 2000,
    "😀" * 500,
    "a&b=c",
    "100%",
    "%2B+ %26",
    "상태",
    " ",
    "a\r\nb: c",
    "'\"<>\\",
    "#",
    "?",
)


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_state_comes_back_byte_for_byte_with_a_code_and_with_an_error(
    app: App, signed_in: Visitor, mode: str, subtests: pytest.Subtests
) -> None:
    for state in STATES:
        with subtests.test(state=state[:20]):
            good = said(app.authorize(signed_in, state=state, response_mode=mode))
            assert set(good) == {"code", "state", "iss"}
            bad = said(app.authorize(signed_in, state=state, response_mode=mode, response_type="token"))
            assert (good["state"], bad["state"]) == (state, state)
            assert (good["iss"], bad["iss"]) == (ISSUER, ISSUER)


def test_state_that_was_not_sent_does_not_come_back(app: App, signed_in: Visitor) -> None:
    for state in (None, ""):
        assert set(returned(app.authorize(signed_in, state=state))) == {"code", "iss"}
        assert "state" not in returned(app.authorize(signed_in, state=state, response_type=None))


def test_state_comes_back_through_sign_in_by_post_and_by_push(
    app: App, alice: Account, visitor: Visitor, subtests: pytest.Subtests
) -> None:
    waiting = []
    for state in STATES:
        pushed = visitor.post("/oauth2/par", data=app.request(state=state), auth=app.auth).json()
        query = {"client_id": app.client.client_id, "request_uri": pushed["request_uri"]}
        waiting += [
            (state, on_the_way(app.authorize(visitor, state=state))[1]["return_to"]),
            (state, visitor.post("/oauth2/authorize", data=app.request(state=state)).headers["location"]),
            (state, f"/oauth2/authorize?{urlencode(query)}"),
        ]
    visitor.sign_in(alice.username, PASSWORD)
    for state, back in waiting:
        with subtests.test(state=state[:20]):
            assert returned(visitor.get(back))["state"] == state


@pytest.mark.parametrize(
    ("name", "size"), [("state", 2001), ("state", 7000), ("nonce", 2001), ("state", 64_000)]
)
def test_what_is_too_long_is_a_clean_error(app: App, signed_in: Visitor, name: str, size: int) -> None:
    answer = app.authorize(signed_in, **{name: "x" * size})
    if answer.status_code == 414:
        return
    assert refusal(answer) == "invalid_request"


def test_longest_nonce_is_in_the_id_token_to_the_letter(app: App, signed_in: Visitor) -> None:
    nonce = '주문"\\&%' + "x" * 384
    assert app.exchange(signed_in, app.code(signed_in, nonce=nonce)).status_code == 200


# parameters that two programs read in two ways: O60

NAMES = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "response_mode",
    "request_uri",
    "id_token_hint",
    "unknown",
)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_parameter_that_comes_twice_is_refused_on_a_page(
    app: App, signed_in: Visitor, method: str, subtests: pytest.Subtests
) -> None:
    for name in NAMES:
        for value in ("", "same", app.request().get(name, "x")):
            with subtests.test(name=name, value=value[:20]):
                raw = f"{urlencode({**app.request(), name: value})}&{name}={quote(value)}"
                assert leads_nowhere(sent(signed_in, method, raw))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_parameters_that_cannot_be_read_are_refused_on_a_page(
    app: App, signed_in: Visitor, method: str, subtests: pytest.Subtests
) -> None:
    usual = urlencode(app.request())
    many = "&".join(f"p{number}=1" for number in range(MOST + 1))
    for more in ("state2=%00", "x=%FF", "%FF=x", "x=%ED%A0%80", many, "&" * 5000):
        with subtests.test(more=more[:20]):
            answer = sent(signed_in, method, f"{usual}&{more}")
            assert answer.status_code in (303, 400, 414) if more[0] == "&" else leads_nowhere(answer)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_parameters_are_ascii_on_the_wire(app: App, server: Server, method: str) -> None:
    raw = f"{urlencode(app.request(state=None))}&state=상태".encode()
    kind = (b"content-type", b"application/x-www-form-urlencoded")
    messages = ({"type": "http.request", "body": b"" if method == "GET" else raw, "more_body": False},)
    query = raw if method == "GET" else b""
    answer = send(server, method, "/oauth2/authorize", kind, query=query, messages=messages)
    assert (answer.status, "location" in answer.headers) == (400, False)


def test_semicolon_does_not_separate_parameters(app: App, signed_in: Visitor) -> None:
    raw = f"{urlencode(app.request())};state=forged;scope=orders:write"
    told = returned(sent(signed_in, "GET", raw))
    assert told["state"] == "af0ifjsldkj"


def test_ten_thousand_parameters_are_not_read(app: App, signed_in: Visitor) -> None:
    many = urlencode(app.request()) + "".join(f"&{number}=" for number in range(10_000))
    assert signed_in.get(f"/oauth2/authorize?{many}").status_code == 414
    assert sent(signed_in, "POST", many).status_code == 413


def test_query_beside_a_posted_form_is_refused(app: App, signed_in: Visitor) -> None:
    answer = signed_in.post("/oauth2/authorize?prompt=none", data=app.request(), headers=PAGE)
    assert leads_nowhere(answer)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_body_of_another_kind_is_not_read(app: App, signed_in: Visitor, kind: str) -> None:
    answer = signed_in.post(
        "/oauth2/authorize", content=urlencode(app.request()), headers={"Content-Type": kind, **PAGE}
    )
    assert (answer.status_code, "location" in answer.headers) == (415, False)


# what stands in a page: O62, form_post

HOSTILE = (
    '"><script>alert(1)</script>',
    "</form><form action=https://evil.example>",
    "'\"`<>&\u2028\u2029\x0b\x0c\u0085",
    "{{ 7 * 7 }}{% raw %}",
    "&quot;&#x3c;script&#x3e;",
    "javascript:alert(1)",
)


def test_nothing_that_is_sent_becomes_markup_of_the_form(
    app: App, signed_in: Visitor, subtests: pytest.Subtests
) -> None:
    for state in HOSTILE:
        with subtests.test(state=state):
            answer = app.authorize(signed_in, state=state, response_mode="form_post")
            assert said(answer)["state"] == state
            assert state not in answer.text or not set(state) & set("<>\"'&")
            assert answer.text.count("<form") == answer.text.count("<script") == 1


def test_policy_of_the_form_lets_it_go_to_the_app_and_runs_no_script_of_anybodys(
    app: App, signed_in: Visitor
) -> None:
    answer = app.authorize(signed_in, response_mode="form_post", state='"><script>alert(1)</script>')
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["form-action"] == "https://orders.example"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert f'action="{CALLBACK}"' in answer.text
    assert "location" not in answer.headers


def test_query_of_a_registered_address_is_kept_and_ours_comes_behind_it(
    make_app: MakeApp, signed_in: Visitor
) -> None:
    place = f"{CALLBACK}?tenant=a%26b&x="
    app = make_app(redirect_uris=(place,))
    sent_to = app.authorize(signed_in, redirect_uri=place).headers["location"]
    assert sent_to.startswith(f"{place}&code=")
    answer = app.authorize(signed_in, redirect_uri=place, response_mode="form_post")
    assert f'action="{html.escape(place)}"' in answer.text


def said(answer: httpx2.Response) -> dict[str, str]:
    """What the app is told, by a query or by a form."""
    if answer.status_code == 303:
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query, keep_blank_values=True))
    assert answer.status_code == 200, answer.text
    return {name: html.unescape(value) for name, value in FIELD.findall(answer.text)}


def sent(visitor: Visitor, method: str, raw: str) -> httpx2.Response:
    if method == "GET":
        return visitor.get(f"/oauth2/authorize?{raw}", headers=PAGE)
    return visitor.post("/oauth2/authorize", content=raw, headers=POSTED)
