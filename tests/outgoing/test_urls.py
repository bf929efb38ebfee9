"""Reading a URL strictly."""

import pytest

from authserver.outgoing.urls import Place, place_of


def test_parts_of_a_plain_url_are_read() -> None:
    assert place_of("https://app.example/bye?a=b") == Place(
        True, "app.example", "app.example", 443, "/bye?a=b"
    )
    assert place_of("http://[::1]:8080") == Place(False, "[::1]:8080", "::1", 8080, "/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "app.example",
        "//app.example/",
        "ftp://app.example/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user@app.example/",
        "https://user:word@app.example/",
        "https://app.example\\@evil.example/",
        "https://app.example/a b",
        "https://app.example/a\r\nHost: evil.example",
        "https://app.example/#fragment",
        "https://app.example:0x50/",
        "https://app.example:65536/",
        "https://fe80::1%25eth0/",
        "https://[fe80::1%25eth0]/",
        "https://ap\u00fc.example/",
        "https://app.example/" + "a" * 2_000,
    ],
)
def test_url_that_is_not_plain_is_not_read(url: str) -> None:
    assert place_of(url) is None
