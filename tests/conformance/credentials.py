"""The three ways in which the modules' clients prove who they are: a header, a form, an assertion that they signed."""

import itertools
from dataclasses import dataclass
from typing import Any, Protocol

from joserfc.jwk import ECKey, RSAKey

from tests.clocks import HandClock
from tests.resource import forge

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_numbers = itertools.count(1)


class Credentials(Protocol):
    """What is put into a request: form fields, and a user and password for `Basic`."""

    def fields(self) -> dict[str, str]: ...

    def basic(self) -> tuple[str, str] | None: ...


@dataclass(frozen=True)
class ByHeader:
    """client_secret_basic."""

    client_id: str
    secret: str

    def fields(self) -> dict[str, str]:
        return {}

    def basic(self) -> tuple[str, str]:
        return self.client_id, self.secret


@dataclass(frozen=True)
class ByForm:
    """client_secret_post."""

    client_id: str
    secret: str

    def fields(self) -> dict[str, str]:
        return {"client_id": self.client_id, "client_secret": self.secret}

    def basic(self) -> None:
        return None


@dataclass(frozen=True)
class ByAssertion:
    """private_key_jwt. Claims and header can be replaced; one that is given as None is left out."""

    client_id: str
    key: ECKey | RSAKey
    alg: str
    audience: str
    clock: HandClock

    def fields(self) -> dict[str, str]:
        return sent(self.assertion())

    def basic(self) -> None:
        return None

    def assertion(self, head: dict[str, Any] | None = None, alg: str | None = None, **claims: Any) -> str:
        now = int(self.clock.now().timestamp())
        usual = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "iat": now,
            "exp": now + 60,
            "jti": f"assertion-{next(_numbers)}",
        }
        chosen = {name: value for name, value in (usual | claims).items() if value is not None}
        header = {"alg": self.alg, "kid": self.key.kid, "typ": "JWT", **(head or {})}
        return forge.sign(header, chosen, self.key, alg=alg or self.alg)


def sent(assertion: str) -> dict[str, str]:
    return {"client_assertion": assertion, "client_assertion_type": ASSERTION_TYPE}
