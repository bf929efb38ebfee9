"""What a page's `form-action` says about the app that it leads to."""

import pytest

from authserver.web.policy_source import source_of


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("https://orders.example/callback?x=1", "https://orders.example"),
        ("https://orders.example:8443/callback", "https://orders.example:8443"),
        ("http://127.0.0.1:51004/cb", "http://127.0.0.1:51004"),
        ("com.example.orders:/callback", "com.example.orders:"),
        ("com.example.orders://host/callback", "com.example.orders://host"),
    ],
)
def test_source_is_scheme_host_and_port(uri: str, source: str) -> None:
    assert source_of(uri) == source


@pytest.mark.parametrize(("port", "named"), [(":51004", "51004"), ("", "80")])
def test_address_that_the_grammar_does_not_know_is_named_by_its_port(port: str, named: str) -> None:
    """Chromium ignores `http://[::1]:51004` and blocks the form, so that nobody came back to such an app."""
    assert source_of(f"http://[::1]{port}/cb") == f"http://*:{named}"
