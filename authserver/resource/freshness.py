"""How old may the revocation list be, and what happens to tokens beyond that age?"""

from dataclasses import dataclass
from typing import Literal

from authserver.resource.refusal import Reason, Refusal


@dataclass(frozen=True, slots=True)
class Freshness:
    """The contract about the list's age, in seconds.

    The default beyond `max_staleness` is "accept", on purpose. A logout is written by the issuer: while the issuer is
    down nobody can sign out, so a list that was complete when it went away still is, and refusing would turn its
    outage into everybody's. What remains is a service that is cut off from a living issuer; there a token may
    outlive its logout, by at most its own lifetime, with a warning in the log. Where that is too long, say
    `beyond="refuse"`: 503 until the list is current again. The argument needs a list to begin with: a service that
    never had one refuses (503) whatever is chosen here, for it knows of no logout at all.
    """

    max_staleness: float = 30.0
    beyond: Literal["accept", "refuse"] = "accept"

    def judge(self, age: float | None) -> Refusal | None:
        """None when tokens may be accepted with a list of this age; `age` None means there never was one."""
        if age is None:
            return Refusal(Reason.UNAVAILABLE, "no revocation list yet")
        if age > self.max_staleness and self.beyond == "refuse":
            return Refusal(Reason.STALE, f"the revocation list is {age:.0f} s old")
        return None
