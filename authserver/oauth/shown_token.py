"""The access token that a request brings to an endpoint of ours: RFC 6750 §2, RFC 9449 §7.

From the header, as a bearer token or with a proof of possession for this method, this address and this very token; or
from the form of a POST, as a bearer token. The query is not looked at: what stands there stands in every log on the way.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.requests import Request

from authserver.oauth.errors import Problem
from authserver.oauth.parameters import from_form
from authserver.protocol.media import FORM
from authserver.protocol.oauth import INVALID_REQUEST
from authserver.resource.dpop import BadProof, Expected, Proof, verify_proof
from authserver.resource.refusal import Reason, Refusal
from authserver.web.body import media_type

PROOF_SCHEME: Final = "dpop"
TWICE: Final = Problem(
    INVALID_REQUEST, "Send the access token once.", challenge='Bearer error="invalid_request"'
)


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A token as it was sent. The proof that came with it is judged, but not used up yet."""

    unverified_token: str
    proof: Proof | None = None

    @property
    def thumbprint(self) -> str | None:
        return None if self.proof is None else self.proof.thumbprint


async def shown(request: Request, uri: str, now: datetime) -> ShownToken | Refusal | Problem:
    """Find the one token of a request to `uri`.

    :raises BadRequest: the form cannot be read.
    """
    in_form = await _in_form(request)
    if in_form is None:
        return _in_header(request, uri, now)
    if request.headers.getlist("authorization"):
        return TWICE
    return ShownToken(in_form)


def by_proof(request: Request) -> bool:
    """Whether the request speaks of a token that is bound to a key: then the challenge does so as well."""
    return scheme_of(request.headers.get("authorization", "")) == PROOF_SCHEME


def scheme_of(header: str) -> str:
    return header.partition(" ")[0].lower()


async def _in_form(request: Request) -> str | None:
    if request.method != "POST" or media_type(request) != FORM:
        return None
    return (await from_form(request)).get("access_token")


def _in_header(request: Request, uri: str, now: datetime) -> ShownToken | Refusal:
    headers = request.headers.getlist("authorization")
    if not headers:
        return Refusal(Reason.MISSING)
    scheme, token = scheme_of(headers[0]), headers[0].partition(" ")[2]
    if len(headers) > 1 or scheme not in {"bearer", PROOF_SCHEME} or not token:
        return Refusal(Reason.MALFORMED, "the header Authorization is not Bearer or DPoP and a token, once")
    if scheme != PROOF_SCHEME:
        return ShownToken(token)
    expected = Expected(request.method, uri, token)
    proof = verify_proof(request.headers.getlist("dpop"), expected, now.timestamp())
    return (
        Refusal(Reason.BAD_PROOF, proof.reason) if isinstance(proof, BadProof) else ShownToken(token, proof)
    )
