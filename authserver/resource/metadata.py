"""What a protected resource says about itself, so that a client finds where to get a token (RFC 9728).

    GET https://api.example.com/.well-known/oauth-protected-resource
    WWW-Authenticate: Bearer …, resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"

The resource is the guard's audience, so that must be a URL; a client compares the two (§3.3), as otherwise any service
could send people to an issuer of its choice in another's name.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
HEADERS: Final[Mapping[str, str]] = {
    "Access-Control-Allow-Origin": "*",  # public, and read by clients that live in a browser
    "Cache-Control": "public, max-age=3600",
}
_OURS: Final = frozenset(("resource", "authorization_servers", "bearer_methods_supported"))


class ResourceMetadata:
    """The document, and its place. `members` are those of RFC 9728 §2 that only the service knows."""

    def __init__(self, resource: str, issuer: str, members: Mapping[str, Any]) -> None:
        parts = urlsplit(resource)
        if parts.scheme not in ("https", "http") or not parts.netloc or parts.fragment or parts.query:
            raise ValueError("metadata need an audience that is a URL without a query or fragment")
        if not _OURS.isdisjoint(members):
            raise ValueError(f"the guard itself says {', '.join(sorted(_OURS & members.keys()))}")
        self.path: str = WELL_KNOWN + parts.path.rstrip("/")  # §3.1: between the host and the path
        self.url: str = f"{parts.scheme}://{parts.netloc}{self.path}"
        self.document: Mapping[str, Any] = {
            "resource": resource,
            "authorization_servers": [issuer],
            "bearer_methods_supported": ["header"],  # the token cookie is no method of RFC 6750
            **members,
        }
        self.content: bytes = json.dumps(self.document, ensure_ascii=False).encode()
