"""Every statement of the table of consents."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select

from authserver.consents.models import consent
from authserver.database import upsert


@dataclass(frozen=True, slots=True)
class Consent:
    """What an account has allowed a client."""

    client_id: str
    scopes: frozenset[str]
    given_at: datetime


_SCOPES: Final = select(consent.c.scopes).where(
    consent.c.account_id == bindparam("account"), consent.c.client_id == bindparam("client")
)


def scopes(db: Connection, account_id: str, client_id: str) -> frozenset[str]:
    """Answer what an account has allowed a client: nothing, if it was never asked."""
    found = db.execute(_SCOPES, {"account": account_id, "client": client_id}).scalar_one_or_none()
    return frozenset(found or ())


def give(db: Connection, account_id: str, client_id: str, allowed: Iterable[str], *, now: datetime) -> None:
    """Remember these scopes, together with those that were allowed before."""
    together = sorted(scopes(db, account_id, client_id) | set(allowed))
    row = {"account_id": account_id, "client_id": client_id, "scopes": together, "given_at": now}
    statement = upsert(db.dialect.name, consent).values(row)
    key, changes = [consent.c.account_id, consent.c.client_id], {"scopes": together, "given_at": now}
    db.execute(statement.on_conflict_do_update(index_elements=key, set_=changes))


def take_back(db: Connection, account_id: str, client_id: str) -> bool:
    """Forget a consent; answer whether there was one."""
    at = consent.c.account_id == account_id, consent.c.client_id == client_id
    return db.execute(delete(consent).where(*at)).rowcount > 0


def of_account(db: Connection, account_id: str) -> list[Consent]:
    """Answer what an account has allowed, the latest first."""
    query = select(consent.c.client_id, consent.c.scopes, consent.c.given_at)
    query = query.where(consent.c.account_id == account_id).order_by(consent.c.given_at.desc()).limit(1000)
    return [Consent(client_id, frozenset(found), at) for client_id, found, at in db.execute(query)]
