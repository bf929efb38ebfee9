"""How an account looks to a person and to a program, and how it is found by its name."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from authserver.accounts import store
from authserver.accounts.store import Account
from authserver.accounts.usernames import Username
from authserver.cli.answers import Answer, Refused
from authserver.cli.times import when


def found(db: Connection, username: Username) -> Account:
    """Answer the account of this name.

    :raises Refused: there is none.
    """
    account = store.by_username(db, username)
    if account is None:
        raise Refused(f"there is no account {username}: `authserver account list` shows them")
    return account


def held(db: Connection, username: Username) -> Account:
    """Answer the account of this name, and hold it until the transaction ends.

    :raises Refused: there is none.
    """
    account = store.locked(db, found(db, username).id)
    if account is None:
        raise Refused(f"the account {username} was deleted meanwhile")
    return account


def describe(account: Account) -> dict[str, Any]:
    """Name what may be shown, one by one: a column added later is not shown by accident."""
    return {
        "id": account.id,
        "username": account.username,
        "display_name": account.display_name,
        "roles": list(account.roles),
        "created_at": account.created_at,
        "password_changed_at": account.password_changed_at,
        "disabled_at": account.disabled_at,
        "tokens_not_before": account.tokens_not_before,
    }


def told(account: Account, words: str) -> Answer:
    return Answer({"account": describe(account), "message": words}, [words])


def state(account: Account) -> str:
    return "disabled" if account.disabled_at else "active"


def text(value: Any, now: datetime) -> str:
    if isinstance(value, datetime):
        return when(value, now)
    return ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)
