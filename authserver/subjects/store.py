"""Every statement of the table of pairwise subjects."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, select

from authserver.database import insert_missing
from authserver.opaque import new_id
from authserver.subjects.models import pairwise_subject

_SUBJECT: Final = select(pairwise_subject.c.subject).where(
    pairwise_subject.c.account_id == bindparam("account"), pairwise_subject.c.sector == bindparam("sector")
)
_ACCOUNT: Final = select(pairwise_subject.c.account_id).where(
    pairwise_subject.c.subject == bindparam("subject"), pairwise_subject.c.sector == bindparam("sector")
)
_ALL: Final = (
    select(pairwise_subject.c.subject)
    .where(pairwise_subject.c.account_id == bindparam("account"))
    .order_by(pairwise_subject.c.created_at, pairwise_subject.c.subject)
)


def subject(db: Connection, account_id: str, sector: str, *, now: datetime) -> str:
    """Answer by which name a sector knows an account; it is made up when it is first needed, and stays."""
    key = {"account": account_id, "sector": sector}
    found = db.execute(_SUBJECT, key).scalar_one_or_none()
    if found is None:
        row = {"account_id": account_id, "sector": sector, "subject": new_id(), "created_at": now}
        insert_missing(db, pairwise_subject, **row)  # another request may have been faster: its name counts
        found = db.execute(_SUBJECT, key).scalar_one()
    return str(found)


def account_id(db: Connection, unverified_subject: str, sector: str) -> str | None:
    """Answer whom a sector knows by a name; None: nobody."""
    key = {"subject": unverified_subject, "sector": sector}
    return db.execute(_ACCOUNT, key).scalar_one_or_none()


def of_account(db: Connection, account_id: str) -> list[str]:
    """Answer every name that an account has besides its own id."""
    return list(db.execute(_ALL, {"account": account_id}).scalars())
