"""One drill from start to end: prepare, start, conduct, judge; whatever was started is ended, also by Ctrl-C."""

import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from authserver.clock import Clock
from authserver.drill.conduct import Conduct, Emergency, Progress
from authserver.drill.history import give_keys_a_past
from authserver.drill.installation import Installation, environment_for, installation
from authserver.drill.judgement import Measure, Verdict, judge
from authserver.drill.operator import CommandLine, Operator
from authserver.drill.person import Person
from authserver.drill.plan import Plan
from authserver.drill.processes import DrillBroken, running, tail
from authserver.drill.squad import verifying
from authserver.drill.verifiers import KINDS, Kind, Service
from authserver.keyring.states import Ring, SigningKey
from authserver.protocol import paths
from authserver.resource.http import FetchFailed, HttpFetch

PROGRAM: Final = (sys.executable, "-m", "authserver")
USERNAME: Final = "demo"  # whom `authserver dev` makes
OK: Final = 200
PAUSE: Final = 0.05
START_SECONDS: Final = 60.0

Sabotage = Callable[[Installation, Operator], Operator]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that a report tells. Moments are seconds since 1970."""

    plan: Plan
    promotions: int  # as many as there was time for
    began_at: float
    ended_at: float
    keys: tuple[SigningKey, ...]
    emergency: Emergency
    verdicts: tuple[Verdict, ...]
    missing: tuple[Kind, ...]  # verifiers whose library is not installed

    @property
    def verifications(self) -> int:
        return sum(verdict.verifications for verdict in self.verdicts)

    @property
    def failures(self) -> int:
        return sum(verdict.failed for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Watched:
    """The keys of an installation: in its database, and as its server publishes them."""

    place: Installation
    fetch: HttpFetch

    def ring(self) -> Ring:
        return self.place.ring()

    def is_published(self, kid: str) -> bool:
        try:
            return kid.encode() in self.fetch(self.place.issuer + paths.JWKS, None).body
        except FetchFailed:
            return False


def drill(
    plan: Plan,
    surrounding: Mapping[str, str],
    clock: Clock,
    say: Callable[[Progress], None],
    sabotage: Sabotage = lambda _, operator: operator,
) -> Outcome:
    """Run a drill.

    :param surrounding: the environment that its processes inherit, less every setting of ours.
    :param sabotage: what a test breaks, to see that the drill notices.
    :raises DrillBroken: it could not be run to its end; what started has ended.
    """
    kinds = [kind for kind in KINDS if kind.installed]
    with ExitStack() as stack:
        say(Progress(0, 0, "preparing an installation"))
        place = stack.enter_context(installation(plan.timing))
        earlier = give_keys_a_past(place.parts.settings, plan.timing, clock)
        say(Progress(0, 0, "starting server and verifiers"))
        password = secrets.token_urlsafe(12)
        environment = environment_for(plan.timing, surrounding, demo_password=password)
        stack.enter_context(_server(place, environment))
        person = Person(place.port, USERNAME, password)
        service = Service(place.issuer, place.issuer, plan.timing.jwks_max_age.total_seconds(), plan.contract)
        squad = stack.enter_context(verifying(kinds, service, plan.rate, environment, place.folder))
        commands = stack.enter_context(CommandLine(PROGRAM, environment, place.folder))
        conduct = Conduct(
            plan,
            operator=sabotage(place, commands),
            keys=Watched(place, HttpFetch()),
            squad=squad,
            renew=person.token,
            clock=clock,
            say=say,
        )
        for token in earlier:
            conduct.tokens.add(token)
        emergency = conduct.run()
        measure = Measure(emergency, plan.contract, conduct.tokens.kids, conduct.ended_at)
        verdicts = [
            judge(kind, squad.sights[kind.module], measure, died=kind.module in squad.ended) for kind in kinds
        ]
        return Outcome(
            plan,
            conduct.promotions,
            conduct.began_at,
            conduct.ended_at,
            place.ring().keys,
            emergency,
            tuple(verdicts),
            tuple(kind for kind in KINDS if not kind.installed),
        )


@contextmanager
def _server(place: Installation, environment: Mapping[str, str]) -> Iterator[None]:
    """`authserver dev` as anybody starts it, ready to answer."""
    command = (*PROGRAM, "dev", "--no-apps", "--port", str(place.port), "--data", str(place.folder))
    log, fetch = place.folder / "server.log", HttpFetch(timeout=2.0)
    with running(command, environment, log) as process:
        deadline = time.monotonic() + START_SECONDS
        while not _is_ready(place, fetch):
            if process.poll() is not None or time.monotonic() > deadline:
                raise DrillBroken(f"the server did not start: {tail(log)}")
            time.sleep(PAUSE)
        yield


def _is_ready(place: Installation, fetch: HttpFetch) -> bool:
    try:
        return fetch(f"{place.issuer}/readyz", None).status == OK
    except FetchFailed:
        return False
