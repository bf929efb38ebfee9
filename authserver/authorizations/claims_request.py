"""The `claims` parameter (OpenID Connect Core §5.5): single claims, and where the client wants to have them.

    {"userinfo": {"email": {"essential": true}, "picture": null}, "id_token": {"sub": {"value": "…"}}}

It comes from a browser's address line, so it is bounded before it is read, and read as strictly as a token: one object,
each member once, not deep. What nobody knows is ignored (§5.5); what cannot be meant is refused.

A claim is told to whoever may have the scope that it belongs to, and to nobody else. Asking for `email` here needs the
scope `email` to be registered, and the person's consent to it: `scopes` says what has to be allowed besides.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from authserver.accounts.profile import SCOPE_OF
from authserver.protocol.oauth import OPENID
from authserver.resource.strict_json import strict_json

LONGEST: Final = 4_000
LONGEST_SUBJECT: Final = 255  # OIDC Core §2
MOST_VALUES: Final = 20


class BadClaims(ValueError):
    """The parameter cannot be read; the message says why, in words for the client's developer."""


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """What is known of the parameter. `acr` holds what is essential: one of these, or nothing was asked."""

    id_token: tuple[str, ...] = ()
    userinfo: tuple[str, ...] = ()
    subject: str | None = None
    acr: tuple[str, ...] = ()

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(SCOPE_OF[name] for name in (*self.id_token, *self.userinfo))

    def to_store(self) -> dict[str, list[str]]:
        parts = {"id_token": list(self.id_token), "userinfo": list(self.userinfo)}
        return {part: names for part, names in parts.items() if names}


NOTHING: Final = ClaimsRequest()


def read(unverified: str | None, scope: Iterable[str], registered: Sequence[str]) -> ClaimsRequest:
    """Read the parameter of a request for these scopes, by a client that registered those.

    :raises BadClaims: it is not what §5.5 has, or larger than anybody needs.
    """
    if unverified is None:
        return NOTHING
    found = _read(unverified)
    if OPENID not in scope:
        return NOTHING
    id_token, userinfo = (_within(registered, names) for names in (found.id_token, found.userinfo))
    return replace(found, id_token=id_token, userinfo=userinfo)


def scopes(unverified: str | None, scope: Iterable[str], registered: Sequence[str]) -> tuple[str, ...]:
    """Answer what has to be allowed besides the scopes themselves; nothing for what cannot be read."""
    try:
        return tuple(sorted(read(unverified, scope, registered).scopes.difference(scope)))
    except BadClaims:
        return ()


def _read(unverified: str) -> ClaimsRequest:
    if len(unverified) > LONGEST:
        raise BadClaims(f"The parameter claims is longer than {LONGEST} characters.")
    try:
        members = strict_json(unverified.encode())
    except ValueError:
        raise BadClaims("The parameter claims is not a JSON object, or is nested too deeply.") from None
    id_token, userinfo = _part(members, "id_token"), _part(members, "userinfo")
    return ClaimsRequest(
        tuple(id_token), tuple(userinfo), _subject(id_token, userinfo), _essential(id_token.get("acr"))
    )


def _part(members: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]]:
    part = members.get(name)
    if part is None:
        return {}
    if not isinstance(part, dict) or not all(isinstance(asked, dict | None) for asked in part.values()):
        raise BadClaims(f"In claims, {name} is an object, and each member of it null or an object.")
    return {claim: asked or {} for claim, asked in part.items()}


def _subject(*parts: Mapping[str, Mapping[str, Any]]) -> str | None:
    """§5.5.1: a `sub` with a `value` asks for this very person."""
    named = [part["sub"]["value"] for part in parts if "value" in part.get("sub", {})]
    if any(not isinstance(sub, str) or not 0 < len(sub) <= LONGEST_SUBJECT for sub in named):
        raise BadClaims("In claims, the value of sub is a text of 255 characters at most.")
    if len(set(named)) > 1:
        raise BadClaims("In claims, sub names two people.")
    return named[0] if named else None


def _essential(acr: Mapping[str, Any] | None) -> tuple[str, ...]:
    """§5.5.1.1: an essential `acr` that cannot be had is a failed sign-in; any other is a wish."""
    if not acr or acr.get("essential") is not True:
        return ()
    values = acr.get("values", [acr["value"]] if "value" in acr else [])
    if not isinstance(values, list) or len(values) > MOST_VALUES:
        raise BadClaims("In claims, the values of acr are a list of texts, twenty at most.")
    if not all(isinstance(value, str) for value in values):
        raise BadClaims("In claims, the values of acr are texts.")
    return tuple(values)


def _within(registered: Sequence[str], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if SCOPE_OF.get(name) in registered)
