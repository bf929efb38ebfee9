"""What a guard can be told, and work: a mistake is heard of when the service starts, not as a 401 for everybody.

A slash after the issuer, a trailing path in an origin or a negative leeway raise nothing by themselves: the one equals
no token's `iss`, the other no browser's `Origin`, and the third refuses tokens before they expire. And "null" equals
too much: it is the origin of every sandboxed frame, whoever wrote it.
"""

import re
from collections.abc import Collection
from math import isfinite
from typing import Final
from urllib.parse import urlsplit

from authserver.protocol.heard import LONGEST_NAME
from authserver.protocol.revocation import HEARTBEAT, LONGEST_WAIT
from authserver.resource.freshness import Freshness
from authserver.resource.http import require_secure

# RFC 6454 §6.2 as browsers write it: lower case, ASCII, no path. Not https alone: an app's own web view has its scheme.
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_NEEDLESS_PORTS: Final = {"https": 443, "http": 80}
_NAME: Final = re.compile(rf"(?=\S)[ -~]{{1,{LONGEST_NAME}}}(?<=\S)")
_UNQUOTABLE: Final = frozenset('"\\')
# Heartbeats of silence, and a connection counts as dead: the poll that follows comes before the third.
HEARTBEATS: Final = 2.5
_SHORTEST_BEAT: Final = 1.0  # what an issuer can be asked for: whole seconds
_BEATS: Final = 3.0  # within what is accepted: a silent connection is given up, and the next one is made


def require_issuer(issuer: str, *, follow: bool) -> str:
    """`follow`: an authserver, whose `iss` is an origin. Others, which have no revocation list, may have a path."""
    require_secure(issuer)
    if follow and issuer != (origin := _without_path(issuer)):
        raise ValueError(
            f"`iss` in tokens must equal issuer letter by letter, so {issuer!r} would refuse every one: "
            f"write {origin!r}, or say follow_revocations=False for an issuer that is no authserver"
        )
    return issuer


def _without_path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def require_origins(origins: Collection[str], option: str = "allowed_origins") -> frozenset[str]:
    """Other origins whose pages may use the token cookie; or those at which the service itself is reached."""
    if isinstance(origins, str):
        raise ValueError(f"{option} is a list: write [{origins!r}]")  # noqa: TRY004 - one kind, as documented
    for origin in origins:
        if not _ORIGIN.fullmatch(str(origin)) or _needless_port(origin):
            raise ValueError(
                f"{origin!r} in {option} equals no Origin that a browser sends: write scheme, host and, unless "
                "it is the usual one, port, in lower case and without a slash at the end: https://app.example.com"
            )
    return frozenset(origins)


def _needless_port(origin: str) -> bool:
    parts = urlsplit(origin)
    return origin.endswith(f":{_NEEDLESS_PORTS.get(parts.scheme)}")


def require_service(service: str | None) -> str | None:
    """It stands in a quoted header, and in a table of the issuer's."""
    if service is not None and (not _NAME.fullmatch(service) or _UNQUOTABLE & set(service)):
        raise ValueError(
            f"service={service!r}: a service's name has 1 to {LONGEST_NAME} printable ASCII characters, "
            "no quote and no backslash, such as orders"
        )
    return service


def require_leeway(leeway: float) -> float:
    if not _is_number(leeway) or leeway < 0:
        raise ValueError(f"leeway={leeway!r}: it is a number of seconds, not below zero")
    return leeway


def require_heartbeat(heartbeat: float | None) -> float | None:
    """The issuer would beat once a second all the same, and a stream counts as dead after two and a half of ours."""
    longest = LONGEST_WAIT
    if heartbeat is not None and (not _is_number(heartbeat) or not _SHORTEST_BEAT <= heartbeat <= longest):
        raise ValueError(
            f"heartbeat={heartbeat!r}: it is a number of seconds, from {_SHORTEST_BEAT:g} to {longest:g}; "
            "None chooses one"
        )
    return heartbeat


def heartbeat_for(max_staleness: float) -> float:
    return min(max(max_staleness / _BEATS, _SHORTEST_BEAT), HEARTBEAT)


def require_time_to_hear(max_staleness: float, heartbeat: float) -> None:
    """For beyond="refuse": what could not even be kept on a good day is a mistake."""
    shortest = HEARTBEATS * _SHORTEST_BEAT
    if max_staleness < shortest:
        raise ValueError(
            f"the list is confirmed once a second at most, so max_staleness={max_staleness:g} would refuse "
            f'everybody now and then: with beyond="refuse" it is at least {shortest:g}'
        )
    if max_staleness < HEARTBEATS * heartbeat:
        raise ValueError(
            f"the list is confirmed each {heartbeat:g} s, so max_staleness={max_staleness:g} would refuse everybody "
            f"now and then: give the guard heartbeat={heartbeat_for(max_staleness):.2g}"
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def require_freshness(freshness: Freshness | None) -> Freshness | None:
    if freshness is not None and not isinstance(freshness, Freshness):
        raise ValueError(
            f"freshness={freshness!r}: write freshness=Freshness(max_staleness=30, beyond={freshness!r})"
            if isinstance(freshness, str)
            else f"freshness={freshness!r}: write freshness=Freshness(max_staleness=30)"
        )
    return freshness
