"""The only place, with grants/, that knows Authlib: its grant dispatch and grant skeletons over our capabilities.

From Authlib: which grant it is, the order of its checks, the comparison of the PKCE verifier, the error objects. Ours,
because Authlib's would be wrong here (docs/decisions/0017): reading the request, client authentication, what is claimed
when, and the tokens. One server object serves every request; what belongs to a request lies on the request.
"""

from collections.abc import Mapping
from datetime import datetime

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from sqlalchemy import Connection

from authserver.authorizations.grants import Grants
from authserver.clients.store import Client
from authserver.oauth.errors import Problem
from authserver.oauth.issuing import Issuing, Signers, Unsigned
from authserver.oauth.parameters import Parameters
from authserver.protocol.oauth import INVALID_REQUEST, UNSUPPORTED_GRANT_TYPE
from authserver.tokens.exchanged import Exchange

Answer = Unsigned


class Refused(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """A refusal of ours, on its way through Authlib."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


class TokenRequest(OAuth2Request):  # type: ignore[misc]  # as above
    """A request to the token endpoint: its parameters for Authlib, and for our grants all that they work with."""

    def __init__(
        self,
        parameters: Parameters,
        client: Client,
        *,
        uri: str,
        db: Connection,
        now: datetime,
        signers: Signers,
        thumbprint: str | None,
    ) -> None:
        super().__init__("POST", uri)
        self.payload = BasicOAuth2Payload(parameters.values)
        self.parameters = parameters
        self.registered = client
        self.db = db
        self.now = now
        self.signers = signers
        self.thumbprint = thumbprint  # of the key that the client has proved to have

    @property
    def form(self) -> Mapping[str, str]:
        return self.parameters.values


class ClientView(ClientMixin):  # type: ignore[misc]  # as above
    """A client as Authlib's grants ask for it. What it proved was looked at before."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.client.grant_types


class TokenEndpoint(AuthorizationServer):  # type: ignore[misc]  # as above
    """Finds the grant for a request, and answers with what it gives or with why not."""

    def __init__(self, grants: Grants, issuing: Issuing, exchange: Exchange) -> None:
        super().__init__()
        self.grants = grants
        self.issuing = issuing
        self.exchange = exchange

    def answer(self, request: TokenRequest) -> Answer | Problem:
        if request.parameters.get("grant_type") is None:
            return Problem(INVALID_REQUEST, "The parameter grant_type is missing.")
        if not any(grant.check_token_endpoint(request) for grant, _ in self._token_grants):
            return Problem(UNSUPPORTED_GRANT_TYPE, "This grant_type is not offered here.")
        answer: Answer | Problem = self.create_token_response(request)
        return answer

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        return request

    def authenticate_client(
        self, request: TokenRequest, methods: object, endpoint: str = "token"
    ) -> ClientView:
        request.auth_method = request.registered.token_endpoint_auth_method
        return ClientView(request.registered)

    def validate_requested_scope(self, scope: str | None) -> None:
        """Leave it to the grants: each knows what a scope may be narrowed to."""

    def save_token(self, token: Answer, request: TokenRequest) -> None:
        """Store nothing: no table grows with every token."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody: who has to know is told in the transaction."""

    def handle_response(self, status: int, body: Answer, headers: object) -> Answer:
        return body

    def handle_error_response(self, request: TokenRequest, error: OAuth2Error) -> Problem:
        if isinstance(error, Refused):
            return error.problem
        return Problem(error.error, error.description or "The request is refused.", error.status_code)
