"""The demo account of `authserver dev`: made once, its password kept beside the data it opens."""

import os
import secrets
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from authserver.accounts import store as accounts
from authserver.accounts.passwords import prepare
from authserver.accounts.usernames import canonical
from authserver.audit.store import Entry, record
from authserver.capabilities import Capabilities, build
from authserver.settings import Settings

DEMO: Final = "demo"
VARIABLE: Final = "AUTHSERVER_DEMO_PASSWORD"


def demo_account(settings: Settings, data: Path) -> str:
    """Give the demo account its password, making the account if there is none; answer the password."""
    parts = build(settings)
    password = _password(data / "demo-password")
    password_hash = parts.hasher.hash(prepare(password))
    parts.database.write(lambda db: _save(db, parts, password, password_hash))
    parts.database.close()
    return password


def _password(file: Path) -> str:
    """From the environment, else the one of the last start, else a new one."""
    known = file.read_text(encoding="utf-8") if file.is_file() else secrets.token_urlsafe(12)
    password = os.environ.get(VARIABLE) or known
    file.touch(mode=0o600)
    file.write_text(password, encoding="utf-8")
    return password


def _save(db: Connection, parts: Capabilities, password: str, password_hash: str) -> None:
    now, name = parts.clock.now(), canonical(DEMO)
    account = accounts.by_username(db, name)
    if account is None:
        made = accounts.create(
            db, name, display_name=DEMO, password_hash=password_hash, roles=("demo", "user"), now=now
        )
        record(db, Entry("account.created", now, "operator", made.id))
    elif not parts.hasher.verify(prepare(password), account.password_hash).match:
        parts.consequences.change_password(db, account, password_hash, now, "operator")
