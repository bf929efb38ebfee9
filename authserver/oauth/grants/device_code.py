"""grant_type=urn:ietf:params:oauth:grant-type:device_code: RFC 8628 §3.4.

1. the client may use the grant
2. the device code is this client's; its person has decided; the device does not ask too often (devices/polling.py)
3. a yes has become an authorization: it is redeemed like a code, once, while its session lives

Authlib's grant is not used: it asks for the user code's decision before it knows whether the code was used (W20), and
nothing but the order of these steps would be left of it.
"""

from typing import Any, Final

from authlib.oauth2.rfc6749 import BaseGrant, TokenEndpointMixin
from authlib.oauth2.rfc6749.errors import InvalidRequestError, UnauthorizedClientError

from authserver.clients.registration import DEVICE_CODE
from authserver.devices.polling import NotYet, poll
from authserver.oauth.authlib_bridge import Refused, TokenEndpoint, TokenRequest
from authserver.oauth.errors import Problem
from authserver.oauth.grants import Answer
from authserver.oauth.grants.redeeming import redeem

WHY: Final = {
    NotYet.UNKNOWN: "The device_code is none of this client, was used, or its person has signed out since.",
    NotYet.EXPIRED: "The device_code has expired: ask for another one.",
    NotYet.DENIED: "The person did not allow it.",
    NotYet.PENDING: "The person has not decided yet.",
    NotYet.TOO_FAST: "The device asks too often: wait five seconds longer from now on.",
}


class DeviceCode(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]  # Authlib has no types
    """Exchanges a device code for tokens."""

    GRANT_TYPE = DEVICE_CODE

    request: TokenRequest
    server: TokenEndpoint

    def validate_token_request(self) -> None:
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("This client is not registered for the device authorization grant.")
        if self.request.parameters.get("device_code") is None:
            raise InvalidRequestError("The parameter device_code is missing.")

    def create_token_response(self) -> tuple[int, Answer, Any]:
        request, grants = self.request, self.server.grants
        device_code = request.parameters.values["device_code"]
        grant_id = poll(request.db, device_code, request.registered.client_id, request.now)
        if isinstance(grant_id, NotYet):
            raise _refused(grant_id)
        code = f"{grant_id}.{device_code}"
        live = grants.find_code(request.db, code, request.registered.client_id, request.now)
        if live is None:
            raise _refused(NotYet.UNKNOWN)
        return 200, redeem(self.server, request, live), self.TOKEN_RESPONSE_HEADER


def _refused(why: NotYet) -> Refused:
    return Refused(Problem(why.value, WHY[why]))
