"""The login service is away for an hour, by the clocks of everybody; what happened meanwhile is caught up at once."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Thread

import uvicorn

from authserver.app import Server
from authserver.resource.freshness import Freshness
from authserver.resource.guard import Guard, PlainRequest
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.revocation_ladder import Step
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock
from tests.conftest import MakeCapabilities, MakeServer, add_account
from tests.faults.login import Person
from tests.faults.telling import listen
from tests.processes import HOST, free_ports, until

HOUR = 3600.0


class Listener:
    """A resource service's guard in this process, on the test's clock; over real HTTP."""

    def __init__(self, issuer: str, clock: HandClock, freshness: Freshness) -> None:
        self.forms: list[str] = []
        self.guard = listen(
            Guard(
                issuer,
                audience=issuer,
                freshness=freshness,
                clock=lambda: clock.now().timestamp(),
                monotonic_clock=clock.monotonic,
            ),
            lambda form, _taken, _sequence: self.forms.append(form),
        )

    def verdict(self, person: Person) -> Reason | None:
        """None: accepted."""
        outcome = self.guard.authenticate(PlainRequest("GET", {"authorization": f"Bearer {person.token}"}))
        return outcome.reason if isinstance(outcome, Refusal) else None

    def follows(self) -> bool:
        return self.guard.health().by == Step.STREAM


@SQLITE_ONLY
def test_after_an_hour_without_its_issuer_a_guard_catches_up_what_happened_and_had_refused_nobody_valid(
    make_server: MakeServer, make_capabilities: MakeCapabilities, clock: HandClock
) -> None:
    port = free_ports()
    issuer = f"http://{HOST}:{port}"
    chosen = {"issuer": issuer, "development": True, "access_token_lifetime": "3h"}
    lenient = Listener(issuer, clock, Freshness())
    strict = Listener(issuer, clock, Freshness(beyond="refuse"))
    both = (lenient, strict)
    with closing(lenient.guard), closing(strict.guard):
        with served(make_server(**chosen), port) as server:
            add_account(server, "Alice")
            staying, leaving, gone = (Person(port, "alice") for _ in range(3))
            until(lambda: all(one.verdict(gone) is None and one.follows() for one in both))
            assert gone.sign_out(port)
            until(lambda: all(one.verdict(gone) is Reason.SIGNED_OUT for one in both))
        parts = make_capabilities(**chosen)
        clock.advance(HOUR)
        parts.database.write(
            lambda db: parts.sign_out.here(
                db, [leaving.sid], now=clock.now(), why="session.ended", by="operator"
            )
        )
        assert [lenient.verdict(one) for one in (staying, leaving)] == [None, None], "nobody could tell it"
        assert [strict.verdict(one) for one in (staying, leaving)] == [Reason.STALE] * 2
        assert [one.verdict(gone) for one in both] == [Reason.SIGNED_OUT] * 2
        with served(make_server(**chosen), port):
            until(lambda: all(one.verdict(leaving) is Reason.SIGNED_OUT for one in both))
            until(lambda: all(one.verdict(staying) is None and one.follows() for one in both))
    for one in both:
        assert one.forms == ["snapshot", "delta", "delta"], "the list once, then only what came after"


@contextmanager
def served(app: Server, port: int) -> Iterator[Server]:
    """Serve it over HTTP while the block lasts."""
    config = uvicorn.Config(app, host=HOST, port=port, log_config=None, access_log=False, ws="none")
    server, runner = uvicorn.Server(config), asyncio.Runner()
    loop = runner.get_loop()
    thread = Thread(target=lambda: runner.run(server.serve()))
    thread.start()
    try:
        until(lambda: server.started)
        yield app
    finally:
        loop.call_soon_threadsafe(app.news.end)  # what SIGTERM does in a process of its own
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
        runner.close()
