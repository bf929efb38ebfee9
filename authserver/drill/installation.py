"""A throw-away installation: its folder, its settings, its first keys. Whatever the environment says is not heard.

A setting of the environment (`AUTHSERVER_DATABASE_URL`, say) could lead a drill to a database in production: in this
process the settings are only what is said here, and the processes that it starts get an environment without them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from pydantic_settings import BaseSettings
from pydantic_settings import PydanticBaseSettingsSource as Source

from authserver import schema
from authserver.capabilities import Capabilities, build
from authserver.database import Database
from authserver.drill.loopback import HOST, free_port
from authserver.keyring import store
from authserver.keyring.states import Ring, Timing
from authserver.settings import PREFIX, Settings

ALGORITHM: Final = "RS256"


class OnlyWhatIsSaid(Settings):
    """The settings and their rules, without environment and files."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - signature of pydantic-settings
        init_settings: Source,
        env_settings: Source,  # noqa: ARG003 - as above
        dotenv_settings: Source,  # noqa: ARG003 - as above
        file_secret_settings: Source,  # noqa: ARG003 - as above
    ) -> tuple[Source, ...]:
        return (init_settings,)


@dataclass(frozen=True, slots=True)
class Installation:
    """Where it lies, where it listens, and its capabilities for whoever looks in from outside."""

    folder: Path
    port: int
    parts: Capabilities

    @property
    def issuer(self) -> str:
        return self.parts.settings.issuer

    def ring(self) -> Ring:
        """The keys of the moment, with all that ever were."""
        return self.parts.database.read(lambda db: store.ring(db, ALGORITHM, ended=True))


@contextmanager
def installation(timing: Timing) -> Iterator[Installation]:
    """Make one with an empty database; nothing is left of it after the block."""
    with TemporaryDirectory(prefix="authserver-drill-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        settings = settings_for(folder, port, timing)
        database = Database(settings.database_address)
        schema.upgrade(database)
        database.close()
        parts = build(settings)
        try:
            yield Installation(folder, port, parts)
        finally:
            parts.database.close()


def settings_for(folder: Path, port: int, timing: Timing) -> Settings:
    """The settings of `authserver dev`, with the drill's lengths of time; the rules hold."""
    return OnlyWhatIsSaid(
        issuer=f"http://{HOST}:{port}",
        data=folder,
        development=True,
        allow_plaintext_keys=True,
        **lengths(timing),
    )


def lengths(timing: Timing) -> dict[str, Any]:
    """The plan's lengths of time under their settings' names."""
    return {
        "jwks_max_age": timing.jwks_max_age,
        "clock_skew": timing.clock_skew,
        "access_token_lifetime": timing.longest_token_lifetime,
        "rotation_period": timing.rotation_period,
    }


def environment_for(timing: Timing, surrounding: Mapping[str, str], **more: str) -> dict[str, str]:
    """The environment of what is started: without settings of whoever runs the drill, and without proxies."""
    kept = {name: value for name, value in surrounding.items() if not _is_foreign(name)}
    chosen = {name: str(int(length.total_seconds())) for name, length in lengths(timing).items()} | more
    return kept | {PREFIX + name.upper(): value for name, value in chosen.items()}


def _is_foreign(name: str) -> bool:
    return name.upper().startswith(PREFIX) or name.lower().endswith("_proxy")
