"""Who sends this request has which key? The header `DPoP` at our own endpoints (RFC 9449 §5, §10).

1. no header: nobody proves anything, unless the client registered that it always does (`dpop_bound_access_tokens`)
2. the proof: for POST, for this endpoint's address as the settings have it (no header of a proxy is believed), made in
   the last minute (resource/dpop.py)
3. its `jti` is claimed, in the transaction of the request: good once, at any server, and not again after a restart
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from authserver.clients.store import Client
from authserver.oauth.errors import Problem
from authserver.protocol.bearer import INVALID_DPOP_PROOF
from authserver.protocol.dpop import OLDEST
from authserver.protocol.oauth import INVALID_REQUEST
from authserver.replays import store as replays
from authserver.resource.dpop import BadProof, Expected, Proof, verify_proof

KEPT: Final = timedelta(seconds=2 * OLDEST)  # no server's clock is that slow
MISSING: Final = Problem(INVALID_REQUEST, "This client has to send a DPoP proof with each request.")
REPLAYED: Final = Problem(INVALID_DPOP_PROOF, "The DPoP proof was sent before: make one for each request.")


def shown(headers: Sequence[str], uri: str, now: datetime) -> Proof | Problem | None:
    """Judge the header `DPoP` of a POST to `uri`; None where there is none."""
    if not headers:
        return None
    proof = verify_proof(headers, Expected("POST", uri), now.timestamp())
    if isinstance(proof, BadProof):
        return Problem(INVALID_DPOP_PROOF, f"The DPoP proof is not valid: {proof.reason}.")
    return proof


def claim(db: Connection, client: Client, proof: Proof | None) -> Problem | None:
    """Use up a proof for a client's request; answer why that cannot be."""
    if proof is None:
        return MISSING if client.dpop_bound_access_tokens else None
    until = datetime.fromtimestamp(proof.iat, UTC) + KEPT
    fresh = replays.claim(db, "dpop", proof.thumbprint, proof.jti, expires_at=until)
    return None if fresh else REPLAYED
