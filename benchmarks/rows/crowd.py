"""People who sign in: under the real limits, from addresses of their own, and sometimes too many at once."""

import os
from collections.abc import Iterator
from json import dumps
from typing import Final

from authserver.accounts.store import Account
from authserver.accounts.throttling import Limits
from authserver.protocol import paths
from benchmarks.installation import PASSWORD, Installation
from benchmarks.load.plan import Load, Plan, Tally, request, send
from benchmarks.rounds import Sample

CORES: Final = os.cpu_count() or 1
CLIENTS: Final = max(16, 4 * CORES)
TOO_MANY: Final = CORES + 160  # more than threads and queue take in together
AT_ONE_ADDRESS: Final = min(window.attempts for window in Limits().address) // 2
FASTEST: Final = 200  # sign-ins a second that one client could reach at the very most
PROBE_EVERY: Final = 0.01


class Crowd:
    """People who sign in at one server again and again, and a client that asks for the JWKS meanwhile."""

    def __init__(self, installed: Installation) -> None:
        self.probes: list[Sample] = []
        self._installed = installed
        self._addresses = addresses()

    def sign_in(self, seconds: float) -> Sample:
        port = self._installed.port
        everyone = [self._attempts(person, seconds) for person in self._installed.accounts[:CLIENTS]]
        probe = [[request("GET", paths.JWKS, port)]]
        with (
            Load(Plan(port=port, requests=everyone, seconds=seconds)) as signing_in,
            Load(Plan(port=port, requests=probe, seconds=seconds, pause=PROBE_EVERY)) as asking,
        ):
            self.probes.append(asking.tally().sample())
            return signing_in.tally().sample()

    def _attempts(self, person: Account, seconds: float) -> list[str]:
        turns = int(seconds * FASTEST / AT_ONE_ADDRESS) + 1
        moves = [next(self._addresses) for _ in range(turns)]
        return [
            login(self._installed.port, person, address) for address in moves for _ in range(AT_ONE_ADDRESS)
        ]


def rush(installed: Installation) -> Tally:
    """Let everybody sign in at the same moment, once."""
    port, people = installed.port, installed.accounts[-TOO_MANY:]
    requests = [[login(port, person, address)] for person, address in zip(people, addresses(), strict=False)]
    return send(Plan(port=port, requests=requests, each=1))


def login(port: int, person: Account, address: str) -> str:
    body = dumps({"username": person.username, "password": PASSWORD})
    return request("POST", "/login", port, {"X-Forwarded-For": address}, body)


def addresses() -> Iterator[str]:
    """Every address of 10.0.0.0/8, once."""
    for number in range(1, 1 << 24):
        yield f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
