import json
from typing import Any

import pytest

from authserver.resource import Guard
from authserver.resource.metadata import ResourceMetadata
from tests.resource import forge

PLACE = "/.well-known/oauth-protected-resource"


@pytest.mark.parametrize(
    ("resource", "url"),
    [
        ("https://api.example.com", f"https://api.example.com{PLACE}"),
        ("https://api.example.com/", f"https://api.example.com{PLACE}"),
        ("https://api.example.com/v1/orders", f"https://api.example.com{PLACE}/v1/orders"),
        ("https://api.example.com:8443/v1", f"https://api.example.com:8443{PLACE}/v1"),
        ("http://127.0.0.1:8000", f"http://127.0.0.1:8000{PLACE}"),
    ],
)
def test_the_place_is_between_host_and_path(resource: str, url: str) -> None:
    metadata = ResourceMetadata(resource, forge.ISSUER, {})
    assert metadata.url == url
    assert url.endswith(metadata.path)
    assert metadata.document["resource"] == resource  # to the letter: RFC 9728 §3.3


@pytest.mark.parametrize(
    "audience", ["orders", "urn:orders", "https://", "https://a.example?x=1", "https://a.example#x", "//a"]
)
def test_an_audience_that_is_no_url_has_no_metadata(audience: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        Guard(forge.ISSUER, audience=audience, metadata={})
    Guard(forge.ISSUER, audience=audience)


@pytest.mark.parametrize("name", ["resource", "authorization_servers", "bearer_methods_supported"])
def test_what_the_guard_enforces_it_says_itself(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Guard(forge.ISSUER, audience=forge.API, metadata={name: "https://evil.example"})


def test_a_guard_says_who_it_trusts_and_what_the_service_adds() -> None:
    guard = Guard(forge.ISSUER, audience=[forge.API, "other"], metadata={"resource_name": "주문"})
    expected: dict[str, Any] = {
        "resource": forge.API,
        "authorization_servers": [forge.ISSUER],
        "bearer_methods_supported": ["header"],
        "resource_name": "주문",
    }
    assert guard.metadata() == expected
    assert guard.resource_metadata is not None
    assert json.loads(guard.resource_metadata.content) == expected


def test_without_metadata_there_is_nothing_to_serve() -> None:
    with pytest.raises(ValueError, match="metadata="):
        Guard(forge.ISSUER, audience=forge.API).metadata()
