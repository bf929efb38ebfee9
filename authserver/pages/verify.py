"""/verify: a reverse proxy asks whether a request may pass (nginx `auth_request`, Caddy `forward_auth`).

In order, and what each step stops:

1. the proxy's own words: its policy (the query) and its description of the request, 400 if there is anything wrong
   with them. A proxy that is misconfigured lets nobody in (SECURITY: oauth2-proxy CVE-2026-40575, CVE-2025-64484)
2. the token, by a resource service's rules: header before cookie, no cookie on another site's word (CSRF)
3. the token itself, the revocation list included; from memory, so it goes on while the database is away
4. what the policy asks for: scopes, roles

204 says yes and who it is; each identity header is always there, so that a proxy overwrites what a visitor sent under
its name. 401, 403 and 503 are a resource service's own answers, fit to be handed on to the visitor. A page is sent to
the sign-in instead of 401, where the policy wants that and where it can help: only to a place that the token cookie
reaches, and not for a token that a fresh one would be refused like. Otherwise it would go round in circles. The sign-in
sees to the rest of that (`round_trips.py`); it is told what it cannot see, a token cookie that came here twice.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from starlette.types import Receive, Scope, Send

from authserver.logs import get_logger
from authserver.pages.planted_cookies import sent_twice
from authserver.pages.proxy_policy import ProxyPolicy
from authserver.protocol.media import JSON
from authserver.resource.answer import Answer, answer_to
from authserver.resource.credentials import Credentials
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.settings import Settings
from authserver.tokens.current import CurrentTokens
from authserver.web.body import BadRequest
from authserver.web.forwarded import ForwardedRequest, read_forwarded
from authserver.web.return_to import safe_return

VERIFY: Final = "/verify"
SIGN_IN: Final = "/login"  # whose session lives is back from there at once, with a new token
IDENTITY: Final = ("X-Auth-Subject", "X-Auth-Session", "X-Auth-Client", "X-Auth-Scope", "X-Auth-Roles")
VISIBLE: Final = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")
HELPED_BY_SIGN_IN: Final = frozenset(
    {Reason.MISSING, Reason.EXPIRED, Reason.SIGNED_OUT, Reason.UNKNOWN_KEY, Reason.BAD_SIGNATURE}
)
# Not by `Vary: Cookie, …`, for what decides is too much: no cache may give this answer to another request.
UNCACHED: Final = {"Cache-Control": "no-store", "Vary": "*"}
MOST_POLICIES: Final = 64

log = get_logger("authserver.verify")


class VerifyEndpoint:
    """An ASGI application of its own, in front of the pages: it is asked once for each request to each app."""

    def __init__(self, settings: Settings, tokens: CurrentTokens) -> None:
        self._tokens = tokens
        self._audience = settings.token_audience
        self._cookies = (settings.token_cookie,)
        self._issuer = settings.issuer
        self._sign_in_helps = _origins_that_share_the_cookie(settings)
        self._policies: dict[bytes, ProxyPolicy] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        try:
            policy, request = self._policy(scope["query_string"]), read_forwarded(scope)
        except BadRequest as wrong:
            log.warning("a proxy asks in a way that cannot be answered", cause=wrong.reason)
            answer = Answer(wrong.status, {}, {"error": wrong.code, "message": wrong.reason})
            await _send(send, answer.status, answer.headers, answer.content)
            return
        outcome = self._judge(request, policy)
        if isinstance(outcome, Principal):
            await _send(send, 204, identity(outcome))
        elif policy.sign_in and (where := self._where_to_sign_in(request, outcome)):
            await _send(send, 303, {"Location": where})
        else:
            await self._refuse(send, request, policy, outcome)

    def _policy(self, query: bytes) -> ProxyPolicy:
        """Read a query once. Anyone can ask with another one, so they are not all remembered."""
        found = self._policies.get(query)
        if found is None:
            found = ProxyPolicy.read(query, self._audience)
            while len(self._policies) >= MOST_POLICIES:
                self._policies.pop(next(iter(self._policies)))
            self._policies[query] = found
        return found

    def _judge(self, request: ForwardedRequest, policy: ProxyPolicy) -> Principal | Refusal:
        shown = Credentials(self._cookies, policy.allowed_origins).find(request)
        outcome = shown if isinstance(shown, Refusal) else self._tokens.read(shown[0], policy.audience)
        return outcome if isinstance(outcome, Refusal) else policy.requirement.judge(outcome)

    def _where_to_sign_in(self, request: ForwardedRequest, refusal: Refusal) -> str | None:
        """Answer where a person gets a token and comes back from; None where that is not what would help."""
        if not (_is_navigation(request) and refusal.reason in HELPED_BY_SIGN_IN):
            return None
        back = safe_return(request.origin + request.uri, self._sign_in_helps)
        back = back or safe_return(
            f"{request.origin}/", self._sign_in_helps
        )  # a strange or very long address
        if back is None:
            return None
        twice = sent_twice(request.header_values("cookie"), *self._cookies)
        asked = {"return_to": back, **({"twice": "true"} if twice else {})}
        return f"{self._issuer}{SIGN_IN}?{urlencode(asked)}"

    async def _refuse(
        self, send: Send, request: ForwardedRequest, policy: ProxyPolicy, refusal: Refusal
    ) -> None:
        if refusal.reason is not Reason.MISSING:
            facts = {"reason": refusal.reason.value, "detail": refusal.detail, "app": request.origin}
            log.info("proxied request refused", **facts)
        languages = ",".join(request.header_values("accept-language"))
        answer = answer_to(refusal, realm=policy.audience, accept_language=languages)
        await _send(send, answer.status, answer.headers, answer.content)


def identity(principal: Principal) -> dict[str, str]:
    """Who it is, as headers: visible ASCII and single spaces between the items of a list, whatever the claims hold."""
    values = (
        [principal.sub],
        [principal.sid or ""],
        [principal.client_id],
        sorted(principal.scope),
        sorted(principal.roles),
    )
    return {
        name: " ".join(quote(item, safe=VISIBLE) for item in items)
        for name, items in zip(IDENTITY, values, strict=True)
    }


def _is_navigation(request: ForwardedRequest) -> bool:
    """A person who waits for a page; not a script's `fetch`, to which a sign-in page would be an odd answer."""
    return (
        request.method in {"GET", "HEAD"}
        and "text/html" in ",".join(request.header_values("accept"))
        and "".join(request.header_values("sec-fetch-mode")) in {"", "navigate"}
        and not request.header_values("authorization")
    )


def _origins_that_share_the_cookie(settings: Settings) -> frozenset[str]:
    """Where to go back to: our own origin and those that the settings name, as far as browsers send the cookie there."""
    own, domain = urlsplit(settings.issuer), settings.cookie_domain

    def reached(origin: str) -> bool:
        parts = urlsplit(origin)
        host = parts.hostname or ""
        in_domain = bool(domain) and (host == domain or host.endswith(f".{domain}"))
        return parts.scheme == own.scheme and (host == own.hostname or in_domain)

    return frozenset(filter(reached, (settings.issuer, *settings.allowed_origins)))


async def _send(send: Send, status: int, headers: Mapping[str, str], content: bytes = b"") -> None:
    """Without the headers of our pages: some of them would speak for the app's whole origin (HSTS, CSP)."""
    shown = {**headers, **UNCACHED}
    if content:
        shown |= {"Content-Type": JSON, "X-Content-Type-Options": "nosniff"}
    if status != 204:  # noqa: PLR2004 - RFC 9110 §8.6: a 204 has no length
        shown["Content-Length"] = str(len(content))
    raw = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in shown.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content})
