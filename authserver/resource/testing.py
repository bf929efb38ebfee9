"""A small issuer for the tests of a resource service: tokens, keys and logouts, without a network.

    with guard.testing() as issuer:
        client.get("/me", headers=issuer.bearer(sub="alice", scope="orders:write"))

Never trust it outside of tests: it signs whatever it is asked to.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from secrets import token_urlsafe
from time import time
from typing import Any, Final
from urllib.parse import parse_qsl

from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import serialize_compact

from authserver.protocol import media, paths
from authserver.protocol.revocation import EVENT, Kind
from authserver.resource.http import Fetched

_NOT_FOUND: Final = Fetched(404, b"")


class LocalIssuer:
    """Signs with `key`, or with a P-256 key made when the first token is (an RSA key takes a tenth of a second)."""

    def __init__(
        self,
        url: str = "https://login.test",
        *,
        audience: str = "https://api.test",
        key: RSAKey | ECKey | None = None,
        clock: Callable[[], float] = time,
    ) -> None:
        self.url = url
        self.audience = audience
        self._given_key = key
        self._clock = clock
        self._entries: list[dict[str, Any]] = []
        self._marks = [token_urlsafe(8)]

    def token(self, sub: str = "alice", *, lifetime: float = 3_600, **claims: Any) -> str:
        """An access token (RFC 9068) with `claims` added or put in place of the usual ones."""
        now = int(self._clock())
        usual = {
            "iss": self.url,
            "aud": self.audience,
            "sub": sub,
            "client_id": "test-client",
            "iat": now,
            "exp": now + int(lifetime),
            "jti": token_urlsafe(12),
        }
        return self.sign(usual | claims, typ=media.ACCESS_TOKEN_TYP)

    def bearer(self, sub: str = "alice", *, lifetime: float = 3_600, **claims: Any) -> dict[str, str]:
        """The request header with such a token."""
        return {"Authorization": f"Bearer {self.token(sub, lifetime=lifetime, **claims)}"}

    def revoke(self, kind: Kind | str, value: str, *, before: int | None = None) -> None:
        """Add a revocation; the guard knows it at its next poll. `before` stands on "sub" and "client_id"."""
        entry = {
            "seq": len(self._entries) + 1,
            "kind": str(kind),
            "value": value,
            "exp": int(self._clock()) + 86_400,
        }
        self._entries.append(entry if before is None else entry | {"before": before})
        self._marks.append(token_urlsafe(8))

    def fetch(self, url: str, _etag: str | None) -> Fetched:
        """What the issuer would answer, for `Guard(fetch=…)`."""
        path, _, query = url.removeprefix(self.url.rstrip("/")).partition("?")
        if path == paths.JWKS:
            return Fetched(200, json.dumps({"keys": [self._public_jwk]}).encode(), max_age=300)
        if path == paths.REVOCATIONS:
            asked = dict(parse_qsl(query))
            since = (int(asked["since"]), asked.get("mark", "")) if "since" in asked else None
            return Fetched(200, self.revocations(since).encode())
        return _NOT_FOUND

    def revocations(self, since: tuple[int, str] | None = None) -> str:
        """The feed's answer to a reader who stands at `since`, a sequence and its mark; None: to a new one."""
        event: dict[str, Any] = {"sequence": len(self._entries), "mark": self._marks[-1]}
        if since is None:
            event["entries"] = self._entries
        elif since in enumerate(self._marks):
            event |= {"since": since[0], "since_mark": since[1], "entries": self._entries[since[0] :]}
        else:
            event["reset"] = {"since": since[0], "mark": since[1]}
        claims = {
            "iss": self.url,
            "iat": int(self._clock()),
            "jti": token_urlsafe(12),
            "events": {EVENT: event},
        }
        return self.sign(claims, typ=media.SECURITY_EVENT_TYP)

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """Any claims under any `typ`: for tokens that must be refused."""
        alg = str(self._public_jwk["alg"])
        header = {"alg": alg, "typ": typ, "kid": self._public_jwk["kid"]}
        return serialize_compact(header, json.dumps(claims).encode(), self._key, algorithms=[alg])

    @cached_property
    def _key(self) -> RSAKey | ECKey:
        return self._given_key or ECKey.generate_key("P-256", private=True)

    @cached_property
    def _public_jwk(self) -> dict[str, str | Sequence[str]]:
        key = self._key
        alg = key.alg or ("RS256" if isinstance(key, RSAKey) else "ES256")
        return {**key.as_dict(private=False), "kid": key.kid or key.thumbprint(), "alg": alg, "use": "sig"}
