"""How old may the revocation list be, and what happens to tokens beyond that age?"""

from dataclasses import dataclass
from math import isnan
from typing import Final, Literal, get_args

from authserver.resource.refusal import Reason, Refusal

Beyond = Literal["accept", "refuse", "introspect"]
_CHOICES: Final = get_args(Beyond)


@dataclass(frozen=True, slots=True)
class Freshness:
    """The contract about the list's age, in seconds; for a guard, or for one route that is stricter or laxer.

    The default beyond `max_staleness` is "accept", on purpose. A logout is written by the issuer: while the issuer is
    down nobody can sign out, so a list that was complete when it went away still is, and refusing would turn its
    outage into everybody's. What remains is a service that is cut off from a living issuer; there a token may
    outlive its logout, by at most its own lifetime, with a warning in the log. Where that is too long, say
    `beyond="refuse"`: 503 until the list is current again; or `beyond="introspect"`: the issuer is asked about each
    token (RFC 7662), and only when it cannot be asked either, 503. The argument needs a list to begin with: a service
    that never had one refuses (503) or asks, whatever is chosen here, for it knows of no logout at all.

    The age is counted from when the issuer last confirmed the list, by what it signed, and not from when that came: what
    a proxy keeps grows old there, and what it repeats grows no younger. But a proxy that has been late from the first
    answer on, or gets later so slowly that a clock might, looks like a clock that is wrong: so much, up to 60 seconds,
    is not counted. A sign-out that is kept on the way is heard that much later, whatever is chosen here.
    """

    max_staleness: float = 30.0
    beyond: Beyond = "accept"

    def __post_init__(self) -> None:
        """A misspelt "refuse" must not mean "accept", nor a negative or impossible age anything at all."""
        if self.beyond not in _CHOICES:
            raise ValueError(f"beyond is one of {', '.join(_CHOICES)}, not {self.beyond!r}")
        if isinstance(self.max_staleness, bool) or not isinstance(self.max_staleness, int | float):
            raise TypeError("max_staleness is a number of seconds")
        if isnan(self.max_staleness) or self.max_staleness < 0:
            raise ValueError("max_staleness is a number of seconds, not below zero")

    def judge(self, age: float | None) -> Refusal | None:
        """None when tokens may be accepted with a list of this age; `age` None means there never was one.

        With "introspect" a refusal stands unless the issuer says better.
        """
        if age is None:
            return Refusal(Reason.UNAVAILABLE, "no revocation list yet", facts={"kind": "list"})
        if age > self.max_staleness and self.beyond != "accept":
            return Refusal(
                Reason.STALE,
                f"the revocation list is {age:.0f} s old, {self.max_staleness:g} s are accepted",
                facts={"kind": "list", "age": round(age), "max_staleness": self.max_staleness},
            )
        return None
