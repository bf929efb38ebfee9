"""Our own guard, as a service uses it: one object, made once. The drill holds it to its contract about staleness."""

from authserver.drill.verifiers import Service, Verify
from authserver.resource.freshness import Freshness
from authserver.resource.guard import Guard, PlainRequest
from authserver.resource.principal import Principal


def verifier(service: Service) -> Verify:
    freshness = Freshness(max_staleness=service.contract)
    guard = Guard(service.issuer, audience=service.audience, service="drill", freshness=freshness)

    def verify(token: str) -> str | None:
        outcome = guard.authenticate(PlainRequest("GET", {"authorization": f"Bearer {token}"}))
        return None if isinstance(outcome, Principal) else f"{outcome.reason.value} {outcome.detail}".strip()

    return verify
