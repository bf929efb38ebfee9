"""Where an answer may go: exactly there (SECURITY O01, O03, O06)."""

import pytest

from authserver.clients.redirect_uris import matches, registrable
from authserver.clients.uris import BadUri
from tests.registrations.conftest import CALLBACK

OTHER_ADDRESSES = (
    "https://app.example/cb/",
    "https://app.example/CB",
    "https://app.example/cb?x=1",
    "https://app.example/cb?",
    "https://app.example/cb#f",
    "https://app.example/cb#",
    "https://app.example/cb%2f",
    "https://app.example/c%62",
    "https://app.example/cb/..",
    "https://app.example/cb/.",
    "https://app.example/x/../cb",
    "https://app.example/..;/cb",
    "https://app.example//cb",
    "https://app.example/cb;a",
    "https://app.example/cb%00",
    "https://app.example/cb\0",
    "https://app.example/cb%0d%0aX:1",
    "https://app.example/cb\r\nX:1",
    "https://app.example/cb\\",
    "https://app.example\\cb",
    "https://app.example.evil/cb",
    "https://app.example./cb",
    "https://app.example@evil/cb",
    "https://user@app.example/cb",
    "https://evil\\@app.example/cb",
    "https://evil%2f@app.example/cb",
    "https://app.example:443/cb",
    "https://app.example:444/cb",
    "https://app.example:/cb",
    "http://app.example/cb",
    "HTTPS://APP.EXAMPLE/cb",
    "https://App.example/cb",
    "https://app。example/cb",
    "https://\u0430pp.example/cb",  # Cyrillic
    "https://xn--pp-7kc.example/cb",
    "https://[::ffff:7f00:1]/cb",
    "https://*/cb",
    "https://.*/cb",
    "//app.example/cb",
    "/cb",
    "cb",
    "javascript:alert(1)",
    "javascript:https://app.example/cb",
    "data:text/html,https://app.example/cb",
    "vbscript:x",
    "app:/cb",
    " https://app.example/cb",
    "https://app.example/cb ",
    "https://app.example/\tcb",
    "https://app.example/\ncb",
    "https://app.example/cb\n",
    "https://app.example/cb https://app.example/cb",
    "https://app.example/cb,https://app.example/cb",
    "['https://app.example/cb']",
    "https://app.example/cb" + "a" * 10_000,
    "\udcff",
    "",
)


@pytest.mark.parametrize("asked", OTHER_ADDRESSES)
def test_every_other_spelling_of_a_registered_address_is_another_address(asked: str) -> None:
    assert not matches([CALLBACK], asked)


def test_the_registered_address_itself_matches_whichever_of_several_it_is() -> None:
    registered = ("https://app.example/other", CALLBACK)
    assert all(matches(registered, uri) for uri in registered)


@pytest.mark.parametrize("asked", [CALLBACK, "", "http://127.0.0.1/cb"])
def test_nothing_matches_where_nothing_is_registered(asked: str) -> None:
    assert not matches((), asked)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
@pytest.mark.parametrize("port", ["", ":1", ":80", ":8000", ":49152", ":65535"])
@pytest.mark.parametrize("registered_port", ["", ":3000"])
def test_native_app_may_listen_on_any_port_of_a_loopback_address(
    host: str, port: str, registered_port: str
) -> None:
    assert matches([f"http://{host}{registered_port}/cb?a=b"], f"http://{host}{port}/cb?a=b")


@pytest.mark.parametrize(
    "asked",
    [
        "http://localhost:8000/cb",
        "http://127.0.0.2:8000/cb",
        "http://[::1]:8000/cb",
        "http://0.0.0.0:8000/cb",
        "http://127.1:8000/cb",
        "http://2130706433:8000/cb",
        "http://0x7f000001:8000/cb",
        "http://[::ffff:127.0.0.1]:8000/cb",
        "https://127.0.0.1:8000/cb",
        "http://127.0.0.1:8000/other",
        "http://127.0.0.1:8000/cb/",
        "http://127.0.0.1:8000/cb?x=1",
        "http://127.0.0.1:8000",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:08000/cb",
        "http://127.0.0.1:+80/cb",
        "http://127.0.0.1:٨٠/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:8000@evil.example/cb",
        "http://127.0.0.1:8000.evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://user@127.0.0.1:8000/cb",
        "http://127.0.0.1:8000\\cb",
        "http://127.0.0.1:8000/cb\n",
        "HTTP://127.0.0.1:8000/cb",
    ],
)
def test_only_the_port_of_a_loopback_address_is_free(asked: str) -> None:
    assert not matches(["http://127.0.0.1/cb"], asked)


@pytest.mark.parametrize("registered", ["http://localhost/cb", "http://localhost:3000/cb"])
def test_port_of_localhost_is_compared_because_it_is_a_name(registered: str) -> None:
    assert matches([registered], registered)
    assert not matches([registered], "http://localhost:8000/cb")


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        (CALLBACK, "web"),
        ("https://app.example:8443/cb?tenant=7", "web"),
        ("http://localhost:3000/cb", "web"),
        ("http://127.0.0.1:3000/cb", "web"),
        (CALLBACK, "native"),
        ("http://127.0.0.1/cb", "native"),
        ("http://[::1]/cb", "native"),
        ("com.example.app:/cb", "native"),
        ("com.example.app://signed-in", "native"),
        ("com.example.app:///cb", "native"),
    ],
)
def test_plain_address_can_be_registered(uri: str, kind: str) -> None:
    assert registrable(uri, kind) is None


@pytest.mark.parametrize(
    ("uri", "kind", "reason"),
    [
        ("http://app.example/cb", "web", BadUri.NOT_HTTPS),
        ("http://192.168.1.5/cb", "web", BadUri.NOT_HTTPS),
        ("http://localhost.evil.example/cb", "web", BadUri.NOT_HTTPS),
        ("http://app.example/cb", "native", BadUri.NOT_HTTPS),
        ("http://localhost/cb", "native", BadUri.LOCALHOST),
        ("com.example.app:/cb", "web", BadUri.SCHEME),
        ("myapp:/cb", "native", BadUri.SCHEME),
        ("javascript:alert(1)", "native", BadUri.SCHEME),
        ("data:text/plain,x", "native", BadUri.SCHEME),
        ("vbscript:x", "native", BadUri.SCHEME),
        ("file:///etc/passwd", "native", BadUri.SCHEME),
        ("ftp://app.example/cb", "web", BadUri.SCHEME),
        ("urn:example:cb", "native", BadUri.SCHEME),
        ("com.example.app:", "native", BadUri.SCHEME),
        ("com.example.app:cb", "native", BadUri.SCHEME),
        ("com.example.app://", "native", BadUri.SCHEME),
        ("com.example.app://a:b/cb", "native", BadUri.HOST),
        ("com..app:/cb", "native", BadUri.SCHEME),
        ("https://*.app.example/cb", "web", BadUri.WILDCARD),
        ("https://app.example/cb#f", "web", BadUri.FRAGMENT),
        ("https://app.example/cb?code=1", "web", BadUri.RESPONSE_NAME),
        ("https://app.example/cb?a=1&st%61te=x", "web", BadUri.RESPONSE_NAME),
        ("https://app.example/cb?iss", "web", BadUri.RESPONSE_NAME),
    ],
)
def test_address_that_invites_attacks_cannot_be_registered(uri: str, kind: str, reason: BadUri) -> None:
    assert registrable(uri, kind) is reason


@pytest.mark.parametrize("uri", OTHER_ADDRESSES)
def test_hostile_address_is_refused_or_plain_and_never_an_error(uri: str) -> None:
    for kind in ("web", "native"):
        if registrable(uri, kind) is None:
            assert matches([uri], uri)
            assert uri.startswith("https://")
