"""A relying party by the RFCs alone: it knows the issuer's name and its own registration, and believes nothing.

Each flow goes through `judging`: the keys, the authorization response, the token response and the ID token, as the
suite does in every module beside the module's own point.
"""

import base64
import hashlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
from joserfc.jwk import ECKey, KeySet, RSAKey

from authserver.opaque import Secret
from tests.clocks import HandClock
from tests.conformance import judging
from tests.conformance.browser import Arrival, Browser
from tests.conformance.credentials import Credentials
from tests.resource import prover
from tests.visitor import Visitor

CALLBACK = "https://rp.example/callback"
VERIFIER = "a-code-verifier-of-43-characters-or-more-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
Register = Callable[..., Secret | None]  # with a client's id, its own words, and the operator's
_numbers = itertools.count(1)


@dataclass
class Flow:
    """One sign-in: what was sent, and what came of it."""

    sent: dict[str, str]
    code: str
    tokens: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)

    @property
    def access_token(self) -> str:
        return str(self.tokens["access_token"])


@dataclass
class RelyingParty:
    """`http`: its own way to the server, without any cookie. `key`: what it binds its tokens to, if it does."""

    http: Visitor
    clock: HandClock
    client_id: str
    credentials: Credentials
    usual: Mapping[str, str]
    id_token_alg: str = "RS256"
    key: ECKey | RSAKey | None = None
    pushes: bool = False

    def __post_init__(self) -> None:
        self.metadata: dict[str, Any] = self.http.get("/.well-known/openid-configuration").json()
        self.issuer: str = self.metadata["issuer"]
        assert self.issuer == self.http.origin

    def keys(self) -> KeySet:
        return judging.keys(self.http.get(self.metadata["jwks_uri"]))

    def request(self, **changes: str | None) -> dict[str, str]:
        """An authorization request; a parameter given as None is left out."""
        number = next(_numbers)
        usual = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": f"state-{number}-~!*()'",
            "nonce": f"nonce-{number}",
            **self.usual,
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def start(self, sent: Mapping[str, str]) -> dict[str, str]:
        """What the browser is given to carry: the request, or the name of the pushed one."""
        if not self.pushes:
            return dict(sent)
        pushed = self.push(sent)
        assert pushed.status_code == 201, pushed.text
        assert pushed.headers["cache-control"] == "no-store"
        assert 5 < pushed.json()["expires_in"] < 600
        return {"client_id": self.client_id, "request_uri": pushed.json()["request_uri"]}

    def push(self, sent: Mapping[str, str], **more: Any) -> httpx2.Response:
        return self.call("pushed_authorization_request_endpoint", sent, **more)

    def authorize(self, browser: Browser, **changes: str | None) -> Arrival | httpx2.Response:
        """Send the browser off; what it comes back with, or where it stops, unchecked."""
        return browser.open(self.metadata["authorization_endpoint"], self.start(self.request(**changes)))

    def arrived(self, arrival: Arrival | httpx2.Response, sent: Mapping[str, str]) -> dict[str, str]:
        """The authorization response that a browser brought."""
        assert isinstance(arrival, Arrival), arrival.text
        assert arrival.place == sent.get("redirect_uri", CALLBACK)
        form = sent.get("response_mode") == "form_post"
        assert arrival.method == ("POST" if form else "GET")
        assert not (form and arrival.query)
        judging.authorization_response(arrival.fields, sent, self.issuer)
        return arrival.fields

    def answered(self, browser: Browser, **changes: str | None) -> dict[str, str]:
        """The authorization response to a request, checked."""
        sent = self.request(**changes)
        return self.arrived(browser.open(self.metadata["authorization_endpoint"], self.start(sent)), sent)

    def code(self, browser: Browser, **changes: str | None) -> Flow:
        """Everything up to the code."""
        sent = self.request(**changes)
        arrival = browser.open(self.metadata["authorization_endpoint"], self.start(sent))
        return self.flow(sent, self.arrived(arrival, sent))

    def flow(self, sent: dict[str, str], answer: Mapping[str, str]) -> Flow:
        return Flow(sent, answer["code"])

    def sign_in(self, browser: Browser, **changes: str | None) -> Flow:
        """A whole sign-in."""
        return self.redeemed(self.code(browser, **changes))

    def redeemed(self, flow: Flow) -> Flow:
        """A flow with its tokens, all of it checked."""
        flow.tokens = judging.token_response(self.redeem(flow))
        assert flow.tokens["token_type"].lower() == ("bearer" if self.key is None else "dpop")
        flow.claims = self.id_token(flow.tokens, flow.sent.get("nonce"))
        return flow

    def redeem(self, flow: Flow, **more: Any) -> httpx2.Response:
        """Exchange a code. `more`: see `call`."""
        fields = {"grant_type": "authorization_code", "code": flow.code, "redirect_uri": CALLBACK}
        if "code_challenge" in flow.sent:
            fields["code_verifier"] = VERIFIER
        return self.call("token_endpoint", fields, **more)

    def refresh(self, refresh_token: str, **more: Any) -> httpx2.Response:
        fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.call("token_endpoint", fields, **more)

    def id_token(self, tokens: Mapping[str, Any], nonce: str | None) -> dict[str, Any]:
        return judging.id_token(
            tokens["id_token"],
            self.keys(),
            alg=self.id_token_alg,
            issuer=self.issuer,
            client_id=self.client_id,
            now=self.clock.now().timestamp(),
            nonce=nonce,
            access_token=tokens["access_token"],
        )

    def call(
        self,
        endpoint: str,
        fields: Mapping[str, str],
        *,
        credentials: Mapping[str, str] | None = None,
        proofs: tuple[str, ...] | None = None,
    ) -> httpx2.Response:
        """Post to an endpoint as this client; with other credentials in the form, or other proofs, than its own."""
        url = self.metadata[endpoint]
        if proofs is None:
            own = endpoint == "token_endpoint" and self.key is not None
            proofs = (self.proof(url),) if own else ()
        shown = self.credentials.fields() if credentials is None else credentials
        return self.http.post(
            url,
            data={**fields, **shown},
            auth=self.credentials.basic() if credentials is None else None,
            headers=[("DPoP", proof) for proof in proofs],
        )

    def proof(self, url: str, method: str = "POST", **parts: Any) -> str:
        """A DPoP proof; see tests/resource/prover.py for its parts."""
        assert self.key is not None
        return prover.proof(method, url, self.clock.now().timestamp(), **{"key": self.key, **parts})

    def userinfo(self, flow: Flow) -> dict[str, Any]:
        """What UserInfo says about the person of a flow (OpenID Connect Core §5.3.4)."""
        return self.told(flow, self.ask_userinfo(flow))

    def ask_userinfo(
        self,
        flow: Flow,
        method: str = "GET",
        *,
        scheme: str | None = None,
        proofs: tuple[str, ...] | None = None,
    ) -> httpx2.Response:
        """Ask with the token in the header, and with a proof where it is bound to a key (RFC 9449 §7.1)."""
        url = self.metadata["userinfo_endpoint"]
        if proofs is None:
            proofs = (self.proof(url, method, token=flow.access_token),) if self.key else ()
        scheme = scheme or flow.tokens["token_type"]
        headers = [("Authorization", f"{scheme} {flow.access_token}")]
        return self.http.request(method, url, headers=[*headers, *(("DPoP", proof) for proof in proofs)])

    def told(self, flow: Flow, answer: httpx2.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].partition(";")[0] == "application/json"
        told = dict(answer.json())
        assert told["sub"] == flow.claims["sub"]
        return told
