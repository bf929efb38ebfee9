"""The wire shape of the revocation list: one Security Event Token (RFC 8417) per answer.

The payload of `GET /revocations` (media type `application/secevent+jwt`, `typ: secevent+jwt`) has one event, in one of
three forms. A snapshot replaces all that the reader knows::

    {"iss": "https://login.example.com", "iat": 1785000000, "jti": "…",
     "events": {"urn:authserver:revocations": {
        "sequence": 19, "mark": "Zk3…",
        "entries": [
            {"seq": 18, "kind": "sid", "value": "…", "exp": 1785003660},
            {"seq": 19, "kind": "sub", "value": "…", "before": 1785000001, "exp": 1785003660}]}}}

A delta continues the list of a reader that stands at `since` under `since_mark`, and no other; without entries it
says that nothing has changed, and when::

    {"since": 17, "since_mark": "kq3…", "sequence": 19, "mark": "Zk3…", "entries": […]}

A reset says that this history has no such position, as the database was restored to an earlier day. Only the reader
that stands exactly there may then take a snapshot with a lower sequence; what it knows stays until that one comes::

    {"reset": {"since": 19, "mark": "Zk3…"}, "sequence": 12, "mark": "p0Q…"}

`mark` is a random name for the list as it is at `sequence`. Two histories may count to the same number, they never
have the same mark there. `exp` and `before` are seconds since 1970. An entry may be forgotten after `exp`: no token
that it concerns is alive by then. `before` stands on the kinds `sub` and `client_id` only: tokens with `iat` <
`before` are refused.

Ways to read it: `GET /revocations` answers a snapshot, `?since=17&mark=kq3…` a delta (or a snapshot where that is
shorter, or a reset), `&wait=25` the same as soon as there is news, and after so many seconds at the latest.
`GET /revocations/stream`, with the same parameters or `Last-Event-ID`, answers Server-Sent Events: `event: revocations`,
`id:` the sequence, `data:` one such token, again and again; every `heartbeat` seconds at the latest (1 to 30).
"""

from enum import StrEnum
from typing import Final

EVENT: Final = "urn:authserver:revocations"
STREAM_EVENT: Final = "revocations"
LONGEST_WAIT: Final = 30  # seconds; proxies cut what is silent for a minute
HEARTBEAT: Final = 5  # seconds, where a reader of the stream does not say


class Kind(StrEnum):
    """What a revocation names: a claim of the tokens that it ends, or the key that signed them."""

    JTI = "jti"
    GRANT_ID = "grant_id"  # every token of one authorization, however often it was refreshed
    SID = "sid"
    SUB = "sub"
    CLIENT_ID = "client_id"
    KID = "kid"


WITH_CUTOFF: Final = frozenset({Kind.SUB, Kind.CLIENT_ID})
