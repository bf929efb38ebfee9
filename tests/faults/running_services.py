"""Resource services as the tests hold them: started, told what to verify, listened to, killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Thread
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

from authserver.resource.revocation_ladder import Step
from tests.faults.verdicts import ACCEPTED, Heard, Record, Verdict
from tests.processes import until

ROOT: Final = Path(__file__).parents[2]
ENDS_WITHIN: Final = 10.0

LENIENT: Final = "lenient"  # the default contract: a list that was complete when its issuer died still is
STRICT: Final = "strict"  # 503 as soon as the list is three seconds old
MAX_STALENESS: Final = 3.0
GUARDS: Final[Mapping[str, dict[str, Any]]] = {
    LENIENT: {},
    STRICT: {"max_staleness": MAX_STALENESS, "beyond": "refuse"},
}


class Service:
    """A process of `tests.faults.resource_service` for as long as the block lasts, with one guard of each contract."""

    def __init__(self, issuer: str, guards: Mapping[str, dict[str, Any]] = GUARDS) -> None:
        self.record = Record()
        self.guards = tuple(guards)
        self._first = {"issuer": issuer, "guards": dict(guards)}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            (sys.executable, "-m", "tests.faults.resource_service"),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._tell(self._first)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.stop()

    def watch(self, tokens: Mapping[str, str]) -> None:
        """Verify these too, from now on."""
        self._tell({"watch": dict(tokens)})

    def all_say(self, verdict: str, tokens: Iterable[str]) -> bool:
        """Whether every guard's verdict on every one of these is that one at this moment."""
        names = list(tokens)
        return all(self.record.now(name, guard) == verdict for name in names for guard in self.guards)

    def warm(self, tokens: Mapping[str, str]) -> None:
        """Verify these, and wait until every guard accepts them and follows the list by its stream."""
        self.watch(tokens)
        until(lambda: self.all_say(ACCEPTED, tokens) and self.streams())

    def streams(self) -> bool:
        """Whether every guard follows the list by its stream at this moment."""
        return all(self.record.by.get(guard) == Step.STREAM for guard in self.guards)

    def kill(self) -> None:
        """kill -9."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait(ENDS_WITHIN)
        self._close()

    def stop(self) -> None:
        """Let it count its verifications and end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(ENDS_WITHIN)
        self._close()

    def _close(self) -> None:
        self.record.end(monotonic())
        self._listener.join(ENDS_WITHIN)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _tell(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if "verdict" in said:
                self.record.verdicts.append(Verdict(**said))
            elif "form" in said:
                self.record.heard.append(Heard(**said))
            elif "by" in said:
                self.record.by[said["guard"]] = said["by"]
            else:
                self.record.verifications = said["verifications"]
