"""The one place that decides the next page: every row of it, without a server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authserver.accounts.store import Account
from authserver.accounts.usernames import canonical
from authserver.authorizations.next_step import Asked, Step, next_step
from authserver.sessions.current import Current
from authserver.sessions.store import Session

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=3)
SCOPE = frozenset({"openid", "profile"})
ALL, NONE = SCOPE, frozenset[str]()
ALICE = Account("0123456789abcdefghijkl", canonical("alice"), "Alice", None, (), LONG_AGO, None, None, None)


def who(authenticated_at: datetime = LONG_AGO) -> Current:
    over = NOW + timedelta(hours=8)
    session = Session("s", ALICE.id, LONG_AGO, authenticated_at, ("pwd",), NOW, over, None, None, None)
    return Current(session, ALICE, NOW)


def asked(prompt: str = "", **more: Any) -> Asked:
    usual: dict[str, Any] = {"at": None, "scope": SCOPE, "prompt": frozenset(prompt.split())}
    return Asked(**{**usual, **more})


@pytest.mark.parametrize(
    ("wanted", "somebody", "consented", "step"),
    [
        (asked(), None, NONE, Step.SIGN_IN),
        (asked("none"), None, NONE, Step.LOGIN_REQUIRED),
        (asked("consent"), None, ALL, Step.SIGN_IN),
        (asked(), who(), ALL, Step.PROCEED),
        (asked(), who(), NONE, Step.ASK),
        (asked(), who(), frozenset({"openid"}), Step.ASK),
        (asked("none"), who(), ALL, Step.PROCEED),
        (asked("none"), who(), NONE, Step.CONSENT_REQUIRED),
        (asked(first_party=True), who(), NONE, Step.PROCEED),
        (asked("consent", first_party=True), who(), ALL, Step.ASK),
        (asked("consent"), who(), ALL, Step.ASK),
        (asked("consent", allowed=True), who(), NONE, Step.PROCEED),
        (asked(allowed=False), who(), ALL, Step.ACCESS_DENIED),
        (asked("login"), who(), ALL, Step.SIGN_IN),
        (asked("select_account"), who(), ALL, Step.SIGN_IN),
        (asked("login"), who(NOW), ALL, Step.SIGN_IN),
        (asked("login", at=NOW), who(NOW), ALL, Step.PROCEED),
        (asked("login", at=NOW), who(NOW - timedelta(microseconds=1)), ALL, Step.SIGN_IN),
        (asked("login", at=LONG_AGO), who(NOW), ALL, Step.PROCEED),
        (asked("login consent", at=LONG_AGO), who(NOW), ALL, Step.ASK),
        (asked(max_age=timedelta(hours=3)), who(), ALL, Step.PROCEED),
        (asked(max_age=timedelta(hours=2)), who(), ALL, Step.SIGN_IN),
        (asked("none", max_age=timedelta(hours=2)), who(), ALL, Step.LOGIN_REQUIRED),
        (asked(max_age=timedelta(0), at=LONG_AGO), who(LONG_AGO), ALL, Step.PROCEED),
        (asked(subject="other"), who(), ALL, Step.SIGN_IN),
        (asked("none", subject="other"), who(), ALL, Step.LOGIN_REQUIRED),
        (asked(subject="other", at=LONG_AGO), who(NOW), ALL, Step.LOGIN_REQUIRED),
        (asked(subject=ALICE.id), who(), ALL, Step.PROCEED),
    ],
)
def test_the_next_step_is_what_the_table_says(
    wanted: Asked, somebody: Current | None, consented: frozenset[str], step: Step
) -> None:
    assert next_step(wanted, somebody, consented) is step


@pytest.mark.parametrize("prompt", ["", "login", "select_account", "consent", "login consent"])
def test_whoever_does_what_is_asked_comes_to_an_end(prompt: str) -> None:
    """No loop: after a sign-in for it a request never asks for another."""
    for max_age in (None, timedelta(0), timedelta(hours=1)):
        for subject in (None, ALICE.id, "other"):
            more = {"max_age": max_age, "subject": subject, "at": LONG_AGO}
            ends = (Step.LOGIN_REQUIRED,) if subject == "other" else (Step.ASK, Step.PROCEED)
            assert next_step(asked(prompt, **more), who(NOW), NONE) in ends
            assert next_step(asked(prompt, allowed=True, **more), who(NOW), NONE) is ends[-1]
