"""joserfc, as its manual shows it, with a JWKS that is kept strictly for its max-age."""

from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry, decode

from authserver.clock import SystemClock
from authserver.drill.verifiers import Service, Verify
from authserver.drill.verifiers.max_age import MaxAgeCache
from authserver.protocol import paths
from authserver.resource.http import HttpFetch


def claims_of(service: Service) -> JWTClaimsRegistry:
    """What joserfc checks beside the signature."""
    return JWTClaimsRegistry(
        iss={"essential": True, "value": service.issuer},
        aud={"essential": True, "value": service.audience},
        exp={"essential": True},
    )


def verifier(service: Service) -> Verify:
    cache = MaxAgeCache(service.issuer + paths.JWKS, HttpFetch(), SystemClock().monotonic)
    registry = claims_of(service)

    def verify(token: str) -> str | None:
        try:
            registry.validate(decode(token, cache.keys, algorithms=["RS256"]).claims)
        except JoseError as error:
            return str(error)
        return None

    return verify
