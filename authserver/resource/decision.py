"""One decision about one token: at once where nothing has to be fetched for it, which is nearly always, else in steps.

In order, and the same both ways: the issuer's keys and its first list are here; the token is genuine, alive and not
revoked; it has what the route asks for; the list is young enough for the route. The order matters: a forged token, or
one without the scope, makes nobody ask the issuer about it.
"""

from collections.abc import Callable, Generator
from functools import partial

from authserver.resource.freshness import Freshness
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.requirement import Requirement
from authserver.resource.trust import Trust

Steps = Generator[Callable[[], None], None, Principal | Refusal]


def at_once(
    trust: Trust, token: str, thumbprint: str | None, requirement: Requirement
) -> Principal | Refusal | None:
    """The decision without any fetch; None: take the steps. `thumbprint` of the key that came with the token."""
    if trust.fetch_due() is not None:
        return None
    outcome = trust.verify(token, thumbprint)
    if isinstance(outcome, Refusal):
        return None if _refetch_due(trust, outcome) is not None else outcome
    outcome = requirement.judge(outcome)
    freshness = requirement.freshness or trust.freshness
    if isinstance(outcome, Refusal) or (too_old := trust.too_old(freshness)) is None:
        return outcome
    return None if freshness.beyond == "introspect" else too_old


def step_by_step(trust: Trust, token: str, thumbprint: str | None, requirement: Requirement) -> Steps:
    """The same with its fetches: keys, then the first list, then keys once more for a key that nobody knew."""
    for _ in range(2):
        if (fetch := trust.fetch_due()) is not None:
            yield fetch
    outcome = trust.verify(token, thumbprint)
    if isinstance(outcome, Refusal) and (refetch := _refetch_due(trust, outcome)) is not None:
        yield refetch
        outcome = trust.verify(token, thumbprint)
    if isinstance(outcome, Principal):
        outcome = requirement.judge(outcome)
    if isinstance(outcome, Refusal):
        return outcome
    return (yield from _fresh(trust, requirement.freshness or trust.freshness, token, outcome))


def _refetch_due(trust: Trust, refusal: Refusal) -> Callable[[], None] | None:
    """A fetch that could make an unknown key known, if one is due."""
    if refusal.reason is not Reason.UNKNOWN_KEY or not trust.jwks.may_refetch_for(refusal.facts["kid"]):
        return None
    return partial(trust.jwks.refetch_for, refusal.facts["kid"])


def _fresh(trust: Trust, freshness: Freshness, token: str, principal: Principal) -> Steps:
    """Who was admitted, unless the list is too old for that and the issuer does not say better."""
    too_old = trust.too_old(freshness)
    introspection = trust.introspection
    if too_old is None or freshness.beyond != "introspect" or introspection is None:
        return too_old or principal
    if introspection.must_ask(token):
        yield partial(introspection.ask, token)
    return introspection.judge(token, principal)
