"""POST /session/refresh as load: the one request that every signed-in browser makes again and again."""

from collections.abc import Sequence

from authserver.protocol import cookies
from benchmarks.installation import Installation
from benchmarks.load.plan import Plan, request, send
from benchmarks.rounds import Sample
from benchmarks.stand import CONNECTIONS

PEOPLE = 8 * CONNECTIONS


def renew(installed: Installation, seconds: float) -> Sample:
    """Each connection renews the sessions of its own people, in turn."""
    people = installed.secrets
    requests = [_requests(installed.port, people[start::CONNECTIONS]) for start in range(CONNECTIONS)]
    return send(Plan(port=installed.port, requests=requests, seconds=seconds)).sample()


def renewal(port: int, secret: str) -> str:
    return request("POST", "/session/refresh", port, {"Cookie": f"{cookies.SESSION}={secret}"}, "{}")


def _requests(port: int, secrets: Sequence[str]) -> list[str]:
    return [renewal(port, secret) for secret in secrets]
