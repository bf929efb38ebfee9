"""What a client that registers itself may be, beyond what every registration has to be (clients/metadata.py).

Less than one that the operator registers: it is for people, who are asked for consent, and it has the scopes that its
invitation names. A service that acts on its own behalf is the operator's to register; so is a place in somebody's
sector, by which apps would put together what they know of a person. What the operator gave a client later, it may keep.
"""

from collections.abc import Iterator
from typing import Final

from authserver.clients.contradictions import Problem
from authserver.clients.registration import AUTHORIZATION_CODE, DEVICE_CODE, REFRESH_TOKEN, Registration

GRANTS: Final = (AUTHORIZATION_CODE, REFRESH_TOKEN, DEVICE_CODE)


def beyond(one: Registration, scope: str, before: Registration | None = None) -> Iterator[Problem]:
    """Name what a client asks for and cannot give itself; `scope`: of its invitation."""
    had = before or Registration(client_name="", grant_types=())
    if not set(one.grant_types) <= {*GRANTS, *had.grant_types}:
        yield Problem("grant_types", f"a client that registers itself has only: {', '.join(GRANTS)}")
    if not set(one.scopes) <= {*scope.split(), *had.scopes}:
        yield Problem("scope", f"this invitation is for: {scope}")
    if one.sector_identifier_uri not in (None, had.sector_identifier_uri):
        yield Problem("sector_identifier_uri", "only the operator can put a client into a sector")
    if one.subject_type == "pairwise" and DEVICE_CODE in one.grant_types:
        message = (
            "a device does not show that the redirect URIs are its own, which name the sector: choose public"
        )
        yield Problem("subject_type", message)
