"""The verifiers of the drill: what services really use, each with the habit that its library's manual gives it.

Owns the list of them. Each module has one function `verifier(service)`, imported only in the process that runs it:
PyJWT and Authlib are no dependency of ours. Refuses to share a cache: how one caches is the point.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

Verify = Callable[[str], str | None]  # None: accepted; else why not, in the library's words


@dataclass(frozen=True, slots=True)
class Service:
    """Whose tokens are taken, the name one goes by, and in seconds: max-age, and how old the revocation list may be."""

    issuer: str
    audience: str
    max_age: float
    contract: float


@dataclass(frozen=True, slots=True)
class Kind:
    """One verifier: its module here, what it is called, its habit in words, and the library that it needs.

    `at_worst`: how long it may go on accepting a key that was given up, whatever one run measures.
    """

    module: str
    title: str
    habit: str
    at_worst: str
    library: str
    package: str
    follows_list: bool = False  # knows the revocation list, and so of a compromised key

    @property
    def installed(self) -> bool:
        return find_spec(self.library) is not None

    @property
    def advice(self) -> str:
        return f"not installed: pip install {self.package}"


KINDS: Final = (
    Kind(
        "guard",
        "authserver guard",
        "keys for max-age; follows the revocation list",
        "its contract",
        "authserver",
        "authserver",
        follows_list=True,
    ),
    Kind(
        "pyjwt",
        "PyJWT PyJWKClient",
        "keys for a lifespan of its own; asks on an unknown kid",
        "its lifespan (300 s, quickened here like max-age)",
        "jwt",
        "pyjwt",
    ),
    Kind(
        "max_age_joserfc",
        "joserfc",
        "keys strictly for max-age; never asks in between",
        "max-age",
        "joserfc",
        "joserfc",
    ),
    Kind(
        "max_age_authlib",
        "Authlib",
        "keys strictly for max-age; never asks in between",
        "max-age",
        "authlib",
        "authlib",
    ),
    Kind(
        "start_up",
        "joserfc, at start-up",
        "keys for ever; asks at start-up and on an unknown kid",
        "for ever, or until an unknown kid makes it ask",
        "joserfc",
        "joserfc",
    ),
)
