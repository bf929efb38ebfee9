"""One verifier in a process of its own: `python -m authserver.drill.worker MODULE ISSUER MAX_AGE CONTRACT RATE`.

Standard input brings the tokens of the moment, a JSON line for each change; standard output carries away what was
seen. The process ends when its input does, so it never outlives the drill, however that ended.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from itertools import cycle
from threading import Event, Thread
from typing import IO, Final

from authserver.clock import Clock, SystemClock
from authserver.drill.sights import Window, to_line
from authserver.drill.tokens import Issued
from authserver.drill.verifiers import Service, Verify

TICK: Final = 0.02  # how finely the time to effect is measured
REPORT_EVERY: Final = 10  # ticks
READY: Final = "[]"


class Worker:
    """Verifies at an even pace; when the machine cannot keep it, without pause."""

    def __init__(self, verify: Verify, clock: Clock, rate: float) -> None:
        self._verify = verify
        self._clock = clock
        self._each_tick = max(1, round(rate * TICK))
        self._turns: Iterator[Issued] = iter(())
        self._window = Window()

    def use(self, tokens: Sequence[Issued]) -> None:
        """From now on these; called from the thread that reads, and replaced as a whole."""
        self._turns = cycle(tuple(tokens))

    def run(self, pause: Callable[[float], bool], say: Callable[[str], None]) -> None:
        """Go on until `pause` answers that it is over."""
        due, ticks = self._clock.monotonic(), 0
        while not pause(max(0.0, due - self._clock.monotonic())):
            self.tick()
            due, ticks = max(due + TICK, self._clock.monotonic() - 1), ticks + 1
            if ticks % REPORT_EVERY == 0:
                say(to_line(self._window.taken()))

    def tick(self) -> None:
        turns = self._turns
        for _ in range(self._each_tick):
            token = next(turns, None)
            if token is not None and self._now() < token.alive_until:
                self._ask(token)

    def _ask(self, token: Issued) -> None:
        """A verifier that raises what its manual does not name has not accepted: the service would answer 500."""
        try:
            reason = self._verify(token.value)
        except Exception as error:  # noqa: BLE001 - see above
            reason = f"{type(error).__name__}: {error}"
        at = self._now()
        if (
            reason is None or at < token.alive_until
        ):  # else it may have expired while this process had no turn
            self._window.note(token.label, reason, at)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _follow(lines: IO[str], worker: Worker, over: Event) -> None:
    for line in lines:
        worker.use([Issued(*row) for row in json.loads(line)])
    over.set()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(module: str, issuer: str, max_age: str, contract: str, rate: str) -> None:
    """Start up as the service would, then verify what comes in."""
    service = Service(issuer, issuer, float(max_age), float(contract))
    verify: Verify = import_module(f"authserver.drill.verifiers.{module}").verifier(service)
    worker, over = Worker(verify, SystemClock(), float(rate)), Event()
    Thread(target=_follow, args=(sys.stdin, worker, over), daemon=True).start()
    _say(READY)
    worker.run(over.wait, _say)


if __name__ == "__main__":
    main(*sys.argv[1:])
