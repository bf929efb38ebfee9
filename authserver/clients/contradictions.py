"""Which fields of a registration do not go together: each rule is one small function, and RULES is the list of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from authserver.clients import public_keys, uris
from authserver.clients.fields import bad_uri
from authserver.clients.redirect_uris import registrable
from authserver.clients.registration import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    PRIVATE_KEY_JWT,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
    Registration,
)
from authserver.clients.uris import Uri


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field, and what to do. The message may quote what was sent, in ASCII."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What this server can keep: the algorithms it has keys for, and the lifetime that its rotations reckon with."""

    algorithms: frozenset[str]
    longest_token_lifetime: timedelta


Rule = Callable[[Registration, Limits], Iterator[Problem]]

FOR_CONFIDENTIAL: Final = frozenset({CLIENT_CREDENTIALS, TOKEN_EXCHANGE})
REFRESHABLE: Final = frozenset({AUTHORIZATION_CODE, DEVICE_CODE})
CALLED: Final = {TOKEN_EXCHANGE: "token exchange", CLIENT_CREDENTIALS: CLIENT_CREDENTIALS}


def contradictions(one: Registration, limits: Limits) -> list[Problem]:
    return [problem for rule in RULES for problem in rule(one, limits)]


def _redirect_uris(one: Registration, _: Limits) -> Iterator[Problem]:
    by_code = AUTHORIZATION_CODE in one.grant_types
    if by_code and not one.redirect_uris:
        yield Problem("redirect_uris", "name at least one: where people go after they have signed in")
    if one.redirect_uris and not by_code:
        yield Problem(
            "redirect_uris", f"leave them out: nobody is sent anywhere without {AUTHORIZATION_CODE}"
        )
    for field in ("redirect_uris", "post_logout_redirect_uris"):
        for uri in getattr(one, field):
            if why := registrable(uri, one.application_type):
                yield Problem(field, bad_uri(uri, why))


def _grant_types(one: Registration, _: Limits) -> Iterator[Problem]:
    if not one.grant_types:
        yield Problem("grant_types", "name at least one")
    if REFRESH_TOKEN in one.grant_types and REFRESHABLE.isdisjoint(one.grant_types):
        yield Problem(
            "grant_types", f"{REFRESH_TOKEN} comes with {AUTHORIZATION_CODE} or {DEVICE_CODE}: add one"
        )
    if one.public:
        for grant in FOR_CONFIDENTIAL.intersection(one.grant_types):
            message = f"{CALLED[grant]} is for clients that prove who they are: choose another way than none"
            yield Problem("token_endpoint_auth_method", message)


def _own_keys(one: Registration, _: Limits) -> Iterator[Problem]:
    if one.jwks and one.jwks_uri:
        yield Problem("jwks_uri", "give jwks or jwks_uri, not both (RFC 7591 §2)")
    if one.token_endpoint_auth_method != PRIVATE_KEY_JWT:
        return
    if not one.jwks and not one.jwks_uri:
        yield Problem("jwks", f"{PRIVATE_KEY_JWT} needs the client's public keys: give jwks or jwks_uri")
    alg = one.token_endpoint_auth_signing_alg
    if one.jwks and alg and not public_keys.fits(one.jwks, alg):
        yield Problem("token_endpoint_auth_signing_alg", f"none of the keys in jwks is for {alg}: add one")


def _pkce(one: Registration, _: Limits) -> Iterator[Problem]:
    """OAuth 2.1 wants it of everybody; OpenID Connect clients of old know nothing of it, and have the nonce."""
    if one.require_pkce:
        return
    if one.public:
        yield Problem("require_pkce", "a client without a secret must use PKCE: leave it required")
    elif "openid" not in one.scopes:
        yield Problem(
            "require_pkce", "only a client with the scope openid may do without PKCE: add that scope"
        )


def _rotation(one: Registration, _: Limits) -> Iterator[Problem]:
    """FAPI 2.0 wants none, OAuth 2.1 §4.3.1 wants it wherever a stolen refresh token could be used as it is."""
    if not one.rotate_refresh_tokens and one.public and not one.dpop_bound_access_tokens:
        message = "a client without a secret must rotate refresh tokens, or have them bound to a key (DPoP)"
        yield Problem("rotate_refresh_tokens", message)


def _pairwise(one: Registration, _: Limits) -> Iterator[Problem]:
    """OpenID Connect Core §8.1: one host stands for the client, or a document that lists its redirect URIs."""
    if one.sector_identifier_uri and not one.sector_identifier_uri.startswith("https://"):
        yield Problem("sector_identifier_uri", "it must begin with https://")
    if one.subject_type != "pairwise" or one.sector_identifier_uri:
        return
    if len(set(_hosts(one.redirect_uris))) != 1:
        message = "pairwise needs redirect URIs on one host, or a sector_identifier_uri that lists them"
        yield Problem("subject_type", message)


def _front_channel(one: Registration, _: Limits) -> Iterator[Problem]:
    """OpenID Connect Front-Channel Logout §2: it is shown in a frame, so it must be the app's own address."""
    if one.frontchannel_logout_uri is None:
        return
    known = {uri.origin for text in one.redirect_uris if isinstance(uri := uris.read(text), Uri)}
    logout = uris.read(one.frontchannel_logout_uri)
    if isinstance(logout, Uri) and logout.origin not in known:
        message = "its scheme, host and port must be those of a redirect URI"
        yield Problem("frontchannel_logout_uri", message)


def _algorithms(one: Registration, limits: Limits) -> Iterator[Problem]:
    for field in ("id_token", "userinfo", "introspection"):
        alg = getattr(one, f"{field}_signed_response_alg")
        if alg is not None and {"EdDSA": "Ed25519"}.get(alg, alg) not in limits.algorithms:
            known = ", ".join(sorted(limits.algorithms))
            yield Problem(
                f"{field}_signed_response_alg", f"this server has no key for {alg}: choose of {known}"
            )


def _lifetimes(one: Registration, limits: Limits) -> Iterator[Problem]:
    """A key is removed, and a revocation forgotten, when the longest-lived token of the server has expired."""
    longest = int(limits.longest_token_lifetime.total_seconds())
    for field in ("access_token_lifetime", "id_token_lifetime"):
        if (getattr(one, field) or 0) > longest:
            yield Problem(
                field, f"at most {longest} seconds, the setting access_token_lifetime of this server"
            )


RULES: Final[tuple[Rule, ...]] = (
    _redirect_uris,
    _grant_types,
    _own_keys,
    _pkce,
    _rotation,
    _pairwise,
    _front_channel,
    _algorithms,
    _lifetimes,
)


def _hosts(redirect_uris: Iterable[str]) -> Iterator[str]:
    """The host of each; what is no https or http address has none that could stand for the client."""
    for text in redirect_uris:
        uri = uris.read(text)
        yield uri.host if isinstance(uri, Uri) and uri.scheme in uris.DEFAULT_PORTS else text
