"""A resource service in a process of its own, under load: its guards verify every token that they were told of, always.

Reads lines of JSON: first `{"issuer", "guards": {name: Freshness' arguments}}`, then `{"watch": {name: token}}` as
often as wanted, until standard input ends. Writes a line for each verdict that differs from the one before, and for
each document that changed a guard's list, with the machine's monotonic clock. Between two lines every verdict was that
of the first, so nothing is lost by it; and a process that is killed has said all that it knew.
"""

import json
import sys
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, Final

from authserver.resource.freshness import Freshness
from authserver.resource.guard import Guard, PlainRequest
from authserver.resource.refusal import Refusal
from tests.faults.telling import listen
from tests.faults.verdicts import ACCEPTED

REST: Final = 0.005  # between two rounds: the threads that follow the stream need the processor as well

_speaking: Final = Lock()


class Watch:
    """One guard and the thread that asks it."""

    def __init__(self, name: str, guard: Guard) -> None:
        self._name = name
        self._guard = guard
        self._requests: dict[str, PlainRequest] = {}
        self._last: dict[str, str] = {}
        self._by: str | None = None
        self.verifications = 0
        listen(guard, self._say_what_came)

    def add(self, name: str, token: str) -> None:
        self._requests[name] = PlainRequest("GET", {"authorization": f"Bearer {token}"})

    def run(self, stop: Event) -> None:
        while not stop.wait(REST):
            for token, request in list(self._requests.items()):
                self._ask(token, request)
            self._say_how_it_follows()

    def _ask(self, token: str, request: PlainRequest) -> None:
        outcome = self._guard.authenticate(request)
        self.verifications += 1
        if isinstance(outcome, Refusal):
            verdict, status = outcome.reason.value, outcome.status
        else:
            verdict, status = ACCEPTED, 200
        if verdict != self._last.get(token):
            self._last[token] = verdict
            say({"guard": self._name, "token": token, "verdict": verdict, "status": status})

    def _say_what_came(self, form: str, taken: bool, sequence: int) -> None:
        say({"guard": self._name, "form": form, "taken": taken, "sequence": sequence})

    def _say_how_it_follows(self) -> None:
        by = self._guard.health().by
        if by != self._by:
            self._by = by
            say({"guard": self._name, "by": by})


def main() -> None:
    told, stop = json.loads(sys.stdin.readline()), Event()
    watches = [Watch(name, _guard(told["issuer"], chosen)) for name, chosen in told["guards"].items()]
    threads = [Thread(target=watch.run, args=(stop,), daemon=True) for watch in watches]
    for thread in threads:
        thread.start()
    for line in sys.stdin:
        for name, token in json.loads(line)["watch"].items():
            for watch in watches:
                watch.add(name, token)
    stop.set()
    for thread in threads:
        thread.join(10)
    say({"verifications": sum(watch.verifications for watch in watches)})


def say(line: dict[str, Any]) -> None:
    with _speaking:
        sys.stdout.write(json.dumps({"at": monotonic(), **line}) + "\n")
        sys.stdout.flush()


def _guard(issuer: str, chosen: dict[str, Any]) -> Guard:
    return Guard(issuer, audience=issuer, freshness=Freshness(**chosen))


if __name__ == "__main__":
    main()
