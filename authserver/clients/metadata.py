"""The one place that decides whether a registration holds together, whoever sends it.

Two mappings come in, because two parties speak: `said` is in the words of RFC 7591 and OpenID Connect Registration and
may come from a stranger; `ours` is the operator's. A stranger who sends one of our words is not heard, so no
registration makes itself first-party. Words that nobody knows are ignored (RFC 7591 §2), and null is left out.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from authserver.clients import public_keys, uris
from authserver.clients.contradictions import Limits, Problem, contradictions
from authserver.clients.fields import (
    ALGORITHMS,
    Reader,
    Unfit,
    address,
    audience,
    flag,
    many,
    name,
    one_of,
    scope,
    seconds,
    text,
    uri_text,
)
from authserver.clients.registration import (
    AUTHORIZATION_CODE,
    BASIC,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    NONE,
    POST,
    PRIVATE_KEY_JWT,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
    Registration,
)
from authserver.clients.uris import Uri

__all__ = ["OURS", "STANDARD", "Limits", "Problem", "own_words", "read", "words"]

GRANT_TYPES: Final = (AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS, DEVICE_CODE, TOKEN_EXCHANGE)
AUTH_METHODS: Final = (BASIC, POST, PRIVATE_KEY_JWT, NONE)
DEFAULT_SCOPE: Final = (
    "openid profile email phone address offline_access"  # of clients that people sign in to
)
FOR_PEOPLE: Final = frozenset({AUTHORIZATION_CODE, DEVICE_CODE})
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

_STANDARD: Final[dict[str, Reader]] = {
    "client_name": name,
    "application_type": one_of("web", "native"),
    "redirect_uris": many(uri_text),
    "post_logout_redirect_uris": many(uri_text),
    "grant_types": many(one_of(*GRANT_TYPES)),
    "response_types": many(one_of("code")),
    "scope": scope,
    "token_endpoint_auth_method": one_of(*AUTH_METHODS),
    "token_endpoint_auth_signing_alg": one_of(*ALGORITHMS),
    "jwks": public_keys.read,
    "jwks_uri": address,
    "subject_type": one_of("public", "pairwise"),
    "sector_identifier_uri": address,
    "id_token_signed_response_alg": one_of(*ALGORITHMS),
    "userinfo_signed_response_alg": one_of(*ALGORITHMS),
    "introspection_signed_response_alg": one_of(*ALGORITHMS),
    "default_max_age": seconds(0),
    "require_auth_time": flag,
    "backchannel_logout_uri": address,
    "backchannel_logout_session_required": flag,
    "frontchannel_logout_uri": address,
    "frontchannel_logout_session_required": flag,
    "initiate_login_uri": address,
    "require_pushed_authorization_requests": flag,
    "dpop_bound_access_tokens": flag,
    "client_uri": address,
    "logo_uri": address,
    "policy_uri": address,
    "tos_uri": address,
    "contacts": many(text),
}
STANDARD: Final[Mapping[str, Reader]] = MappingProxyType(_STANDARD)
_OURS: Final[dict[str, Reader]] = {
    "first_party": flag,
    "audiences": many(audience),
    "require_pkce": flag,
    "rotate_refresh_tokens": flag,
    "assertion_for_token_endpoint": flag,
    "access_token_lifetime": seconds(1),
    "id_token_lifetime": seconds(1),
    "refresh_token_lifetime": seconds(1),
}
OURS: Final[Mapping[str, Reader]] = MappingProxyType(_OURS)


def read(
    said: Mapping[str, Any], ours: Mapping[str, Any] = NOTHING, *, limits: Limits
) -> Registration | list[Problem]:
    """Answer what can be stored, or everything that is wrong: of each field first, then of the fields together."""
    found = {**_each(said, STANDARD), **_each(ours, OURS)}
    problems = [Problem(field, value) for field, value in found.items() if isinstance(value, Unfit)]
    if "client_name" not in found and not found.get("redirect_uris"):
        problems.append(Problem("client_name", "give it a name: people who sign in to it read that"))
    if problems:
        return problems
    registration = _with_defaults(found)
    return contradictions(registration, limits) or registration


def words(registration: Registration) -> dict[str, Any]:
    """Say a registration in the standards' words, all that `read` took and all that it added; none is a secret."""
    kinds = ["code"] if AUTHORIZATION_CODE in registration.grant_types else []
    return {**_said(registration, STANDARD), "response_types": kinds}


def own_words(registration: Registration) -> dict[str, Any]:
    """Say what of a registration only the operator decides."""
    return _said(registration, OURS)


def _each(mapping: Mapping[str, Any], readers: Mapping[str, Reader]) -> dict[str, Any]:
    return {
        field: reader(mapping[field]) for field, reader in readers.items() if mapping.get(field) is not None
    }


def _with_defaults(found: dict[str, Any]) -> Registration:
    registration = Registration(**{"client_name": "", **_without(found, "response_types")})
    if "scope" not in found and not FOR_PEOPLE.isdisjoint(registration.grant_types):
        found = {**found, "scope": DEFAULT_SCOPE}
    if "client_name" not in found:
        found = {**found, "client_name": _address_as_name(registration.redirect_uris[0])}
    return Registration(**_without(found, "response_types"))


def _without(found: dict[str, Any], field: str) -> dict[str, Any]:
    return {known: value for known, value in found.items() if known != field}


def _address_as_name(uri: str) -> str:
    """What people see of a client without a name: where it lives."""
    read = uris.read(uri)
    return (read.host or read.scheme) if isinstance(read, Uri) else "?"


def _said(registration: Registration, readers: Mapping[str, Reader]) -> dict[str, Any]:
    values = {field: getattr(registration, field) for field in readers if field != "response_types"}
    return {
        field: list(value) if isinstance(value, tuple) else value
        for field, value in values.items()
        if value is not None
    }
