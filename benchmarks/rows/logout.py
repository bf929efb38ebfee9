"""`logout`: from the moment at which a browser sends its sign-out to the refusal at twenty resource services.

On one server with SQLite; and across two servers on PostgreSQL, where the services follow the one and people sign out
at the other.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from typing import Final

from authserver.app import create_app
from authserver.protocol import cookies
from authserver.sessions.current import CurrentSessions
from benchmarks.goals import LOGOUT_ONE, LOGOUT_TWO, Goal, Judged
from benchmarks.installation import Installation
from benchmarks.load.talkers import Talker
from benchmarks.processes import free_port
from benchmarks.records import Record
from benchmarks.rounds import Spread, percentile
from benchmarks.stand import Stand

PROCESSES: Final = 4
GUARDS: Final = 5  # in each
SIGN_OUTS: Final = 25  # in each round: 500 refusals
SETTLE: Final = 0.5  # seconds, for every guard to have its stream
OURS: Final = f"{PROCESSES * GUARDS} services"


def logout(stand: Stand) -> list[Record]:
    people = 1 + SIGN_OUTS * stand.rounds
    one, *others = stand.installed_on_both(people=people)
    found = [_record(stand, one, one.port, LOGOUT_ONE, "one server")]
    for installed in others:
        elsewhere = replace(installed, port=free_port())
        with stand.serving(elsewhere):
            found.append(_record(stand, installed, elsewhere.port, LOGOUT_TWO, "two servers"))
    return found


def _record(stand: Stand, installed: Installation, door: int, goal: Goal, what: str) -> Record:
    """:param door: the port at which people sign out; the services follow the installation's own."""
    with stand.serving(installed), _services(installed) as services:
        tokens = tokens_of(installed)
        _warm(services, tokens[-1])
        pairs = iter(zip(installed.secrets, tokens, strict=True))
        rounds = [
            [ms for _ in range(SIGN_OUTS) for ms in _sign_out(services, door, *next(pairs))]
            for _ in range(stand.rounds)
        ]
    missing = PROCESSES * GUARDS * SIGN_OUTS * len(rounds) - sum(map(len, rounds))
    every = [ms for each in rounds for ms in each]
    slowest = Spread.of(percentile(each, 0.99) for each in rounds)
    return Record(
        work="logout",
        subject=f"{OURS}, {what}",
        database=installed.database,
        judged=(Judged(goal, slowest, missing),),
        note=f"p50 {percentile(every, 0.5):.1f} ms, p99 {slowest.median:.1f} ms, slowest {max(every):.1f} ms",
    )


@contextmanager
def _services(installed: Installation) -> Iterator[Sequence[Talker]]:
    told = {"issuer": f"http://127.0.0.1:{installed.port}", "count": GUARDS}
    with ExitStack() as ends:
        talkers = [ends.enter_context(Talker("benchmarks.load.services", told)) for _ in range(PROCESSES)]
        for talker in talkers:
            talker.hear()
        yield talkers


def _warm(services: Sequence[Talker], token: str) -> None:
    for service in services:
        service.tell({"token": token, "warm": True})
    assert all(service.hear()["accepted"] for service in services)
    time.sleep(SETTLE)


def _sign_out(services: Sequence[Talker], port: int, secret: str, token: str) -> list[float]:
    """Answer what each service took, in milliseconds."""
    for service in services:
        service.tell({"token": token})
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Cookie": f"{cookies.SESSION}={secret}", "Content-Type": "application/json"}
    began = time.monotonic()
    connection.request("POST", "/logout", "{}", headers)
    status = connection.getresponse().status
    assert status == 200, f"POST /logout answered {status}"
    connection.close()
    return [(at - began) * 1000 for service in services for at in service.hear()["refused_at"]]


def tokens_of(installed: Installation) -> list[str]:
    """A token of each session, as its token cookie would hold it."""
    server = create_app(installed.settings)
    with closing(server.capabilities.database), closing(server.runner):
        server.start()
        parts, signer = server.capabilities, server.tokens.signer()
        current = CurrentSessions(parts.lifetime, parts.clock)
        found = [
            parts.database.read(lambda db, secret=secret: current.find(db, secret))  # type: ignore[misc]
            for secret in installed.secrets
        ]
        return [
            server.tokens.mint(signer, each.session, each.account, each.at).value for each in found if each
        ]
