"""What `client create` and `client update` have in common: one option for each field of a registration.

The table below is the command line's word for each field of RFC 7591 and of ours. The parameters that Typer reads are
made from it, and so is the way back: a problem with a field is told under the option's name.
"""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import TypeAdapter, ValidationError

from authserver.cli.answers import Answer, Refused
from authserver.clients.metadata import OURS, Problem
from authserver.clients.registration import (
    AUTHORIZATION_CODE,
    BASIC,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    NONE,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
    Registration,
)
from authserver.settings.kinds import Duration


class Kind(StrEnum):
    """Five kinds of apps, and what goes without saying for each."""

    WEB = "web"
    BROWSER = "browser"
    NATIVE = "native"
    SERVICE = "service"
    DEVICE = "device"


_SIGNS_PEOPLE_IN: Final = (AUTHORIZATION_CODE, REFRESH_TOKEN)
KINDS: Final[Mapping[Kind, dict[str, Any]]] = {
    Kind.WEB: {"grant_types": _SIGNS_PEOPLE_IN, "token_endpoint_auth_method": BASIC},
    Kind.BROWSER: {"grant_types": _SIGNS_PEOPLE_IN, "token_endpoint_auth_method": NONE},
    Kind.NATIVE: {
        "grant_types": _SIGNS_PEOPLE_IN,
        "token_endpoint_auth_method": NONE,
        "application_type": "native",
    },
    Kind.SERVICE: {"grant_types": (CLIENT_CREDENTIALS,), "token_endpoint_auth_method": BASIC},
    Kind.DEVICE: {
        "grant_types": (DEVICE_CODE, REFRESH_TOKEN),
        "token_endpoint_auth_method": NONE,
        "application_type": "native",
    },
}
SHORT_GRANTS: Final = {"device_code": DEVICE_CODE, "token_exchange": TOKEN_EXCHANGE}
BIGGEST_FILE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Option:
    """One option: the field that it sets, its name, what it takes, and the way from text to the field's value."""

    field: str
    flag: str
    kind: Any
    help: str
    metavar: str | None = None
    value: Callable[[Any], Any] = lambda said: said

    @property
    def parameter(self) -> inspect.Parameter:
        option = typer.Option(self.flag, help=self.help, metavar=self.metavar)
        keyword = inspect.Parameter.KEYWORD_ONLY
        return inspect.Parameter(
            self.field, keyword, default=None, annotation=Annotated[self.kind | None, option]
        )

    @property
    def name(self) -> str:
        return self.flag.partition("/")[0]


def length(text: str) -> timedelta:
    """Read `15m`, `1h`, `30d` or seconds.

    :raises Refused: it is none of these.
    """
    try:
        return TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        raise Refused(
            f'{text!r} is no length of time: write seconds, or "15m", "1h", "30d"', code=2
        ) from None


def _seconds(text: str) -> int:
    return int(length(text).total_seconds())


def _json_file(path: Path) -> Any:
    """Read a JSON file; what is in it is not repeated in an error: it may be a private key."""
    try:
        if path.stat().st_size > BIGGEST_FILE:
            raise Refused(f"{path} is too large for a JWK Set", code=2)
        return json.loads(path.read_bytes())
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}", code=2) from None
    except (ValueError, RecursionError):
        raise Refused(f'{path} is no JSON: write a JWK Set, {{"keys": [...]}}', code=2) from None


def _grants(said: Sequence[str]) -> list[str]:
    return [SHORT_GRANTS.get(grant, grant) for grant in said]


def _subject_type(pairwise: bool) -> str:
    return "pairwise" if pairwise else "public"


TEXTS: Final = list[str]
OPTIONS: Final = (
    Option(
        "redirect_uris", "--redirect-uri", TEXTS, "Where people go after signing in; again for each.", "URI"
    ),
    Option(
        "post_logout_redirect_uris",
        "--post-logout-redirect-uri",
        TEXTS,
        "Where they may go after signing out.",
        "URI",
    ),
    Option("scope", "--scope", str, 'What it may ask for: "openid profile orders:read".', "SCOPES"),
    Option("audiences", "--audience", TEXTS, "An API that its access tokens are for; again for each.", "URI"),
    Option("first_party", "--first-party/--third-party", bool, "Ours: nobody is asked for consent."),
    Option(
        "grant_types", "--grant-type", TEXTS, "Instead of the kind's own; again for each.", "GRANT", _grants
    ),
    Option(
        "token_endpoint_auth_method",
        "--auth-method",
        str,
        "client_secret_basic, client_secret_post, private_key_jwt or none.",
        "METHOD",
    ),
    Option("jwks", "--jwks", Path, "Its public keys, for private_key_jwt.", "FILE", _json_file),
    Option("jwks_uri", "--jwks-uri", str, "Where it publishes them.", "URI"),
    Option("token_endpoint_auth_signing_alg", "--auth-alg", str, "The only algorithm it signs by.", "ALG"),
    Option(
        "assertion_for_token_endpoint",
        "--assertion-for-token-endpoint/--assertion-for-issuer",
        bool,
        "Let its assertions name the token endpoint's URL, as older libraries do.",
    ),
    Option("require_pkce", "--pkce/--no-pkce", bool, "Whether it must use PKCE."),
    Option(
        "require_pushed_authorization_requests",
        "--require-par/--no-require-par",
        bool,
        "Insist on pushed requests.",
    ),
    Option("dpop_bound_access_tokens", "--dpop/--no-dpop", bool, "Bind its tokens to a key of its own."),
    Option(
        "rotate_refresh_tokens",
        "--rotate-refresh/--no-rotate-refresh",
        bool,
        "A new refresh token at each use; FAPI 2.0 wants none.",
    ),
    Option(
        "backchannel_logout_uri",
        "--backchannel-logout-uri",
        str,
        "Told by us when somebody signs out.",
        "URI",
    ),
    Option(
        "frontchannel_logout_uri",
        "--frontchannel-logout-uri",
        str,
        "Loaded in the browser that signs out.",
        "URI",
    ),
    Option("initiate_login_uri", "--initiate-login-uri", str, "Where it begins a sign-in.", "URI"),
    Option("id_token_signed_response_alg", "--id-token-alg", str, "RS256, PS256, ES256 or EdDSA.", "ALG"),
    Option("userinfo_signed_response_alg", "--userinfo-alg", str, "Sign the answers of userinfo.", "ALG"),
    Option(
        "introspection_signed_response_alg",
        "--introspection-alg",
        str,
        "Sign the answers of introspection.",
        "ALG",
    ),
    Option(
        "subject_type",
        "--pairwise/--no-pairwise",
        bool,
        "Call each person by another id than other apps do.",
        None,
        _subject_type,
    ),
    Option("sector_identifier_uri", "--sector-identifier-uri", str, "Lists all its redirect URIs.", "URI"),
    Option("default_max_age", "--default-max-age", str, "How old a sign-in may be.", "TIME", _seconds),
    Option("require_auth_time", "--auth-time/--no-auth-time", bool, "Always say when the person signed in."),
    Option(
        "access_token_lifetime",
        "--access-token-lifetime",
        str,
        "Shorter than the server's.",
        "TIME",
        _seconds,
    ),
    Option("id_token_lifetime", "--id-token-lifetime", str, "Shorter than the server's.", "TIME", _seconds),
    Option(
        "refresh_token_lifetime",
        "--refresh-token-lifetime",
        str,
        "Other than the server's.",
        "TIME",
        _seconds,
    ),
    Option("client_uri", "--client-uri", str, "Its home page, linked from the consent page.", "URI"),
    Option("logo_uri", "--logo-uri", str, "Its logo.", "URI"),
    Option("policy_uri", "--policy-uri", str, "What it does with data.", "URI"),
    Option("tos_uri", "--tos-uri", str, "Its terms.", "URI"),
    Option("contacts", "--contact", TEXTS, "Who answers for it; again for each.", "TEXT"),
)
NAMES: Final = {option.field: option.name for option in OPTIONS} | {"client_name": "the name"}
Verb = Callable[..., Answer]


def with_options(function: Verb) -> Verb:
    """Give a verb that takes `**options` a parameter for each option; what was not said is None."""
    own = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    signature = inspect.Signature([*own, *(option.parameter for option in OPTIONS)])
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


def said(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Answer the fields that were named, with their values: the standards' and ours."""
    values = {
        option.field: option.value(options[option.field])
        for option in OPTIONS
        if options[option.field] is not None and options[option.field] != []
    }
    ours = {field: value for field, value in values.items() if field in OURS}
    return {field: value for field, value in values.items() if field not in OURS}, ours


def field_called(name: str) -> str:
    """Answer the field that an option sets; the dashes before it may be left out.

    :raises Refused: there is no such option.
    """
    wanted = f"--{name.removeprefix('--')}"
    for option in OPTIONS:
        if wanted in option.flag.split("/"):
            return option.field
    raise Refused(
        f"--clear {name}: there is no option {wanted}; `authserver client update --help` lists them", code=2
    )


def fit(found: Registration | list[Problem]) -> Registration:
    """Answer a registration that holds together.

    :raises Refused: it does not; what is wrong is told under the names of the options.
    """
    if isinstance(found, Registration):
        return found
    raise Refused("; ".join(f"{NAMES.get(one.field, one.field)}: {one.message}" for one in found), code=2)
