"""Where an issuer publishes its documents, relative to the issuer URL."""

from typing import Final

JWKS: Final = "/.well-known/jwks.json"
OPENID_CONFIGURATION: Final = "/.well-known/openid-configuration"  # OIDC Discovery §4
AUTHORIZATION_SERVER: Final = "/.well-known/oauth-authorization-server"  # RFC 8414 §3
REVOCATIONS: Final = "/revocations"
REVOCATION_STREAM: Final = "/revocations/stream"
AUTHORIZE: Final = "/oauth2/authorize"
TOKEN: Final = "/oauth2/token"  # noqa: S105 - a path
USERINFO: Final = "/oauth2/userinfo"
INTROSPECT: Final = "/oauth2/introspect"
REVOKE: Final = "/oauth2/revoke"
PUSHED: Final = "/oauth2/par"
DEVICE_AUTHORIZATION: Final = "/oauth2/device_authorization"
REGISTER: Final = "/oauth2/register"
DEVICE: Final = "/device"  # where people type the code of a device
END_SESSION: Final = "/oauth2/logout"
HEARD: Final = "/revocations/heard"
STATUS_LISTS: Final = "/status-lists"  # each list below it, by its number
