"""What the product promises of its speed, each with the figure that must be and the one that is aimed at.

`NOT_HERE` names the promises that this bench cannot measure, and why: a goal that nobody looks at is missed silently.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from benchmarks.rounds import Spread


class Verdict(StrEnum):
    AIM = "aim met"
    MET = "met"
    MISSED = "MISSED"


@dataclass(frozen=True, slots=True)
class Goal:
    """One promise. `need` says whether the figure may not be smaller or may not be larger."""

    row: str
    of: str
    must: float
    aim: float | None = None
    need: Literal["at least", "below", "at most"] = "at least"
    unit: str = ""

    def judge(self, figure: float, *, errors: int = 0) -> Verdict:
        """A figure that was reached with errors is worth nothing."""
        if errors or not self._reaches(figure, self.must):
            return Verdict.MISSED
        return Verdict.AIM if self.aim is not None and self._reaches(figure, self.aim) else Verdict.MET

    def _reaches(self, figure: float, limit: float) -> bool:
        if self.need == "at least":
            return figure >= limit
        return figure < limit if self.need == "below" else figure <= limit


@dataclass(frozen=True, slots=True)
class Judged:
    """A goal and what was measured of it."""

    goal: Goal
    found: Spread
    errors: int = 0

    @property
    def verdict(self) -> Verdict:
        return self.goal.judge(self.found.median, errors=self.errors)


BARE: Final = "bare ASGI"
RAW_SIGN: Final = "cryptography sign"
RAW_VERIFY: Final = "cryptography verify"
PYJWT: Final = "PyJWT + PyJWKClient"
ARGON2: Final = "bare Argon2"
SQLITE: Final = "SQLite"

PEER: Final = "oidc-provider"

JWKS: Final = Goal("jwks", f"share of {BARE}", 0.80, 0.95)
DISCOVERY: Final = Goal("discovery", f"share of {BARE}", 0.80, 0.95)
MINT: Final = Goal("mint", f"share of {RAW_SIGN}", 0.90)
GUARD_PYJWT: Final = Goal("guard", f"times {PYJWT}", 3.0, 4.3)
GUARD_RAW: Final = Goal("guard", f"share of {RAW_VERIFY}", 0.65, 0.80)
SIGN_IN: Final = Goal("sign-in", f"share of {ARGON2}", 0.85, 0.95)
SIGN_IN_JWKS: Final = Goal("sign-in", "p99 of a JWKS request meanwhile", 10, 4, "below", "ms")
SIGN_IN_FULL: Final = Goal(
    "sign-in", "answers to a full queue that are not 503 with Retry-After", 0, None, "at most"
)
SIGN_IN_POSTGRESQL: Final = Goal("sign-in", f"PostgreSQL, share of {SQLITE}", 0.6, 0.9)
REFRESH_READS: Final = Goal("refresh", "statements that read", 1, None, "at most")
REFRESH_WRITES: Final = Goal("refresh", "statements that write", 1, None, "at most")
REFRESH_POSTGRESQL: Final = Goal("refresh", f"PostgreSQL, share of {SQLITE}", 0.6, 0.9)
TOKEN_RAW: Final = Goal("token", f"2 workers, share of {RAW_SIGN} × cores", 0.48, 0.60)
TOKEN_PEER: Final = Goal("token", f"2 workers, times {PEER} ×2", 1.5, 2.0)
RENEW_ONE: Final = Goal("renew", f"1 worker, times {PEER}, which keeps nothing", 1.2, 1.4)
RENEW_TWO: Final = Goal("renew", f"2 workers, times {PEER} ×1, which keeps nothing", 1.7, 2.0)
INTROSPECT_PEER: Final = Goal("introspect", f"verified each time, times {PEER}, opaque", 1.5, 2.5)
DISCOVERY_PEER: Final = Goal("discovery-peer", f"times {PEER}", 2.0, 2.8)
START: Final = Goal("start", "until the first JWKS", 1.5, None, "below", "s")
MEMORY: Final = Goal("memory", "resident (PSS), after 1000 requests of each kind", 120, None, "below", "MB")
WRITERS: Final = Goal("writers", "p99 of 32 writers, SQLite", 50, None, "below", "ms")
LOGOUT_ONE: Final = Goal("logout", "p99 until 20 services refuse, one server", 100, None, "below", "ms")
LOGOUT_TWO: Final = Goal(
    "logout", "p99 until 20 services refuse, two servers on PostgreSQL", 1_000, None, "below", "ms"
)
STREAMS_MEMORY: Final = Goal("streams", "more memory (PSS) with 2000 streams", 100, None, "below", "MB")
STREAMS_JWKS: Final = Goal("streams", "p99 of a JWKS request meanwhile", 20, None, "below", "ms")
REVOKED_CHECK: Final = Goal("revoked", "a look into a list of a million", 2, None, "below", "µs")
REVOKED_MEMORY: Final = Goal("revoked", "memory of a list of a million", 200, None, "below", "MB")
COLD_FETCHES: Final = Goal("cold", "fetches before a guard's first verdict", 2, None, "at most")

GOALS: Final = (
    JWKS,
    DISCOVERY,
    MINT,
    GUARD_PYJWT,
    GUARD_RAW,
    SIGN_IN,
    SIGN_IN_JWKS,
    SIGN_IN_FULL,
    SIGN_IN_POSTGRESQL,
    REFRESH_READS,
    REFRESH_WRITES,
    REFRESH_POSTGRESQL,
    TOKEN_RAW,
    TOKEN_PEER,
    RENEW_ONE,
    RENEW_TWO,
    INTROSPECT_PEER,
    DISCOVERY_PEER,
    START,
    MEMORY,
    WRITERS,
    LOGOUT_ONE,
    LOGOUT_TWO,
    STREAMS_MEMORY,
    STREAMS_JWKS,
    REVOKED_CHECK,
    REVOKED_MEMORY,
    COLD_FETCHES,
)

NOT_HERE: Final = {
    "JWKS with 2 workers, and introspection, against glewlwyd": "needs that server installed",
    "status list of 10 million entries": "no such document is published yet",
    "growth to 10⁶ accounts, sessions, revocations": "takes longer to fill than this bench may run",
}
