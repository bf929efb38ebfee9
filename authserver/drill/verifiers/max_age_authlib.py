"""Authlib's resource protector with its validator of RFC 9068, and a JWKS that is kept strictly for its max-age."""

from types import SimpleNamespace

from authlib.oauth2 import OAuth2Error, ResourceProtector
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc.jwk import KeySet

from authserver.clock import SystemClock
from authserver.drill.verifiers import Service, Verify
from authserver.drill.verifiers.max_age import MaxAgeCache
from authserver.protocol import paths
from authserver.resource.http import HttpFetch


class Validator(JWTBearerTokenValidator):  # type: ignore[misc]  # Authlib has no types
    """Authlib leaves the fetching of keys to its user."""

    def __init__(self, service: Service, cache: MaxAgeCache) -> None:
        super().__init__(issuer=service.issuer, resource_server=service.audience)
        self._cache = cache

    def get_jwks(self) -> KeySet:
        return self._cache.keys


def verifier(service: Service) -> Verify:
    cache = MaxAgeCache(service.issuer + paths.JWKS, HttpFetch(), SystemClock().monotonic)
    protector = ResourceProtector()
    protector.register_token_validator(Validator(service, cache))

    def verify(token: str) -> str | None:
        request = SimpleNamespace(headers={"Authorization": f"Bearer {token}"})
        try:
            protector.validate_request(None, request)
        except (OAuth2Error, ValueError) as error:
            return str(error)
        return None

    return verify
