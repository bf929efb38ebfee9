"""Why a request was refused, and the answer that RFC 6750 §3 prescribes for it.

Refusals are returned, never raised. `detail` is for the service's own log; `facts` are the same for a program, and are
sent only by a guard that was told to explain itself. Neither ever holds the token.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from authserver.protocol import bearer


class Reason(StrEnum):
    """What stood in the way."""

    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    WRONG_TYPE = "wrong_type"
    BAD_PROOF = "bad_proof"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_AUDIENCE = "wrong_audience"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    SIGNED_OUT = "signed_out"
    STALE = "stale"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    FORGED_REQUEST = "forged_request"
    UNAVAILABLE = "unavailable"


# STALE and UNAVAILABLE are the service's trouble, not the token's: a 401 would make its holder throw it away.
_STATUS: Final = {
    Reason.INSUFFICIENT_SCOPE: HTTPStatus.FORBIDDEN,
    Reason.FORGED_REQUEST: HTTPStatus.FORBIDDEN,
    Reason.STALE: HTTPStatus.SERVICE_UNAVAILABLE,
    Reason.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
_WITHOUT_CODE: Final = frozenset((Reason.MISSING, Reason.FORGED_REQUEST, Reason.STALE, Reason.UNAVAILABLE))
_NO_FACTS: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decision against a request. `scope` is what would have been enough (RFC 6750 §3).

    Two are equal when they decide the same; how many seconds too late makes no difference.
    """

    reason: Reason
    detail: str = field(default="", compare=False)
    scope: frozenset[str] = frozenset()
    facts: Mapping[str, Any] = field(default_factory=lambda: _NO_FACTS, compare=False)

    @property
    def status(self) -> int:
        """401, 403 or 503."""
        return _STATUS.get(self.reason, HTTPStatus.UNAUTHORIZED).value

    @property
    def error(self) -> str | None:
        """RFC 6750 §3.1, RFC 9449 §7.1. None when no token was sent, and where the trouble is not the token's."""
        if self.reason in _WITHOUT_CODE:
            return None
        if self.reason is Reason.INSUFFICIENT_SCOPE:
            return bearer.INSUFFICIENT_SCOPE
        if self.reason is Reason.BAD_PROOF:
            return bearer.INVALID_DPOP_PROOF
        return bearer.INVALID_TOKEN


def www_authenticate(
    refusal: Refusal,
    *,
    realm: str,
    description: str = "",
    resource_metadata: str = "",
    proof_algorithms: Sequence[str] = (),
) -> str | None:
    """The header's value; None where RFC 6750 asks for no challenge (503, a forged request).

    `resource_metadata` is where the service describes itself (RFC 9728 §5.1). With `proof_algorithms` the challenge is
    for a token that is bound to a key (RFC 9449 §7.1).
    """
    if refusal.error is None and refusal.reason is not Reason.MISSING:
        return None
    parameters = {"realm": realm}
    if refusal.error is not None:
        parameters |= {"error": refusal.error, "error_description": description}
    if refusal.scope:
        parameters["scope"] = " ".join(sorted(refusal.scope))
    if resource_metadata:
        parameters["resource_metadata"] = resource_metadata
    if proof_algorithms:
        parameters["algs"] = " ".join(proof_algorithms)
    quotable = {name: _quotable(value) for name, value in parameters.items()}
    scheme = "DPoP" if proof_algorithms else "Bearer"
    return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in quotable.items() if value)


def _quotable(value: str) -> str:
    """RFC 6750 §3: printable ASCII without quote and backslash, so that no value ends the string or the header."""
    return "".join(char for char in value if " " <= char <= "~" and char not in '"\\')
