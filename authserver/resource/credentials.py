"""Which token does a request bring, and may it be believed? From `Authorization: Bearer` or `DPoP`, or the token cookie.

RFC 6750 §2.1, RFC 9449 §7.1. With both, the header wins: it was put there by code, the cookie by habit. A cookie on an
unsafe request is believed only when no other site can have made the browser send it (`csrf`), a token that is bound to
a key only with a proof of that key (`possession`).
"""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from authserver.resource.cookies import read_cookie
from authserver.resource.csrf import cross_site
from authserver.resource.possession import Possession
from authserver.resource.refusal import Reason, Refusal

if TYPE_CHECKING:
    from authserver.resource.dpop import Proof

_CSRF_HEADERS: Final = ("origin", "host", "sec-fetch-site")


class RequestView(Protocol):
    """What a guard needs to see of a request."""

    @property
    def method(self) -> str: ...

    def header_values(self, name: str) -> Sequence[str]:
        """Every value of the header `name` (lower case), in order."""
        ...


@runtime_checkable
class PlacedRequest(RequestView, Protocol):
    """What a guard needs to see besides, to judge a proof of possession."""

    @property
    def path(self) -> str:
        """Of the address that the client asked for, as it was sent: percent-encoded, without the query."""
        ...

    @property
    def notes(self) -> MutableMapping[str, Any]:
        """A place for a guard's own notes that begins and ends with this request; no client can write into it."""
        ...


# A token as it was sent, unverified, and the proof that came with it; in haste.
Shown = tuple[str, "Proof | None"]


@dataclass(frozen=True, slots=True)
class PlainRequest:
    """A PlacedRequest for callers without a framework. Header names in lower case; `path` for proofs of possession."""

    method: str
    headers: Mapping[str, str]
    path: str = ""
    notes: MutableMapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def header_values(self, name: str) -> Sequence[str]:
        return (self.headers[name],) if name in self.headers else ()


@dataclass(frozen=True, slots=True)
class Credentials:
    """Finds the token: under which cookie names, and on the word of which other origins' pages."""

    token_cookies: tuple[str, ...]
    allowed_origins: frozenset[str]
    possession: Possession | None = None  # None: no token that is bound to a key is taken

    def find(self, request: RequestView) -> Shown | Refusal:
        """The token as it was sent, unverified; or why there is none to look at."""
        headers = request.header_values("authorization")
        if len(headers) > 1:  # two readers may believe two different ones
            return Refusal(Reason.MALFORMED, "more than one Authorization header")
        scheme, _, token = headers[0].partition(" ") if headers else ("", "", "")
        if (kind := scheme.lower()) == "bearer":
            if token:
                return token, None
            return Refusal(Reason.MALFORMED, "Authorization: Bearer without a token")
        return self._find_with_proof(request, token) if kind == "dpop" else self._find_in_cookies(request)

    def _find_with_proof(self, request: RequestView, token: str) -> Shown | Refusal:
        if not token:
            return Refusal(Reason.MALFORMED, "Authorization: DPoP without a token")
        if self.possession is None or not isinstance(request, PlacedRequest):
            return Refusal(Reason.BAD_PROOF, "the request's path is not known", facts={"kind": "place"})
        proof = self.possession.judge(
            request.header_values("dpop"), method=request.method, path=request.path, token=token
        )
        return proof if isinstance(proof, Refusal) else (token, proof)

    def once(self, proof: "Proof", request: RequestView) -> Refusal | None:
        """Use up a proof for this request; why not, if another one had it."""
        if self.possession is None or not isinstance(request, PlacedRequest):
            return Refusal(
                Reason.BAD_PROOF, "the request cannot be told from others", facts={"kind": "place"}
            )
        return self.possession.claim(proof, request.notes)

    def _find_in_cookies(self, request: RequestView) -> Shown | Refusal:
        headers = request.header_values("cookie")
        found = (
            read_cookie(headers, name) for name in self.token_cookies
        )  # `__Host-` first: it is harder to plant
        token = next((value for value in found if value is not None), None)
        if token is None:
            return Refusal(Reason.MISSING)
        seen = {name: ", ".join(values) for name in _CSRF_HEADERS if (values := request.header_values(name))}
        if cross_site(request.method, seen, self.allowed_origins):
            return Refusal(Reason.FORGED_REQUEST, "a cookie sent by another site's page")
        return token, None


def asks_by_proof(request: RequestView) -> bool:
    """Whether the sender knows of proofs: how to try again is said in its own words."""
    headers = request.header_values("authorization")
    return bool(headers) and headers[0].partition(" ")[0].lower() == "dpop"
