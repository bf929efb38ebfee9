"""The words of OAuth 2.1 and OpenID Connect that are written in more than one place: errors, grant types, scopes."""

from typing import Final

# RFC 6749 §4.1.2.1 and §5.2, OIDC Core §3.1.2.6, RFC 8707 §2
INVALID_REQUEST: Final = "invalid_request"
INVALID_CLIENT: Final = "invalid_client"
INVALID_GRANT: Final = "invalid_grant"
INVALID_SCOPE: Final = "invalid_scope"
INVALID_TARGET: Final = "invalid_target"
UNAUTHORIZED_CLIENT: Final = "unauthorized_client"
UNSUPPORTED_RESPONSE_TYPE: Final = "unsupported_response_type"
UNSUPPORTED_GRANT_TYPE: Final = "unsupported_grant_type"
REQUEST_NOT_SUPPORTED: Final = "request_not_supported"
REQUEST_URI_NOT_SUPPORTED: Final = "request_uri_not_supported"
UNMET_AUTHENTICATION_REQUIREMENTS: Final = "unmet_authentication_requirements"
SLOW_DOWN: Final = "slow_down"  # RFC 8628 §3.5
INVALID_REDIRECT_URI: Final = "invalid_redirect_uri"  # RFC 7591 §3.2.2
INVALID_CLIENT_METADATA: Final = "invalid_client_metadata"

OPENID: Final = "openid"
OFFLINE_ACCESS: Final = "offline_access"

REQUEST_URI: Final = "urn:ietf:params:oauth:request_uri:"  # RFC 9126 §2.2
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 §2.2
ACCESS_TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - RFC 8693 §3
