"""Asking the issuer about one token (RFC 7662): what a guard does when its revocation list is too old to be believed.

The token has passed every check that needs no network before, so nobody makes us ask about forged ones. Asked is at
most once a second for each token and by one thread; an endpoint that does not answer is left alone for as long. What
cannot be asked is not accepted; nor is an answer about another token (`iss`, `sub`, `aud`, `client_id`, `jti`).
"""

import logging
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from authserver.resource.http import Fetched, FetchFailed, HttpPost, Post, require_secure
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.since_boot import since_boot
from authserver.resource.single_flight import SingleFlight
from authserver.resource.strict_json import MalformedJSON, strict_json

_log: Final = logging.getLogger("authserver.resource")

_REMEMBERED: Final = 1.0  # seconds; a sign-out must not wait longer for a cache than for the feed
_MOST_REMEMBERED: Final = 1_024
_SAME: Final = ("iss", "sub", "client_id", "jti")


@dataclass(frozen=True, slots=True)
class _Answer:
    claims: Mapping[str, Any]
    until: float


class Introspection:
    """The issuer's endpoint, and who we are there. Give the client nothing but the right to introspect."""

    def __init__(
        self,
        endpoint: str,
        client_id: str,
        client_secret: str,
        *,
        post: Post | None = None,
        clock: Callable[[], float] = since_boot,
    ) -> None:
        require_secure(endpoint)
        if not client_id or not client_secret:
            raise ValueError("introspection needs a client_id and a client_secret")
        self._endpoint = endpoint
        self._headers = {
            "Accept": "application/json",
            "Authorization": _basic(client_id, client_secret),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._post = post or HttpPost()
        self._clock = clock
        self._answers: dict[bytes, _Answer] = {}
        self._flights: dict[bytes, SingleFlight] = {}
        self._failed_at: float | None = None
        self._out = False

    def __repr__(self) -> str:
        """Without the secret: settings end in logs."""
        return f"Introspection({self._endpoint!r})"

    def must_ask(self, token: str) -> bool:
        """Nothing is known about `token` from this second, and the endpoint is not known to be down."""
        return self._known(_digest(token)) is None and not self._is_resting()

    def ask(self, token: str) -> None:
        """Blocks for one request, or for the one under way about the same token. Never raises."""
        digest = _digest(token)
        flight = self._flights.setdefault(digest, SingleFlight(partial(self._ask, token, digest)))
        try:
            flight.run()
        finally:
            self._flights.pop(digest, None)

    def judge(self, token: str, principal: Principal) -> Principal | Refusal:
        """What the last answer means for `token`, whose verified holder is `principal`."""
        answer = self._known(_digest(token))
        if answer is None:
            return _refuse_to_guess("the issuer could not be asked about the token")
        if answer.claims["active"] is False:
            return Refusal(Reason.SIGNED_OUT, "the issuer says: not active", facts={"kind": "introspection"})
        name = _contradiction(answer.claims, principal)
        return principal if name is None else _refuse_to_guess(f"the issuer answered about another {name}")

    def _known(self, digest: bytes) -> _Answer | None:
        answer = self._answers.get(digest)
        return answer if answer is not None and self._clock() < answer.until else None

    def _is_resting(self) -> bool:
        return self._failed_at is not None and self._clock() < self._failed_at + _REMEMBERED

    def _ask(self, token: str, digest: bytes) -> None:
        if self._known(digest) is not None:  # asked by whoever flew just before
            return
        body = urlencode({"token": token, "token_type_hint": "access_token"}).encode()
        try:
            claims = _read(self._post(self._endpoint, self._headers, body))
        except Exception as error:  # noqa: BLE001 - whatever is answered, nobody gets in by it
            self._failed_at = self._clock()
            level = logging.DEBUG if self._out else logging.WARNING  # one line per outage
            self._out = True
            _log.log(level, "tokens cannot be introspected: %s: %s", type(error).__name__, error)
        else:
            self._failed_at, self._out = None, False
            if len(self._answers) >= _MOST_REMEMBERED:
                self._answers = {}
            self._answers[digest] = _Answer(claims, self._clock() + _REMEMBERED)


def _read(answer: Fetched) -> Mapping[str, Any]:
    """RFC 7662 §2.2: `active` is a boolean; "false" in quotes is none, and true to a careless reader."""
    if answer.status != HTTPStatus.OK:
        raise FetchFailed(f"status {answer.status}")
    try:
        claims = strict_json(answer.body)
    except MalformedJSON as malformed:
        raise FetchFailed(str(malformed)) from None
    if not isinstance(claims.get("active"), bool):
        raise FetchFailed("no active")
    return claims


def _contradiction(claims: Mapping[str, Any], principal: Principal) -> str | None:
    """Which member speaks of another token. All but `active` are optional."""
    ours = principal.claims
    for name in _SAME:
        if name in claims and claims[name] != ours.get(name):
            return name
    if "aud" in claims and _audiences(claims["aud"]).isdisjoint(_audiences(ours["aud"])):
        return "aud"
    return None


def _audiences(aud: object) -> frozenset[str]:
    names = aud if isinstance(aud, list | tuple) else (aud,)
    return frozenset(name for name in names if isinstance(name, str))


def _refuse_to_guess(detail: str) -> Refusal:
    return Refusal(Reason.STALE, detail, facts={"kind": "introspection"})


def _basic(client_id: str, client_secret: str) -> str:
    """RFC 6749 §2.3.1: each is form-encoded before Basic joins them, or a colon in the id would move the border."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {b64encode(pair.encode('ascii')).decode()}"


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
