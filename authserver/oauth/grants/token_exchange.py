"""grant_type=urn:ietf:params:oauth:grant-type:token-exchange: RFC 8693, from service to service, narrowing only.

1. the client may use the grant, and can prove who it is
2. what is asked for: an access token for an access token, and nobody else's place is taken (`actor_token` is refused by
   name, as are ID tokens: they were not made to be shown to services)
3. the subject token is ours, good at this moment, and the client's own or made for it; none that is bound to a key,
   which the client cannot have (tokens/subject_tokens.py)
4. no audience, no scope and no moment beyond what the client and the old token have

Which of the reasons of 3 it was is not said: a client learns nothing of tokens that are not for it (§2.2.2).
"""

from collections.abc import Mapping
from typing import Any, Final

from authlib.oauth2.rfc6749 import BaseGrant, TokenEndpointMixin
from authlib.oauth2.rfc6749.errors import UnauthorizedClientError

from authserver.clients.registration import TOKEN_EXCHANGE
from authserver.oauth.authlib_bridge import Refused, TokenEndpoint, TokenRequest
from authserver.oauth.errors import Problem
from authserver.oauth.grants import Answer, require
from authserver.oauth.issuing import answer_of, narrowed_scope
from authserver.oauth.parameters import Parameters
from authserver.protocol import oauth as words
from authserver.protocol.oauth import ACCESS_TOKEN_TYPE
from authserver.tokens.subject_tokens import Subject

NOT_GOOD: Final = Problem(
    words.INVALID_REQUEST, "The subject_token is no access token of ours that this client may exchange now."
)
NO_ACTOR: Final = Problem(words.INVALID_REQUEST, "No actor_token is read here: the client itself acts.")
ONLY_THIS_TYPE: Final = f"is {ACCESS_TOKEN_TYPE} and nothing else."


class TokenExchange(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]  # Authlib has no types
    """Gives a service a narrower token for one that it was called with."""

    GRANT_TYPE = TOKEN_EXCHANGE

    request: TokenRequest
    server: TokenEndpoint

    def validate_token_request(self) -> None:
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE) or client.client.public:
            raise UnauthorizedClientError("This client is not registered for token exchange.")
        problem = _unreadable(self.request.parameters)
        if problem is not None:
            raise Refused(problem)

    def create_token_response(self) -> tuple[int, Answer, Any]:
        request, exchange = self.request, self.server.exchange
        unverified_token = request.parameters.values["subject_token"]
        subject = exchange.subjects.read(request.db, unverified_token, request.registered, request.now)
        if subject is None:
            raise Refused(NOT_GOOD)
        audience = require(_audience(request.parameters, subject))
        scope = require(narrowed_scope(request.parameters.get("scope"), subject.scopes))

        def sign() -> Mapping[str, Any]:
            token = exchange.tokens.mint(
                request.signers.access_token,
                subject,
                audience=audience,
                scope=scope,
                thumbprint=request.thumbprint,
            )
            return {**answer_of(token, request.thumbprint), "issued_token_type": ACCESS_TOKEN_TYPE}

        return 200, sign, self.TOKEN_RESPONSE_HEADER


def _unreadable(parameters: Parameters) -> Problem | None:
    """§2.1, in its order."""
    if parameters.get("requested_token_type") not in (None, ACCESS_TOKEN_TYPE):
        return Problem(words.INVALID_REQUEST, f"The requested_token_type {ONLY_THIS_TYPE}")
    if parameters.get("subject_token") is None:
        return Problem(words.INVALID_REQUEST, "The parameter subject_token is missing.")
    if parameters.get("subject_token_type") != ACCESS_TOKEN_TYPE:
        return Problem(words.INVALID_REQUEST, f"The subject_token_type {ONLY_THIS_TYPE}")
    actor = parameters.get("actor_token") or parameters.get("actor_token_type")
    return NO_ACTOR if actor is not None else None


def _audience(parameters: Parameters, subject: Subject) -> tuple[str, ...] | Problem:
    """Answer what the new token is for: `resource` and `audience` together (§2.1), all that may be where none is named."""
    asked = dict.fromkeys((*parameters.resources, *parameters.audiences))
    if not set(asked) <= set(subject.audience):
        return Problem(words.INVALID_TARGET, "A resource or an audience is not registered for this client.")
    return tuple(asked) or subject.audience
