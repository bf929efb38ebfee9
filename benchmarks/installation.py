"""A server's data as an operator would have it: a migrated database, keys, accounts, and sessions that are open."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from authserver import schema
from authserver.accounts import store as accounts
from authserver.accounts.passwords import prepare
from authserver.accounts.store import Account
from authserver.accounts.usernames import canonical
from authserver.capabilities import Capabilities, Outside, build
from authserver.opaque import hash_secret, new_id, new_secret
from authserver.sessions import store as sessions
from authserver.sessions.store import Session
from authserver.settings import PREFIX, Settings, load

PASSWORD: Final = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Installation:
    """What a server and its visitors need: settings, names of accounts, secrets of session cookies."""

    port: int
    chosen: Mapping[str, Any]
    accounts: tuple[Account, ...]
    secrets: tuple[str, ...]

    @property
    def settings(self) -> Settings:
        return load(**self.chosen)

    @property
    def environment(self) -> dict[str, str]:
        return {f"{PREFIX}{name.upper()}": value for name, value in self.chosen.items()}

    @property
    def database(self) -> str:
        return "PostgreSQL" if self.chosen["database_url"] else "SQLite"


def install(
    folder: Path, port: int, *, people: int, database_url: str = "", outside: Outside | None = None
) -> Installation:
    """Fill an empty folder; each person has an account and one open session."""
    folder.mkdir()
    chosen: dict[str, Any] = {
        "issuer": f"http://127.0.0.1:{port}",
        "data": str(folder),
        "database_url": database_url,
        "development": "true",
        "allow_plaintext_keys": "true",
        "log_level": "WARNING",
    }
    parts = build(load(**chosen), outside)
    schema.upgrade(parts.database)
    parts.vault.check()
    parts.rotation.keep(parts.settings.signing_algorithms)
    made = parts.database.write(lambda db: _people(db, parts, people))
    parts.database.close()
    return Installation(
        port, chosen, tuple(account for account, _ in made), tuple(secret for _, secret in made)
    )


def _people(db: Connection, parts: Capabilities, count: int) -> list[tuple[Account, str]]:
    """Everybody has one password and one hash of it: making a thousand hashes would take twenty seconds."""
    password_hash = parts.hasher.hash(prepare(PASSWORD)) if count else None
    return [_person(db, parts, f"person{number:05}", password_hash) for number in range(count)]


def _person(db: Connection, parts: Capabilities, name: str, password_hash: str | None) -> tuple[Account, str]:
    now, secret = parts.clock.now(), new_secret()
    account = accounts.create(
        db, canonical(name), display_name=name, password_hash=password_hash, roles=("user",), now=now
    )
    session = Session(
        id=new_id(),
        account_id=account.id,
        started_at=now,
        authenticated_at=now,
        amr=("pwd",),
        last_seen_at=now,
        expires_at=parts.lifetime.expires_at(now),
        ended_at=None,
        address="127.0.0.1",
        user_agent="benchmarks",
    )
    sessions.add(db, session, hash_secret(secret))
    return account, secret
