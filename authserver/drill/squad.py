"""The verifiers of a run: starts their processes, hands each the tokens of the moment, takes in what they see."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, Final

from authserver.drill.processes import DrillBroken, running, tail
from authserver.drill.sights import Sight, from_line
from authserver.drill.tokens import Issued
from authserver.drill.verifiers import Kind, Service

START_SECONDS: Final = 30.0
Arrived = tuple[str, bytes]  # module, line; an empty line: its output has ended


@dataclass(frozen=True, slots=True)
class Squad:
    """Verifiers at work; `sights` grows while they are."""

    processes: Mapping[str, "subprocess.Popen[bytes]"]
    arrivals: "Queue[Arrived]"
    sights: dict[str, list[Sight]]
    ended: set[str]  # those whose process ended by itself

    def use(self, tokens: Sequence[Issued]) -> None:
        line = json.dumps([[one.label, one.value, one.alive_until] for one in tokens]).encode() + b"\n"
        for module, process in self.processes.items():
            if module not in self.ended:
                self._hand(module, process, line)

    def collect(self, wait: float) -> None:
        """Take in what has arrived; wait so long for the first of it."""
        try:
            arrived = self.arrivals.get(timeout=wait)
            while True:
                self._take(*arrived)
                arrived = self.arrivals.get_nowait()
        except Empty:
            return

    @property
    def verifications(self) -> int:
        return sum(sight.times for sights in self.sights.values() for sight in sights)

    def _take(self, module: str, line: bytes) -> None:
        if line:
            self.sights[module].extend(from_line(line))
        else:
            self.ended.add(module)

    def _hand(self, module: str, process: "subprocess.Popen[bytes]", line: bytes) -> None:
        if process.stdin is None:
            raise TypeError("a verifier is started with pipes")
        try:
            process.stdin.write(line)
            process.stdin.flush()
        except OSError:  # it died; that counts as a failure, not as the end of the drill
            self.ended.add(module)


@contextmanager
def verifying(
    kinds: Sequence[Kind], service: Service, rate: float, environment: Mapping[str, str], folder: Path
) -> Iterator[Squad]:
    """Start every verifier and wait until each has its keys.

    :param rate: verifications a second, of all together.
    """
    with ExitStack() as stack:
        arrivals: Queue[Arrived] = Queue()
        started: dict[str, subprocess.Popen[bytes]] = {}
        for kind in kinds:
            words = (service.issuer, service.max_age, service.contract, rate / len(kinds))
            command = (sys.executable, "-m", "authserver.drill.worker", kind.module, *map(str, words))
            log = folder / f"{kind.module}.log"
            started[kind.module] = stack.enter_context(running(command, environment, log, pipes=True))
            _read_aside(kind.module, started[kind.module].stdout, arrivals)
        squad = Squad(started, arrivals, {module: [] for module in started}, set())
        _wait_for_all(squad, folder)
        yield squad


def _read_aside(module: str, pipe: IO[bytes] | None, arrivals: "Queue[Arrived]") -> None:
    def read() -> None:
        for line in pipe or ():
            arrivals.put((module, line))
        arrivals.put((module, b""))

    Thread(target=read, daemon=True).start()


def _wait_for_all(squad: Squad, folder: Path) -> None:
    for _ in squad.processes:
        try:
            module, line = squad.arrivals.get(timeout=START_SECONDS)
        except Empty:
            raise DrillBroken("the verifiers did not start in time") from None
        if not line:
            raise DrillBroken(f"the verifier {module} did not start: {tail(folder / f'{module}.log')}")
