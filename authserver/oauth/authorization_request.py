"""What an authorization request asks for, checked: OAuth 2.1 §4.1.1, RFC 7636 §4.3, RFC 8707 §2, OIDC Core §3.1.2.1.

Two kinds of refusal, and they never mix (CVE-2026-41479 is what happens when they do). Before the client and its
redirect URI are found good, the answer is a page, and nothing leads anywhere. After that it is a redirect.

1. client: registered, not disabled (page)
2. redirect_uri: registered, to the letter (page); left out where exactly one is registered
3. request objects: we read none, and say so
4. response_type, response_mode, scope, resource, prompt, max_age
5. PKCE: S256 or nothing, and nothing only for the confidential client that may
6. claims (authorizations/claims_request.py); an essential acr that no sign-in here has

Hints ask for nothing that could be refused: `acr_values`, `display`, `ui_locales`, `claims_locales`, `login_hint`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from authserver.authorizations import claims_request, requests
from authserver.authorizations.claims_request import BadClaims, ClaimsRequest
from authserver.authorizations.grants import ACR
from authserver.clients import redirect_uris
from authserver.clients.registration import AUTHORIZATION_CODE
from authserver.clients.store import Client, Registered
from authserver.oauth.errors import Problem
from authserver.oauth.parameters import Parameters
from authserver.protocol import oauth as words
from authserver.protocol.oauth import OFFLINE_ACCESS, OPENID

MODES: Final = ("query", "form_post")
PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # a SHA-256 in base64url
THUMBPRINT: Final = CHALLENGE
SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")
LONGEST: Final = 2_000  # of a state or a nonce: a redirect has to fit into every server's request line
LONGEST_AGE: Final = 9  # digits


class NoWayBack(Exception):
    """Client or redirect URI are not good: a page says so, and nobody is sent anywhere."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class WayBack:
    """Where the answer goes, and how."""

    redirect_uri: str
    mode: str
    state: str | None


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A checked request. `redirect_uri` is None where none was sent."""

    client: Client
    way_back: WayBack
    redirect_uri: str | None
    scope: tuple[str, ...]
    audience: Sequence[str]
    prompt: frozenset[str]
    max_age: timedelta | None
    nonce: str | None
    code_challenge: str | None
    key_thumbprint: str | None
    id_token_hint: str | None
    login_hint: str | None
    ui_locales: str | None
    claims: ClaimsRequest

    @property
    def offline(self) -> bool:
        return OFFLINE_ACCESS in self.scope


def way_back(parameters: Parameters, registered: Registered | None) -> tuple[Client, WayBack]:
    """Find the client, and where its answers go.

    :raises NoWayBack: nowhere.
    """
    client = registered.client if registered else None
    if client is None or client.disabled_at is not None:
        raise NoWayBack("This app is not registered here.")
    asked = parameters.get("redirect_uri")
    if asked is None and len(client.redirect_uris) == 1:
        asked = client.redirect_uris[0]
    if asked is None or not redirect_uris.matches(client.redirect_uris, asked):
        raise NoWayBack("The address that this app wants you to be sent to is not registered.")
    mode = parameters.get("response_mode")
    return client, WayBack(asked, mode if mode in MODES else MODES[0], parameters.get("state"))


def read(
    parameters: Parameters, client: Client, back: WayBack, issuer: str
) -> AuthorizationRequest | Problem:
    """Check the rest of a request whose client and redirect URI are good."""
    problem = _first_problem(parameters, client)
    if problem is not None:
        return problem
    scope = registered_scope(parameters, client)
    if not scope:
        return Problem(words.INVALID_SCOPE, "None of these scopes is registered for this client.")
    audience = parameters.resources or client.audiences or (issuer,)
    return AuthorizationRequest(
        client=client,
        way_back=back,
        redirect_uri=parameters.get("redirect_uri"),
        scope=scope,
        audience=tuple(audience),
        prompt=frozenset((parameters.get("prompt") or "").split()),
        max_age=_max_age(parameters, client),
        nonce=parameters.get("nonce"),
        code_challenge=parameters.get("code_challenge"),
        key_thumbprint=parameters.get("dpop_jkt"),
        id_token_hint=parameters.get("id_token_hint"),
        login_hint=parameters.get("login_hint"),
        ui_locales=parameters.get("ui_locales"),
        claims=claims_request.read(parameters.get("claims"), scope, client.scopes),
    )


def _first_problem(parameters: Parameters, client: Client) -> Problem | None:
    checks = (_request_object, _response, _texts, unregistered_target, _prompt, _proof_key, _claims)
    return next((found for check in checks if (found := check(parameters, client)) is not None), None)


def _request_object(parameters: Parameters, _client: Client) -> Problem | None:
    """OIDC Core §6: whoever sends one and is not told that nobody reads it, believes in what it says."""
    if parameters.get("request") is not None:
        return Problem(words.REQUEST_NOT_SUPPORTED, "Request objects are not read here: push the request.")
    if parameters.get("request_uri") is not None:
        return Problem(
            words.REQUEST_URI_NOT_SUPPORTED, "Only the request_uri of a pushed request is read here."
        )
    return None


def _response(parameters: Parameters, client: Client) -> Problem | None:
    kind, mode = parameters.get("response_type"), parameters.get("response_mode")
    if kind is None:
        return Problem(words.INVALID_REQUEST, "The parameter response_type is missing: send code.")
    if kind != "code":
        return Problem(words.UNSUPPORTED_RESPONSE_TYPE, "The only response_type is code.")
    if AUTHORIZATION_CODE not in client.grant_types:
        return Problem(words.UNAUTHORIZED_CLIENT, "This client is not registered for authorization_code.")
    if mode is not None and mode not in MODES:
        return Problem(words.INVALID_REQUEST, "The response_mode is query or form_post.")
    return None


def _texts(parameters: Parameters, _client: Client) -> Problem | None:
    for name in ("state", "nonce"):
        if len((parameters.get(name) or "").encode("utf-8", "surrogatepass")) > LONGEST:
            return Problem(words.INVALID_REQUEST, f"The parameter {name} is longer than {LONGEST} bytes.")
    scope = parameters.get("scope")
    if scope is not None and not SCOPE.fullmatch(scope):
        return Problem(words.INVALID_SCOPE, "Separate the scopes by single spaces.")
    return None


def unregistered_target(parameters: Parameters, client: Client) -> Problem | None:
    if set(parameters.resources) <= set(client.audiences):
        return None
    return Problem(words.INVALID_TARGET, "A resource is not registered for this client.")


def _prompt(parameters: Parameters, _client: Client) -> Problem | None:
    prompt = set((parameters.get("prompt") or "").split())
    if not prompt <= PROMPTS:
        return Problem(words.INVALID_REQUEST, "The prompt is none, login, consent or select_account.")
    if "none" in prompt and len(prompt) > 1:
        return Problem(words.INVALID_REQUEST, "The prompt none stands alone.")
    age = parameters.get("max_age")
    if age is not None and not (age.isascii() and age.isdigit() and len(age) <= LONGEST_AGE):
        return Problem(words.INVALID_REQUEST, "The max_age is a number of seconds.")
    return None


def _proof_key(parameters: Parameters, client: Client) -> Problem | None:
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    thumbprint = parameters.get("dpop_jkt")
    if thumbprint is not None and not THUMBPRINT.fullmatch(thumbprint):
        return Problem(words.INVALID_REQUEST, "The dpop_jkt is a SHA-256 thumbprint in base64url.")
    if challenge is None:
        if method is None and not client.require_pkce and not client.public:
            return None
        return Problem(words.INVALID_REQUEST, "The parameter code_challenge is missing: PKCE is required.")
    if method != "S256":
        return Problem(words.INVALID_REQUEST, "The only code_challenge_method is S256.")
    if not CHALLENGE.fullmatch(challenge):
        return Problem(words.INVALID_REQUEST, "The code_challenge is a SHA-256 in base64url, 43 characters.")
    return None


def _claims(parameters: Parameters, client: Client) -> Problem | None:
    try:
        asked = claims_request.read(parameters.get("claims"), (OPENID,), client.scopes)
    except BadClaims as error:
        return Problem(words.INVALID_REQUEST, str(error))
    if asked.acr and ACR not in asked.acr:
        return Problem(
            words.UNMET_AUTHENTICATION_REQUIREMENTS, "No sign-in here has one of these acr values."
        )
    return None


def registered_scope(parameters: Parameters, client: Client) -> tuple[str, ...]:
    return requests.scopes(parameters.get("scope"), client.scopes)


def _max_age(parameters: Parameters, client: Client) -> timedelta | None:
    asked = parameters.get("max_age")
    seconds = int(asked) if asked is not None else client.default_max_age
    return None if seconds is None else timedelta(seconds=seconds)
