"""The wire shape of the revocation list: one Security Event Token (RFC 8417) per answer.

The payload of `GET /revocations` (media type `application/secevent+jwt`, `typ: secevent+jwt`)::

    {"iss": "https://login.example.com", "iat": 1785000000, "jti": "…",
     "events": {"urn:authserver:revocations": {
        "epoch": "kq3…",        # changes when the database was restored: sequences of another epoch mean nothing
        "since": 17,            # a delta holds the entries after 17; absent in a snapshot, which replaces everything
        "sequence": 19,         # the list's newest sequence: ask for `?since=19` next
        "entries": [
            {"seq": 18, "kind": "sid", "value": "…", "exp": 1785003660},
            {"seq": 19, "kind": "sub", "value": "…", "before": 1785000001, "exp": 1785003660}]}}}

`exp` and `before` are seconds since 1970. An entry may be forgotten after `exp`: no token that it concerns is
alive by then. `before` stands on the kinds `sub` and `client_id` only: tokens with `iat` < `before` are refused.
"""

from enum import StrEnum
from typing import Final

EVENT: Final = "urn:authserver:revocations"


class Kind(StrEnum):
    """What a revocation names: a claim of the tokens that it ends, or the key that signed them."""

    JTI = "jti"
    SID = "sid"
    SUB = "sub"
    CLIENT_ID = "client_id"
    KID = "kid"


WITH_CUTOFF: Final = frozenset({Kind.SUB, Kind.CLIENT_ID})
