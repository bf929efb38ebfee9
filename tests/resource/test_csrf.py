import pytest

from authserver.resource.csrf import cross_site

OWN = {"host": "app.example.com"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_safe_methods_are_never_forged(method: str) -> None:
    assert not cross_site(method, {"origin": "https://evil.example", "sec-fetch-site": "cross-site"})


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "get", "WEBSOCKET", ""])
def test_every_other_method_is_checked(method: str) -> None:
    assert cross_site(method, OWN | {"origin": "https://evil.example"})


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://app.example.com", "app.example.com"),
        ("https://app.example.com", "APP.example.com:443"),
        ("https://app.example.com:8443", "app.example.com:8443"),
        ("http://localhost:8000", "localhost:8000"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_our_own_pages_may_send_the_cookie(origin: str, host: str) -> None:
    assert not cross_site("POST", {"origin": origin, "host": host})


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://evil.example",
        "https://evil.app.example.com",
        "https://app.example.com.evil.example",
        "https://app.example.com:8443",
        "http://app.example.com",
        "ftp://app.example.com",
        "app.example.com",
        "https://app.example.com, https://evil.example",
        "https://",
        "http://[",
    ],
)
def test_other_origins_may_not(origin: str) -> None:
    assert cross_site("POST", OWN | {"origin": origin, "sec-fetch-site": "same-origin"})


def test_allowed_origins_are_exact() -> None:
    allowed = ("https://shop.example.com",)
    assert not cross_site("POST", OWN | {"origin": "https://shop.example.com"}, allowed)
    assert cross_site("POST", OWN | {"origin": "https://shop.example.com:444"}, allowed)
    assert cross_site("POST", OWN | {"origin": "https://shop.example.comx"}, allowed)


@pytest.mark.parametrize(
    ("site", "forged"),
    [("same-origin", False), ("none", False), ("same-site", True), ("cross-site", True), ("x", True)],
)
def test_without_an_origin_the_browsers_own_word_counts(site: str, forged: bool) -> None:
    assert cross_site("POST", OWN | {"sec-fetch-site": site}) is forged


def test_without_both_a_cookie_is_not_believed() -> None:
    assert cross_site("POST", OWN)


def test_without_a_host_nothing_is_our_own() -> None:
    assert cross_site("POST", {"origin": "https://"})
    assert cross_site("POST", {"origin": "https://app.example.com"})
