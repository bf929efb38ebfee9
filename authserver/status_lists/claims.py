"""What is said on the wire: the `status` of a token (draft §6.2), and the claims of a signed list (§5.1)."""

from datetime import datetime, timedelta
from typing import Any

from authserver.clock import seconds
from authserver.protocol import paths
from authserver.status_lists.bits import SIZE


def list_uri(issuer: str, number: int) -> str:
    return f"{issuer}{paths.STATUS_LISTS}/{number}"


def status(issuer: str, number: int) -> dict[str, Any]:
    """Answer where a token's status stands, by the number of its index."""
    return {"status_list": {"idx": number % SIZE, "uri": list_uri(issuer, number // SIZE)}}


def status_list(
    issuer: str, number: int, lst: str, *, confirmed_at: datetime, ttl: timedelta, good_for: timedelta
) -> dict[str, Any]:
    """Build the claims of a list.

    :param confirmed_at: when the database last said that the bits are these: `iat`.
    :param ttl: after so long a reader should fetch it anew.
    :param good_for: and after so long it must: `exp`.
    """
    return {
        "iss": issuer,
        "sub": list_uri(issuer, number),
        "iat": seconds(confirmed_at),
        "exp": seconds(confirmed_at + good_for),
        "ttl": int(ttl.total_seconds()),
        "status_list": {"bits": 1, "lst": lst, "aggregation_uri": issuer + paths.STATUS_LISTS},
    }
