"""Discovery: what this server offers (RFC 8414 §2, OpenID Connect Discovery §3). A test compares it with what is mounted."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from authserver.accounts.profile import BY_SCOPE, SCOPE_OF
from authserver.authorizations.grants import ACR
from authserver.clients.public_keys import ALGORITHMS as ASSERTION_ALGORITHMS
from authserver.protocol import paths
from authserver.protocol.dpop import ALGORITHMS as PROOF_ALGORITHMS
from authserver.protocol.media import JSON
from authserver.protocol.oauth import OFFLINE_ACCESS, OPENID
from authserver.published.documents import Document, json_document


def metadata(
    issuer: str, algorithms: Sequence[str], *, grant_types: Sequence[str], status_lists: bool
) -> dict[str, Any]:
    """Build the metadata; `revocations_endpoint` is ours, for `authserver.resource` and whoever reads the feed."""
    offered = {
        "issuer": issuer,
        "jwks_uri": issuer + paths.JWKS,
        "revocations_endpoint": issuer + paths.REVOCATIONS,
        "authorization_endpoint": issuer + paths.AUTHORIZE,
        "token_endpoint": issuer + paths.TOKEN,
        "pushed_authorization_request_endpoint": issuer + paths.PUSHED,
        "device_authorization_endpoint": issuer + paths.DEVICE_AUTHORIZATION,
        "registration_endpoint": issuer + paths.REGISTER,
        "revocation_endpoint": issuer + paths.REVOKE,
        "introspection_endpoint": issuer + paths.INTROSPECT,
        "userinfo_endpoint": issuer + paths.USERINFO,
        "end_session_endpoint": issuer + paths.END_SESSION,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": list(grant_types),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [
            *("client_secret_basic", "client_secret_post", "private_key_jwt", "none"),
        ],
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "scopes_supported": [OPENID, *BY_SCOPE, OFFLINE_ACCESS],
        "claims_supported": [
            *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"),
            *SCOPE_OF,
        ],
        "acr_values_supported": [ACR],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": list(algorithms),
        "userinfo_signing_alg_values_supported": list(algorithms),
        "ui_locales_supported": ["en", "ko"],
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
    if status_lists:
        offered["status_list_aggregation_endpoint"] = issuer + paths.STATUS_LISTS
    return offered


def discovery_document(
    issuer: str,
    algorithms: Sequence[str],
    max_age: timedelta,
    *,
    grant_types: Sequence[str],
    status_lists: bool = False,
) -> Document:
    seconds = int(max_age.total_seconds())
    return json_document(
        metadata(issuer, algorithms, grant_types=grant_types, status_lists=status_lists),
        JSON,
        f"public, max-age={seconds}, stale-if-error=86400",
    )
