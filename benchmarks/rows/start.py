"""`start`: from the start of the process to the first good JWKS, on a data folder that exists.

`memory`: what a worker holds after it has answered a thousand requests of every kind.
"""

from collections.abc import Sequence
from typing import Final

from authserver.protocol import cookies, paths
from benchmarks.goals import MEMORY, START, Judged
from benchmarks.installation import Installation
from benchmarks.load.plan import Plan, request, send
from benchmarks.records import Record
from benchmarks.rounds import Spread
from benchmarks.rows.crowd import CLIENTS, addresses, login
from benchmarks.rows.renewals import renewal
from benchmarks.stand import Stand

OURS: Final = "authserver"
OF_EACH: Final = 1000


def start(stand: Stand) -> list[Record]:
    installed, took = stand.installed(), []
    for _ in range(stand.rounds + 1):
        with stand.serving(installed) as server:
            took.append(server.took)
    found = Spread.of(took[1:])  # the first one filled the caches of the disk
    note = f"{found.median:.2f} s [{found.low:.2f} … {found.high:.2f}]"
    judged = (Judged(START, found),)
    return [
        Record(work="start", subject=OURS, workers=1, database=installed.database, judged=judged, note=note)
    ]


def memory(stand: Stand) -> list[Record]:
    installed = stand.installed(people=CLIENTS)
    with stand.serving(installed) as server:
        before = server.memory()
        errors = sum(_send(installed.port, requests) for requests in _kinds(installed))
        after = server.memory()
    note = f"at rest {before.rss_mb:.0f} MB, then RSS {after.rss_mb:.0f} MB, PSS {after.pss_mb:.0f} MB"
    judged = (Judged(MEMORY, Spread.of([after.pss_mb]), errors),)
    return [
        Record(
            work="memory",
            subject=OURS,
            workers=1,
            database=installed.database,
            rss_mb=after.rss_mb,
            judged=judged,
            note=note,
        )
    ]


def _send(port: int, requests: Sequence[Sequence[str]]) -> int:
    """Send requests of one kind, a thousand in all, and answer how many failed."""
    tally = send(Plan(port=port, requests=requests, each=-(-OF_EACH // len(requests))))
    return tally.sample().errors


def _kinds(installed: Installation) -> list[list[list[str]]]:
    """For each kind of request, what each connection sends."""
    port, people, secrets = installed.port, installed.accounts, installed.secrets
    session = [{"Cookie": f"{cookies.SESSION}={secret}"} for secret in secrets]
    public = (paths.JWKS, paths.OPENID_CONFIGURATION, paths.REVOCATIONS, "/login")
    turns, places = -(-OF_EACH // CLIENTS), addresses()
    return [
        *([[request("GET", path, port)]] * CLIENTS for path in public),
        [[request("GET", "/account", port, cookie)] for cookie in session],
        [[renewal(port, secret)] for secret in secrets],
        [[login(port, person, next(places)) for _ in range(turns)] for person in people],
    ]
