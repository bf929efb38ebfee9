"""The whole schema, and the way to it: importing this module fills the one `metadata`.

Migrations lie in `migrations/` of the repository and, in an installed wheel, in `authserver/_migrations`. They import
nothing from this package (an import path in a migration can never change again).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from authserver.accounts import models as accounts
from authserver.audit import models as audit
from authserver.authorizations import models as authorizations
from authserver.clients import models as clients
from authserver.clients.invited import models as invited
from authserver.consents import models as consents
from authserver.database import Database, metadata
from authserver.deliveries import models as deliveries
from authserver.devices import models as devices
from authserver.keyring import models as keyring
from authserver.leases import models as leases
from authserver.replays import models as replays
from authserver.revocations import models as revocations
from authserver.services import models as services
from authserver.sessions import models as sessions
from authserver.status_lists import models as status_lists
from authserver.subjects import models as subjects

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = [
    "accounts",
    "audit",
    "authorizations",
    "clients",
    "consents",
    "deliveries",
    "devices",
    "invited",
    "keyring",
    "leases",
    "metadata",
    "replays",
    "revocations",
    "services",
    "sessions",
    "status_lists",
    "subjects",
]


@dataclass(frozen=True, slots=True)
class Revisions:
    """Where the database stands and where this release wants it. None: an empty database."""

    current: str | None
    wanted: str

    @property
    def up_to_date(self) -> bool:
        return self.current == self.wanted


def revisions(database: Database) -> Revisions:
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - 80 ms that a server's worker need not spend

    head = ScriptDirectory.from_config(_config()).get_current_head()
    return Revisions(database.read(_current), str(head))


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the database to a revision. Several at once take turns; the late ones find nothing to do."""
    from alembic import command  # noqa: PLC0415 - as above

    def step(db: Connection) -> None:
        if not database.embedded:
            db.execute(text("SELECT pg_advisory_xact_lock(7274650)"))
        command.upgrade(_config(db), revision)

    database.write(step)


def downgrade(database: Database, revision: str) -> None:
    from alembic import command  # noqa: PLC0415 - as above

    database.write(lambda db: command.downgrade(_config(db), revision))


def _current(db: Connection) -> str | None:
    if not inspect(db).has_table("alembic_version"):
        return None
    return db.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _folder() -> Path:
    inside = Path(__file__).parent / "_migrations"
    return inside if (inside / "env.py").is_file() else Path(__file__).parent.parent / "migrations"
