"""`typ` header values and media types: what kind of JWT a token says it is (RFC 8725 §3.11)."""

from typing import Final

ACCESS_TOKEN_TYP: Final = "at+jwt"  # noqa: S105 - a media type: RFC 9068 §2.1
ID_TOKEN_TYP: Final = "JWT"  # noqa: S105 - a media type: RFC 7519 §5.1
SECURITY_EVENT_TYP: Final = "secevent+jwt"  # RFC 8417 §2.3
INTROSPECTION_TYP: Final = "token-introspection+jwt"  # RFC 9701 §5
PROOF_TYP: Final = "dpop+jwt"  # RFC 9449 §4.2
CLIENT_ASSERTION_TYP: Final = "client-authentication+jwt"  # draft-ietf-oauth-rfc7523bis §4
LOGOUT_TYP: Final = "logout+jwt"  # OpenID Connect Back-Channel Logout §2.4
STATUS_LIST_TYP: Final = "statuslist+jwt"  # draft-ietf-oauth-status-list §5.1

JWK_SET: Final = "application/jwk-set+json"  # RFC 7517 §8.5.2
SECURITY_EVENT: Final = "application/secevent+jwt"  # RFC 8417 §7.2
INTROSPECTION: Final = "application/token-introspection+jwt"  # RFC 9701 §10.2
STATUS_LIST: Final = "application/statuslist+jwt"  # draft-ietf-oauth-status-list §8.2
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
