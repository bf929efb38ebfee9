"""POST /logout as load: a write that is nothing but a write, some five statements and no signature.

A session can be ended once, so each round takes sessions that none has taken before.
"""

from authserver.protocol import cookies
from benchmarks.installation import Installation
from benchmarks.load.plan import Plan, request, send
from benchmarks.rounds import Sample
from benchmarks.stand import CONNECTIONS

EACH = 24
A_ROUND = EACH * CONNECTIONS


class SignOuts:
    """Ends sessions round by round."""

    def __init__(self, installed: Installation) -> None:
        self._port = installed.port
        self._secrets = iter(installed.secrets)

    def __call__(self, _seconds: float) -> Sample:
        requests = [[self._next() for _ in range(EACH)] for _ in range(CONNECTIONS)]
        return send(Plan(port=self._port, requests=requests, each=EACH)).sample()

    def _next(self) -> str:
        return request(
            "POST", "/logout", self._port, {"Cookie": f"{cookies.SESSION}={next(self._secrets)}"}, "{}"
        )
