"""One spelling for one address."""

import pytest

from authserver.clients.uris import BadUri, Uri, read, web


@pytest.mark.parametrize(
    "text",
    [
        "https://app.example",
        "https://app.example/",
        "https://app.example:8443/a/b;v=1/c.d?x=%2Fhome&y=[1]",
        "https://xn--9n2bp8q.example/cb",
        "https://intranet/cb",
        "https://192.0.2.7/cb",
        "https://[2001:db8::7]:8443/cb",
        "https://a--b.example/%E2%9C%93",
        "urn:example:orders",
        "com.example.app:/cb",
        "https://app.example/...",
        "https://7.example/cb",
        "https://app.example/" + "a" * 1_980,
    ],
)
def test_plain_uri_is_read(text: str) -> None:
    assert isinstance(read(text), Uri)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", BadUri.EMPTY),
        ("https://app.example/" + "a" * 1_981, BadUri.TOO_LONG),
        ("https://app.example/a b", BadUri.CHARACTER),
        ("https://app.example/a\tb", BadUri.CHARACTER),
        ("https://app.example/a\n", BadUri.CHARACTER),
        ("https://app.example/\0", BadUri.CHARACTER),
        ("https://app.example\\@evil.example/", BadUri.CHARACTER),
        ("https://app。example/", BadUri.CHARACTER),
        ("https://app.example/한글", BadUri.CHARACTER),
        ('https://app.example/"', BadUri.CHARACTER),
        ("https://app.example/<b>", BadUri.CHARACTER),
        ("https://app.example/{id}", BadUri.CHARACTER),
        ("https://app.example/%", BadUri.CHARACTER),
        ("https://app.example/%zz", BadUri.CHARACTER),
        ("https://app.example/\udcff", BadUri.CHARACTER),
        ("https://app.example/%00", BadUri.ENCODED),
        ("https://app.example/?a=%0d%0aX:1", BadUri.ENCODED),
        ("https://app.example/%5c", BadUri.ENCODED),
        ("https://app.example/%7F", BadUri.ENCODED),
        ("https://app.example/a%2fb", BadUri.ENCODED),
        ("https://app.example/%2F..%2F", BadUri.ENCODED),
        ("https://app.example/#f", BadUri.FRAGMENT),
        ("https://app.example/#", BadUri.FRAGMENT),
        ("https://*.example/", BadUri.WILDCARD),
        ("app.example/cb", BadUri.RELATIVE),
        ("//app.example/cb", BadUri.RELATIVE),
        ("/cb", BadUri.RELATIVE),
        ("https:/app.example/cb", BadUri.RELATIVE),
        ("https:///cb", BadUri.RELATIVE),
        ("https:", BadUri.RELATIVE),
        ("HTTPS://app.example/", BadUri.UPPER_CASE),
        ("https://App.example/", BadUri.UPPER_CASE),
        ("https://[2001:DB8::7]/", BadUri.UPPER_CASE),
        ("https://app.example/a/../b", BadUri.DOTS),
        ("https://app.example/./b", BadUri.DOTS),
        ("https://app.example/..", BadUri.DOTS),
        ("https://app.example/%2e%2E/b", BadUri.DOTS),
        ("https://app.example/..;x/b", BadUri.DOTS),
        ("https://app.example@evil.example/", BadUri.USERINFO),
        ("https://user:word@app.example/", BadUri.USERINFO),
        ("https://:8443/", BadUri.HOST),
        ("https://app.example./", BadUri.HOST),
        ("https://.example/", BadUri.HOST),
        ("https://-app.example/", BadUri.HOST),
        ("https://app_1.example/", BadUri.HOST),
        ("https://app%2eexample/", BadUri.HOST),
        ("https://127.1/", BadUri.HOST),
        ("https://2130706433/", BadUri.HOST),
        ("https://0x7f.0.0.0x1/", BadUri.HOST),
        ("https://0177.0.0.1/", BadUri.HOST),
        ("https://127.0.0.256/", BadUri.HOST),
        ("https://127.0.0.0.1/", BadUri.HOST),
        ("https://[::ffff:7f00:1]/", BadUri.HOST),
        ("https://[::ffff:127.0.0.1]/", BadUri.HOST),
        ("https://[0:0:0:0:0:0:0:1]/", BadUri.HOST),
        ("https://[fe80::1%25eth0]/", BadUri.HOST),
        ("https://[::1]x/", BadUri.HOST),
        ("https://[::1/", BadUri.HOST),
        ("https://::1/", BadUri.HOST),
        ("https://" + "a" * 64 + ".example/", BadUri.HOST),
        ("https://" + "a." * 127 + "a/", BadUri.HOST),
        ("https://app.example:/", BadUri.PORT),
        ("https://app.example:0/", BadUri.PORT),
        ("https://app.example:08443/", BadUri.PORT),
        ("https://app.example:65536/", BadUri.PORT),
        ("https://app.example:8443:1/", BadUri.PORT),
        ("https://app.example:443/", BadUri.DEFAULT_PORT),
        ("http://127.0.0.1:80/", BadUri.DEFAULT_PORT),
    ],
)
def test_uri_that_two_programs_may_read_differently_is_refused(text: str, reason: BadUri) -> None:
    assert read(text) is reason


@pytest.mark.parametrize("text", ["https://a.example/", "http://localhost:3000/", "http://[::1]:3000/"])
def test_web_address_is_https_or_on_this_machine(text: str) -> None:
    assert isinstance(web(text), Uri)


@pytest.mark.parametrize(
    "text",
    ["http://a.example/", "http://127.0.0.2/", "http://localhost.a.example/", "ftp://a.example/", "urn:a:b"],
)
def test_web_address_is_nothing_else(text: str) -> None:
    assert web(text) is BadUri.NOT_HTTPS


def test_parts_of_an_address_are_named() -> None:
    uri = read("https://[2001:db8::7]:8443/cb?x=1")
    assert isinstance(uri, Uri)
    assert (uri.host, uri.origin) == ("[2001:db8::7]", "https://[2001:db8::7]:8443")
    assert (uri.path, uri.query) == ("/cb", "x=1")
