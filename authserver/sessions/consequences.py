"""What a change of an account does to its sessions and tokens; each in the change's own transaction (PRODUCT §4).

Every trigger is here, so that none is forgotten: disabled, password changed, roles changed, signed out by the
operator.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from authserver.accounts import devices
from authserver.accounts import store as accounts
from authserver.accounts.store import Account
from authserver.audit.store import Actor, Entry, record
from authserver.sessions.sign_out import SignOut


class Consequences:
    """Changes accounts, and ends what the change must end."""

    def __init__(self, sign_out: SignOut) -> None:
        self._sign_out = sign_out

    def disable(self, db: Connection, account: Account, now: datetime) -> None:
        accounts.change(db, account.id, disabled_at=now)
        self._sign_out.everywhere(db, account.id, now=now, why="account.disabled", by="operator")

    def enable(self, db: Connection, account: Account, now: datetime) -> None:
        accounts.change(db, account.id, disabled_at=None)
        record(db, Entry("account.enabled", now, "operator", account.id))

    def change_password(
        self, db: Connection, account: Account, password_hash: str, now: datetime, by: Actor
    ) -> None:
        """Whoever knew the old password, or sits at a device that did, is out."""
        accounts.change(db, account.id, password_hash=password_hash, password_changed_at=now)
        devices.forget_all(db, account.id)
        self._sign_out.everywhere(db, account.id, now=now, why="account.password_changed", by=by)

    def set_roles(self, db: Connection, account: Account, roles: Iterable[str], now: datetime) -> None:
        """Tokens that still carry a role that was taken away end now; the sessions stay and get new tokens."""
        wanted = tuple(sorted(set(roles)))
        held = accounts.locked(db, account.id) or account
        removed = sorted(set(held.roles) - set(wanted))
        accounts.change(db, account.id, roles=list(wanted))
        if removed:
            self._sign_out.cut_off_tokens(db, account.id, now=now)
        detail = {"roles": list(wanted), "removed": removed}
        record(db, Entry("account.roles_changed", now, "operator", account.id, detail=detail))

    def sign_out(self, db: Connection, account: Account, now: datetime) -> list[str]:
        return self._sign_out.everywhere(db, account.id, now=now, why="account.signed_out", by="operator")
