"""What comes next for somebody whose browser brought an authorization request: the one place that decides it.

Pure. OpenID Connect Core §3.1.2.3 (`prompt`, `max_age`), §3.1.2.6 (errors), §11 (`offline_access` needs consent).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from authserver.sessions.current import Current

NONE: Final = "none"
LOGIN: Final = frozenset({"login", "select_account"})
CONSENT: Final = "consent"


class Step(Enum):
    """What to do with a request. The refusals carry their error code (OIDC Core §3.1.2.6)."""

    PROCEED = "proceed"
    SIGN_IN = "sign_in"
    ASK = "ask"  # for consent
    LOGIN_REQUIRED = "login_required"
    CONSENT_REQUIRED = "consent_required"
    ACCESS_DENIED = "access_denied"


@dataclass(frozen=True, slots=True)
class Asked:
    """Of a request what decides about the next page."""

    at: datetime | None  # when it was stored; None: it came just now, and no sign-in answers it yet
    scope: frozenset[str]
    prompt: frozenset[str] = frozenset()
    max_age: timedelta | None = None
    subject: str | None = None  # whose account `id_token_hint` or `claims` names: nobody else will do
    first_party: bool = False
    allowed: bool | None = None  # what the person of this very session said to this very request


def next_step(asked: Asked, who: Current | None, consented: frozenset[str]) -> Step:
    """Name the next step. `consented`: the scopes that this account has allowed this client before."""
    silent = NONE in asked.prompt
    if asked.allowed is False:
        return Step.ACCESS_DENIED
    if who is None or not _is_recent(asked, who):
        return Step.LOGIN_REQUIRED if silent else Step.SIGN_IN
    if asked.subject not in (None, who.account.id):
        return Step.LOGIN_REQUIRED if silent or _came_for_this(asked, who) else Step.SIGN_IN
    if _needs_consent(asked, consented):
        return Step.CONSENT_REQUIRED if silent else Step.ASK
    return Step.PROCEED


def _is_recent(asked: Asked, who: Current) -> bool:
    """Whether this sign-in is recent enough; one that the request itself led to always is."""
    if _came_for_this(asked, who):
        return True
    if asked.prompt & LOGIN:
        return False
    return asked.max_age is None or who.at - who.session.authenticated_at <= asked.max_age


def _came_for_this(asked: Asked, who: Current) -> bool:
    """Whether somebody signed in after the request had come."""
    return asked.at is not None and who.session.authenticated_at >= asked.at


def _needs_consent(asked: Asked, consented: frozenset[str]) -> bool:
    if asked.allowed is not None:
        return False
    if CONSENT in asked.prompt:
        return True
    return not asked.first_party and not asked.scope <= consented
