"""A password for an account: read from standard input or made up, never an argument (any process can read those)."""

import secrets
import sys
from dataclasses import dataclass
from typing import Final

import typer

from authserver.accounts.passwords import MAXIMUM_BYTES, Password, Weakness, prepare
from authserver.accounts.usernames import Username
from authserver.cli.answers import Refused
from authserver.cli.call import Call

ALPHABET: Final = (
    "abcdefghjkmnpqrstuvwxyz23456789"  # without letters that are taken for others; 4.95 bits each
)
GROUP: Final = 5
FEWEST_GROUPS: Final = 5  # 124 bits

WEAK: Final = {
    Weakness.TOO_SHORT: "the password is too short: it needs at least {minimum} characters",
    Weakness.TOO_LONG: "the password is too long: it may have at most {maximum} characters",
    Weakness.TOO_COMMON: "the password is too easy to guess: attackers try it first; choose another one",
    Weakness.CONTAINS_NAME: "the password is mostly the user name: choose another one",
    Weakness.CONTAINS_SERVICE: "the password is mostly the name of this service: choose another one",
}


@dataclass(frozen=True, slots=True)
class NewPassword:
    """Its hash for the database; its text only where it was made up and somebody must be told."""

    hash: str
    made_up: str | None


def new_password(call: Call, username: Username, *, from_stdin: bool) -> NewPassword:
    """Read or make a password, apply the rules for it, and hash it. Slow, so never inside a transaction.

    :raises Refused: the rules forbid it.
    :raises UnacceptablePassword: nobody can have such a password.
    """
    text = _read(call) if from_stdin else make_up(call.settings.password_minimum_length)
    password = prepare(text)
    _refuse_weak(call, password, username)
    return NewPassword(call.parts.hasher.hash(password), None if from_stdin or call.dry_run else text)


def make_up(minimum: int) -> str:
    """Make a password of groups that can be read out: `k7m2q-…`."""
    groups = max(FEWEST_GROUPS, -(-(minimum + 1) // (GROUP + 1)))
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(groups))


def _refuse_weak(call: Call, password: Password, username: Username) -> None:
    rules, words = call.parts.password_rules, [call.settings.product_name]
    weakness = rules.refuse(password, username=username, context_words=words)
    if weakness is not None:
        limits = {"minimum": rules.minimum_length, "maximum": rules.maximum_length}
        raise Refused(WEAK[weakness].format(**limits))


def _read(call: Call) -> str:
    if call.at_terminal():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    raw = sys.stdin.buffer.read(MAXIMUM_BYTES + 3)
    try:
        return raw.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise Refused("the password on standard input is not valid UTF-8") from None
