"""What one route asks of a principal, beyond a valid token."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from authserver.resource.freshness import Freshness
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must have been granted: all of `scopes`, and one of `roles` if any are named.

    `freshness` is this route's own contract about the revocation list; None: the guard's.
    """

    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    freshness: Freshness | None = None

    @classmethod
    def of(
        cls,
        scopes: Collection[str] = (),
        role: str | Collection[str] | None = None,
        freshness: Freshness | None = None,
    ) -> "Requirement":
        """What `require("orders:write", role="admin")` means. ValueError for what would admit everybody or nobody."""
        roles = (role,) if isinstance(role, str) else role
        if roles is not None and not roles:
            raise ValueError("role=() would admit everybody; leave role out if that is meant")
        names: tuple[object, ...] = (*scopes, *(roles or ()))  # `@guard.require` without () hands us the view
        for name in names:
            if not isinstance(name, str) or not name or name.split() != [name]:
                raise ValueError(f"one scope or role for each argument, not {name!r}")
        return cls(frozenset(scopes), frozenset(roles or ()), freshness)

    def judge(self, principal: Principal) -> Principal | Refusal:
        if self.scopes and not self.scopes <= principal.scope:
            return self._refuse("scope", self.scopes - principal.scope)
        if self.roles and self.roles.isdisjoint(principal.roles):
            return self._refuse("role", self.roles)
        return principal

    def _refuse(self, kind: str, missing: frozenset[str]) -> Refusal:
        names = sorted(missing)
        facts = {"kind": kind, "missing": names}
        return Refusal(
            Reason.INSUFFICIENT_SCOPE, f"without the {kind} {' '.join(names)}", self.scopes, facts=facts
        )


ANY_TOKEN: Final = Requirement()
