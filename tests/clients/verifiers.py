"""What other people's services verify with: three libraries as their own manuals show them, and three cache habits.

Nothing of ours is imported here but the addresses: each finds the keys by the issuer's own metadata.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, Protocol

import httpx2
import jwt
from authlib.oauth2 import OAuth2Error, ResourceProtector
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry, Token, decode

METADATA: Final = "/.well-known/oauth-authorization-server"

Clock = Callable[[], float]


class Refused(Exception):
    """The library did not accept the token."""


class Verifier(Protocol):
    """A resource service of another house."""

    @property
    def fetches(self) -> int: ...

    def subject(self, token: str) -> str:
        """Answer `sub` of a good token.

        :raises Refused: it is not good.
        """
        ...


@dataclass(frozen=True, slots=True)
class Service:
    """Whose tokens it takes, and the name it goes by itself."""

    issuer: str
    audience: str

    @property
    def jwks_uri(self) -> str:
        uri: str = httpx2.get(self.issuer + METADATA).json()["jwks_uri"]
        return uri


class CountedJWKClient(jwt.PyJWKClient):
    """PyJWT's own client, which counts on the way."""

    fetches = 0

    def fetch_data(self) -> Any:
        self.fetches += 1
        return super().fetch_data()


class PyJwt:
    """Habit: the set is kept for 300 s; an unknown `kid` refetches it, but not within a cool-down after any fetch."""

    def __init__(self, service: Service, *, cooldown: float = 30) -> None:
        self._service = service
        self._client = CountedJWKClient(service.jwks_uri, cooldown_duration=cooldown)

    @property
    def fetches(self) -> int:
        return self._client.fetches

    def subject(self, token: str) -> str:
        service = self._service
        try:
            key = self._client.get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token, key, algorithms=["RS256"], audience=service.audience, issuer=service.issuer
            )
        except jwt.PyJWTError as error:
            raise Refused(str(error)) from error
        return str(claims["sub"])


class Joserfc:
    """Habit: the set is kept for good; an unknown `kid` refetches it."""

    def __init__(self, service: Service) -> None:
        self._uri = service.jwks_uri
        self._keys = KeySet([])
        self._claims = JWTClaimsRegistry(
            iss={"essential": True, "value": service.issuer},
            aud={"essential": True, "value": service.audience},
            exp={"essential": True},
        )
        self.fetches = 0

    def subject(self, token: str) -> str:
        try:
            claims = self._decode(token).claims
            self._claims.validate(claims)
        except JoseError as error:
            raise Refused(str(error)) from error
        return str(claims["sub"])

    def _decode(self, token: str) -> Token:
        try:
            return decode(token, self._keys, algorithms=["RS256"])
        except InvalidKeyIdError:
            self._keys = KeySet.import_key_set(httpx2.get(self._uri).json())
            self.fetches += 1
            return decode(token, self._keys, algorithms=["RS256"])


class AuthlibValidator(JWTBearerTokenValidator):  # type: ignore[misc]  # Authlib has no types
    """Habit: the set is kept for its `max-age`, and never asked for sooner."""

    def __init__(self, service: Service, clock: Clock) -> None:
        super().__init__(issuer=service.issuer, resource_server=service.audience)
        self._uri = service.jwks_uri
        self._clock = clock
        self._fresh_until = clock()
        self._keys = KeySet([])
        self.fetches = 0

    def get_jwks(self) -> KeySet:
        if self._clock() >= self._fresh_until:
            answer = httpx2.get(self._uri)
            self._keys = KeySet.import_key_set(answer.json())
            self._fresh_until = self._clock() + max_age(answer)
            self.fetches += 1
        return self._keys


class Authlib:
    """The resource protector of Authlib's manual, with the validator of RFC 9068."""

    def __init__(self, service: Service, clock: Clock) -> None:
        self._validator = AuthlibValidator(service, clock)
        self._protector = ResourceProtector()
        self._protector.register_token_validator(self._validator)

    @property
    def fetches(self) -> int:
        return self._validator.fetches

    def subject(self, token: str) -> str:
        request = SimpleNamespace(headers={"Authorization": f"Bearer {token}"})
        try:
            accepted = self._protector.validate_request(None, request)
        except (OAuth2Error, ValueError) as error:
            raise Refused(str(error)) from error
        return str(accepted["sub"])


def max_age(answer: httpx2.Response) -> float:
    directives = dict(part.strip().partition("=")[::2] for part in answer.headers["cache-control"].split(","))
    return float(directives["max-age"])
