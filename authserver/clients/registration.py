"""What can be registered of a client, in the words of RFC 7591 and OpenID Connect, with the defaults of both.

The last group is ours alone: nobody but the operator decides it (`metadata.OURS`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

AUTHORIZATION_CODE: Final = "authorization_code"
REFRESH_TOKEN: Final = "refresh_token"  # noqa: S105 - the name of a grant type
CLIENT_CREDENTIALS: Final = "client_credentials"
DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - as above

BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"
PRIVATE_KEY_JWT: Final = "private_key_jwt"
NONE: Final = "none"

BY_SECRET: Final = frozenset({BASIC, POST})


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Holds together: `metadata.read` made it, or it was read from the table, where only such are stored."""

    client_name: str
    application_type: str = "web"
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = (AUTHORIZATION_CODE,)
    scope: str = ""
    token_endpoint_auth_method: str = BASIC
    token_endpoint_auth_signing_alg: str | None = None
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str | None = None
    subject_type: str = "public"
    sector_identifier_uri: str | None = None
    id_token_signed_response_alg: str = "RS256"  # noqa: S105 - an algorithm
    userinfo_signed_response_alg: str | None = None
    introspection_signed_response_alg: str | None = None
    default_max_age: int | None = None
    require_auth_time: bool = False
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    initiate_login_uri: str | None = None
    require_pushed_authorization_requests: bool = False
    dpop_bound_access_tokens: bool = False
    client_uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()

    first_party: bool = False
    audiences: tuple[str, ...] = ()
    require_pkce: bool = True
    rotate_refresh_tokens: bool = True
    assertion_for_token_endpoint: bool = False
    access_token_lifetime: int | None = None
    id_token_lifetime: int | None = None
    refresh_token_lifetime: int | None = None

    @property
    def public(self) -> bool:
        """Whether it can keep no secret: an app in a browser or on somebody's device (RFC 6749 §2.1)."""
        return self.token_endpoint_auth_method == NONE

    @property
    def by_secret(self) -> bool:
        """Whether it proves who it is by a secret that we gave it."""
        return self.token_endpoint_auth_method in BY_SECRET

    @property
    def scopes(self) -> tuple[str, ...]:
        return tuple(self.scope.split())
