"""What both sides of a proof of possession go by (RFC 9449 §4.3)."""

from typing import Final

ALGORITHMS: Final = ("ES256", "RS256", "PS256", "Ed25519", "EdDSA")
OLDEST: Final = 60.0  # seconds that a proof is on its way, or that the sender's clock is behind
NEWEST: Final = 10.0  # seconds that its clock may be ahead (FAPI 2.0 §5.3.2.1)
