"""RFC 6750 §3.1 and RFC 9449 §7.1: the error codes of a protected resource, and the status that goes with each."""

from typing import Final

INVALID_TOKEN: Final = "invalid_token"  # noqa: S105 - an error code
INSUFFICIENT_SCOPE: Final = "insufficient_scope"
INVALID_DPOP_PROOF: Final = "invalid_dpop_proof"  # RFC 9449 §7.1
