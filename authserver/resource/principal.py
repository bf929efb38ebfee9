"""Who is asking: the claims of a token that passed every check, under names a service uses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

from authserver.resource.jws import VerifiedClaims


@dataclass(frozen=True, slots=True)
class Principal:
    """The verified holder of an access token. Only the verifier makes one (tests: `authserver.resource.testing`).

    The claims are read where they are asked for: building eleven attributes costs a tenth of an RSA verification.
    """

    _claims: VerifiedClaims = field(repr=False, hash=False)
    kid: str

    @property
    def sub(self) -> str:
        return cast("str", self._claims["sub"])

    @property
    def client_id(self) -> str:
        return cast("str", self._claims["client_id"])

    @property
    def scope(self) -> frozenset[str]:
        return frozenset(self._claims.get("scope", "").split())

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(self._claims.get("roles", ()))

    @property
    def sid(self) -> str | None:
        """The sign-in session; a client acting for itself has none."""
        return self._claims.get("sid")

    @property
    def auth_time(self) -> float | None:
        """When the person last proved who they are, in seconds since 1970."""
        return self._claims.get("auth_time")

    @property
    def expires_at(self) -> float:
        return cast("float", self._claims["exp"])

    @property
    def issued_at(self) -> float:
        return cast("float", self._claims["iat"])

    @property
    def jti(self) -> str:
        return cast("str", self._claims["jti"])

    @property
    def claims(self) -> Mapping[str, Any]:
        """All claims, read-only to the last leaf: requests with the same token share one Principal."""
        return cast("Mapping[str, Any]", _read_only(self._claims))

    def has_scope(self, *scopes: str) -> bool:
        """Every one of `scopes` was granted."""
        return self.scope.issuperset(scopes)

    def has_role(self, role: str) -> bool:
        return role in self._claims.get("roles", ())

    def __str__(self) -> str:
        return self.sub


def _read_only(value: Any) -> Any:
    if isinstance(value, dict):
        return MappingProxyType({name: _read_only(member) for name, member in value.items()})
    return tuple(_read_only(item) for item in value) if isinstance(value, list) else value
