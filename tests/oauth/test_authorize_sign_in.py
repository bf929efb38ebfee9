"""Who is asked to sign in, when, and what comes of it: OIDC Core §3.1.2.1 (`prompt`, `max_age`, `id_token_hint`)."""

from collections.abc import Callable
from urllib.parse import urlsplit

import httpx2
import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD, add_account
from tests.oauth.conftest import CALLBACK, App, MakeApp, on_the_way, returned
from tests.oauth.reading import PAGE, Later, claims, leads_nowhere
from tests.visitor import Visitor

pytestmark = SQLITE_ONLY  # what is read and refused here, no database has a part in

MakeVisitor = Callable[..., Visitor]
MOST_HOPS = 6


@pytest.fixture
def later(clock: HandClock, server: Server) -> Later:
    return Later(clock, server)


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account, later: Later) -> Visitor:
    visitor.sign_in(alice.username, PASSWORD)
    later(60)
    return visitor


def travel(visitor: Visitor, answer: httpx2.Response, username: str = "alice") -> httpx2.Response:
    """Do what a person does until the app is reached: sign in where that is asked for, and allow what is asked."""
    for _ in range(MOST_HOPS):
        place = urlsplit(answer.headers["location"])
        if place.netloc:
            return answer
        path, query = on_the_way(answer)
        if path == "/login":
            page = f"/login?{place.query}"
            fields = {"username": username, "password": PASSWORD, "return_to": query["return_to"]}
            answer = visitor.form(page, "/login", fields)
        elif path == "/consent":
            fields = {name: query[name] for name in ("client_id", "request_uri")} | {"decision": "allow"}
            answer = visitor.form(f"/consent?{place.query}", "/consent", fields)
        else:
            answer = visitor.get(answer.headers["location"], headers=PAGE)
    raise AssertionError("round and round")


def id_token(server: Server, app: App, visitor: Visitor, answer: httpx2.Response) -> dict[str, object]:
    tokens = app.exchange(visitor, returned(answer)["code"])
    assert tokens.status_code == 200, tokens.text
    return claims(server, tokens.json()["id_token"])


def raw_id_token(app: App, visitor: Visitor) -> str:
    return str(app.exchange(visitor, app.code(visitor)).json()["id_token"])


def refusal(answer: httpx2.Response) -> str:
    """The error that the app is told, with its state and our name (SECURITY O30)."""
    told = returned(answer)
    assert set(told) == {"error", "error_description", "state", "iss"}
    assert (told["state"], told["iss"]) == ("af0ifjsldkj", ISSUER)
    return told["error"]


# prompt


def test_prompt_none_shows_nothing_to_whoever_is_not_signed_in(app: App, visitor: Visitor) -> None:
    assert refusal(app.authorize(visitor, prompt="none")) == "login_required"


def test_prompt_none_is_silent_for_whoever_is_signed_in(app: App, server: Server, signed_in: Visitor) -> None:
    first = id_token(server, app, signed_in, app.authorize(signed_in))
    second = id_token(server, app, signed_in, app.authorize(signed_in, prompt="none"))
    assert (first["sub"], first["auth_time"]) == (second["sub"], second["auth_time"])


def test_prompt_none_shows_no_consent_page(make_app: MakeApp, signed_in: Visitor) -> None:
    app = make_app(first_party=False)
    assert refusal(app.authorize(signed_in, prompt="none")) == "consent_required"


@pytest.mark.parametrize("prompt", ["none login", "login none", "none consent", "none select_account"])
def test_prompt_none_stands_alone(app: App, signed_in: Visitor, prompt: str) -> None:
    assert refusal(app.authorize(signed_in, prompt=prompt)) == "invalid_request"


@pytest.mark.parametrize("prompt", ["bogus", "login bogus", "LOGIN", "create"])
def test_unknown_prompt_is_refused_and_not_skipped(app: App, signed_in: Visitor, prompt: str) -> None:
    assert refusal(app.authorize(signed_in, prompt=prompt)) == "invalid_request"


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent", "login select_account"])
def test_prompt_login_asks_for_the_password_again_and_keeps_the_session(
    app: App, server: Server, later: Later, signed_in: Visitor, prompt: str
) -> None:
    first = id_token(server, app, signed_in, app.authorize(signed_in))
    answer = app.authorize(signed_in, prompt=prompt)
    path, query = on_the_way(answer)
    assert (path, query["again"]) == ("/login", "true")
    later(5)
    second = id_token(server, app, signed_in, travel(signed_in, answer))
    assert second["auth_time"] == int(later.clock.now().timestamp())
    assert (second["sub"], second["sid"]) == (first["sub"], first["sid"])


def test_prompt_login_is_not_answered_by_a_sign_in_of_the_same_moment(
    app: App, alice: Account, visitor: Visitor
) -> None:
    visitor.sign_in(alice.username, PASSWORD)
    assert on_the_way(app.authorize(visitor, prompt="login"))[0] == "/login"


def test_sign_in_page_that_is_left_out_leads_back_to_it(app: App, signed_in: Visitor) -> None:
    _, query = on_the_way(app.authorize(signed_in, prompt="login"))
    for _ in range(3):
        assert on_the_way(signed_in.get(query["return_to"]))[0] == "/login"


def test_new_sign_in_answers_only_requests_from_before_it(app: App, later: Later, signed_in: Visitor) -> None:
    _, first = on_the_way(app.authorize(signed_in, prompt="login"))
    later(1)
    signed_in.sign_in("alice", PASSWORD)
    later(1)
    _, second = on_the_way(app.authorize(signed_in, prompt="login"))
    assert "code" in returned(signed_in.get(first["return_to"]))
    assert on_the_way(signed_in.get(second["return_to"]))[0] == "/login"


def test_form_of_the_sign_in_page_shows_although_somebody_is_signed_in(app: App, signed_in: Visitor) -> None:
    answer = app.authorize(signed_in, prompt="login")
    page = signed_in.get(answer.headers["location"], headers=PAGE)
    assert page.status_code == 200
    assert 'name="password"' in page.text


# max_age


@pytest.mark.parametrize(("max_age", "asked"), [("59", True), ("60", False), ("10000", False), ("0", True)])
def test_max_age_decides_whether_a_sign_in_is_recent_enough(
    app: App, server: Server, later: Later, signed_in: Visitor, max_age: str, asked: bool
) -> None:
    before = int(later.clock.now().timestamp()) - 60
    answer = app.authorize(signed_in, max_age=max_age)
    assert (not urlsplit(answer.headers["location"]).netloc) is asked
    later(1)
    said = id_token(server, app, signed_in, travel(signed_in, answer))
    assert said["auth_time"] == (before + 61 if asked else before)


def test_max_age_1_does_not_go_round_however_slow_the_person_is(
    app: App, later: Later, signed_in: Visitor
) -> None:
    _, query = on_the_way(app.authorize(signed_in, max_age="1"))
    later(300)
    signed_in.sign_in("alice", PASSWORD)
    later(300)
    assert "code" in returned(signed_in.get(query["return_to"]))


def test_registered_max_age_counts_where_none_is_asked(
    make_app: MakeApp, later: Later, signed_in: Visitor
) -> None:
    app = make_app(default_max_age=30)
    assert on_the_way(app.authorize(signed_in))[0] == "/login"
    assert "code" in returned(app.authorize(signed_in, max_age="3600"))


@pytest.mark.parametrize("max_age", ["-1", "1.5", "+1", "1e3", "٣", "x", " 1", "9" * 10, "9" * 4000])
def test_max_age_that_is_no_number_is_refused(app: App, signed_in: Visitor, max_age: str) -> None:
    assert refusal(app.authorize(signed_in, max_age=max_age)) == "invalid_request"


def test_silent_request_with_an_old_sign_in_is_told_so(app: App, signed_in: Visitor) -> None:
    assert refusal(app.authorize(signed_in, prompt="none", max_age="59")) == "login_required"


# id_token_hint


def test_hint_at_whoever_is_signed_in_is_silent(app: App, later: Later, signed_in: Visitor) -> None:
    hint = raw_id_token(app, signed_in)
    assert "code" in returned(app.authorize(signed_in, prompt="none", id_token_hint=hint))
    later(7200)
    assert "code" in returned(app.authorize(signed_in, prompt="none", id_token_hint=hint))


def test_hint_at_somebody_else_asks_them_to_sign_in(
    app: App, server: Server, later: Later, make_visitor: MakeVisitor, signed_in: Visitor
) -> None:
    bob = add_account(server, "Bob")
    other = make_visitor(server)
    other.sign_in(bob.username, PASSWORD)
    hint = raw_id_token(app, other)
    assert refusal(app.authorize(signed_in, prompt="none", id_token_hint=hint)) == "login_required"
    answer = app.authorize(signed_in, id_token_hint=hint)
    assert on_the_way(answer)[0] == "/login"
    later(1)
    said = id_token(server, app, signed_in, travel(signed_in, answer, bob.username))
    assert said["sub"] == bob.id


def test_whoever_signs_in_as_somebody_else_than_was_hinted_is_not_asked_for_ever(
    app: App, server: Server, later: Later, make_visitor: MakeVisitor, signed_in: Visitor
) -> None:
    add_account(server, "Bob")
    other = make_visitor(server)
    other.sign_in("bob", PASSWORD)
    answer = app.authorize(signed_in, id_token_hint=raw_id_token(app, other))
    later(1)
    assert refusal(travel(signed_in, answer, "alice")) == "login_required"


@pytest.mark.parametrize("prompt", ["none", None])
@pytest.mark.parametrize(
    "kind", ["tampered", "unsigned", "access token", "refresh token", "other client", "text"]
)
def test_hint_that_is_no_id_token_of_ours_for_this_client_is_refused(
    app: App, make_app: MakeApp, signed_in: Visitor, kind: str, prompt: str | None
) -> None:
    other = make_app(client_id="other")
    tokens = app.exchange(signed_in, app.code(signed_in)).json()
    good = tokens["id_token"]
    header, payload, signature = good.split(".")
    hint = {
        "tampered": f"{header}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "unsigned": f"eyJhbGciOiJub25lIn0.{payload}.",
        "access token": tokens["access_token"],
        "refresh token": tokens["refresh_token"],
        "other client": raw_id_token(other, signed_in),
        "text": '주문"\\',
    }[kind]
    assert refusal(app.authorize(signed_in, prompt=prompt, id_token_hint=hint)) == "invalid_request"
    assert "code" in returned(app.authorize(signed_in, prompt="none", id_token_hint=good))


# a request that comes from another site, and visits that come twice


@pytest.mark.parametrize("signed", [True, False])
def test_cross_site_post_comes_back_by_a_get_and_finds_the_session(
    app: App, alice: Account, make_visitor: MakeVisitor, server: Server, visitor: Visitor, signed: bool
) -> None:
    if signed:
        visitor.sign_in(alice.username, PASSWORD)
    without_cookies = make_visitor(server)  # SameSite=Lax: a browser sends none
    headers = {"Origin": "https://orders.example", "Sec-Fetch-Site": "cross-site"}
    answer = without_cookies.post("/oauth2/authorize", data=app.request(), headers=headers)
    path, query = on_the_way(answer)
    assert path == "/oauth2/authorize"
    assert set(query) == {"client_id", "request_uri"}
    answer = visitor.get(answer.headers["location"])
    assert returned(answer)["state"] == "af0ifjsldkj" if signed else on_the_way(answer)[0] == "/login"


def test_error_in_a_posted_request_is_told_to_the_app_once(app: App, visitor: Visitor) -> None:
    answer = visitor.post("/oauth2/authorize", data=app.request(response_type="token"))
    assert refusal(visitor.get(answer.headers["location"])) == "unsupported_response_type"
    assert leads_nowhere(visitor.get(answer.headers["location"], headers=PAGE))


def test_posted_name_of_a_waiting_request_is_followed(app: App, signed_in: Visitor) -> None:
    first = signed_in.post("/oauth2/authorize", data=app.request())
    _, query = on_the_way(first)
    again = signed_in.post("/oauth2/authorize", data=query)
    assert again.headers["location"] == first.headers["location"]
    assert "code" in returned(signed_in.get(again.headers["location"]))


def test_two_visits_before_the_sign_in_and_one_answer_after_it(
    app: App, alice: Account, later: Later, visitor: Visitor
) -> None:
    pushed = visitor.post("/oauth2/par", data=app.request(), auth=app.auth).json()
    query = {"client_id": app.client.client_id, "request_uri": pushed["request_uri"]}
    assert on_the_way(visitor.get("/oauth2/authorize", params=query))[0] == "/login"
    answer = visitor.get("/oauth2/authorize", params=query)
    later(1)
    assert "code" in returned(travel(visitor, answer))
    assert leads_nowhere(visitor.get("/oauth2/authorize", params=query, headers=PAGE))


def test_waiting_request_is_over_after_half_an_hour(
    app: App, alice: Account, later: Later, visitor: Visitor
) -> None:
    _, query = on_the_way(app.authorize(visitor))
    later(30 * 60)
    visitor.sign_in(alice.username, PASSWORD)
    assert leads_nowhere(visitor.get(query["return_to"], headers=PAGE))


def test_waiting_request_of_one_client_is_not_anothers(
    app: App, make_app: MakeApp, signed_in: Visitor
) -> None:
    other = make_app(client_id="other")
    _, query = on_the_way(app.authorize(signed_in, prompt="login"))
    stolen = query["return_to"].replace("client_id=orders-web", f"client_id={other.client.client_id}")
    assert stolen != query["return_to"]
    assert leads_nowhere(signed_in.get(stolen, headers=PAGE))


def test_parameters_beside_the_name_of_a_request_count_for_nothing(app: App, signed_in: Visitor) -> None:
    answer = signed_in.post("/oauth2/authorize", data=app.request())
    beside = "&state=forged&redirect_uri=https://evil.example/&scope=orders:write&response_mode=form_post"
    assert returned(signed_in.get(answer.headers["location"] + beside))["state"] == "af0ifjsldkj"


def test_deleted_account_and_ended_session_are_nobody(app: App, signed_in: Visitor) -> None:
    signed_in.post("/logout", json={})
    assert on_the_way(app.authorize(signed_in))[0] == "/login"
    assert refusal(app.authorize(signed_in, prompt="none")) == "login_required"


HARMLESS: tuple[dict[str, str | None], ...] = (
    {"display": "page"},
    {"display": "bogus"},
    {"ui_locales": "ko en"},
    {"ui_locales": "x" * 3000},
    {"claims_locales": "ko"},
    {"login_hint": "alice"},
    {"login_hint": '주문"\\\r\n'},
    {"login_hint": "x" * 5000},
    {"acr_values": "urn:example:gold 2 1"},
    {"extra": "foobar"},
    {"nonce": None},
    {"state": ""},
)


def test_hints_and_unknown_parameters_cause_no_error(
    app: App, make_visitor: MakeVisitor, server: Server, signed_in: Visitor, subtests: pytest.Subtests
) -> None:
    stranger = make_visitor(server)
    for hint in HARMLESS:
        with subtests.test(hint=str(hint)[:60]):
            assert "code" in returned(app.authorize(signed_in, **hint))
            answer = app.authorize(stranger, **hint)
            assert on_the_way(answer)[0] == "/login"
            assert len(answer.headers["location"]) < 4096, "a proxy in front has to be able to pass it on"
            assert stranger.get(answer.headers["location"], headers=PAGE).status_code == 200


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request": "x", "request_uri": "https://orders.example/r"}, "request_not_supported"),
        ({"request_uri": "https://orders.example/request"}, "request_uri_not_supported"),
        ({"request_uri": "https://169.254.169.254/"}, "request_uri_not_supported"),
        ({"request_uri": "URN:ietf:params:oauth:request_uri:x"}, "request_uri_not_supported"),
    ],
    ids=str,
)
def test_request_objects_are_refused_by_name(
    app: App, signed_in: Visitor, sent: dict[str, str], error: str
) -> None:
    assert refusal(app.authorize(signed_in, **sent)) == error
    posted = signed_in.post("/oauth2/authorize", data=app.request(**sent))
    assert refusal(signed_in.get(posted.headers["location"])) == error


def test_answer_is_kept_by_nobody_and_says_nothing_to_the_next_site(app: App, signed_in: Visitor) -> None:
    answer = app.authorize(signed_in)
    assert answer.headers["location"].startswith(CALLBACK)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin")
    assert "access-control-allow-origin" not in answer.headers
