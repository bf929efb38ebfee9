"""Options that could never work are refused when the guard is made, in a sentence that says what to write."""

from typing import Any

import pytest

from authserver.resource.freshness import Freshness
from authserver.resource.guard import Guard

LOGIN = "https://login.example.com"


def guard(issuer: str = LOGIN, **options: Any) -> Guard:
    return Guard(issuer, audience=LOGIN, **options)


@pytest.mark.parametrize(
    "issuer", [f"{LOGIN}/", f"{LOGIN}/auth", "https://Login.example.com", f"{LOGIN}?x=1", f"{LOGIN}#x"]
)
def test_an_issuer_that_equals_no_tokens_iss_is_refused(issuer: str) -> None:
    with pytest.raises(ValueError, match=f"write '{LOGIN}'"):
        guard(issuer)


def test_an_issuer_that_is_no_authserver_may_have_a_path() -> None:
    for issuer in ("https://tenant.example/", "https://tenant.example/realms/one"):
        assert guard(issuer, follow_revocations=False).issuer == issuer


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com/",
        "https://app.example.com/orders",
        "app.example.com",
        "app.example.com:8080",
        "https://App.example.com",
        "https://app.example.com:443",
        "http://app.example.com:80",
        "https://*.example.com",
        "https://앱.example",
        "https://a@app.example.com",
        "*",
        "null",
        "",
        None,
    ],
)
def test_an_origin_that_no_browser_sends_is_refused(origin: Any) -> None:
    with pytest.raises(ValueError, match=r"https://app\.example\.com"):
        guard(allowed_origins=[origin])


def test_origins_are_a_list() -> None:
    with pytest.raises(ValueError, match=r"\['https://app\.example\.com'\]"):
        guard(allowed_origins="https://app.example.com")


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com",
        "https://app.example.com:8443",
        "http://127.0.0.1:8003",
        "http://[::1]:3000",
        "https://xn--9n2bp8q.example",
        "capacitor://localhost",
    ],
)
def test_an_origin_as_browsers_write_it_is_taken(origin: str) -> None:
    guard(allowed_origins=[origin])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("leeway", value) for value in (-1, float("nan"), float("inf"), "60", True, None)),
        *(("heartbeat", value) for value in (0, 0.5, -1, 31, float("nan"), "5", False)),
    ],
)
def test_seconds_are_a_number_that_can_be_waited_for(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{option}=.* is a number of seconds"):
        guard(**{option: value})


def test_a_freshness_by_its_last_word_is_told_the_whole() -> None:
    told = r"freshness=Freshness\(max_staleness=30, beyond='refuse'\)"
    with pytest.raises(ValueError, match=told):
        guard(freshness="refuse")
    with pytest.raises(ValueError, match=told):
        guard().requirement(freshness="refuse")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"Freshness\(max_staleness=30\)"):
        guard(freshness=5)
    assert guard().requirement(freshness=Freshness(60, "refuse")).freshness == Freshness(60, "refuse")


@pytest.mark.parametrize("service", ["", " orders", "orders ", "주문", 'a"b', "a\\b", "a\nb", "x" * 65])
def test_a_name_that_no_header_can_quote_is_refused(service: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        guard(service=service)


def test_a_name_may_hold_what_a_header_can_quote() -> None:
    assert guard(service="orders-api.v2").realm == "orders-api.v2"
