"""`authserver serve`: the login service for real. It starts only when nothing about it is weak or half done."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from authserver.settings import PREFIX, SettingsError, load, missing_for_service

if TYPE_CHECKING:
    from authserver.settings import Settings


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; put a TLS proxy in front.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes.")] = 1,
    migrate: Annotated[bool, typer.Option("--migrate", help="Upgrade the database first.")] = False,
    forwarded_allow_ips: Annotated[
        str, typer.Option(help="Proxies whose X-Forwarded-For and -Proto are believed.")
    ] = "127.0.0.1",
    data: Annotated[Path | None, typer.Option(help="Folder of the embedded database and of keys/.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings in TOML.")] = None,
) -> None:
    """Run the login service. Refuses missing secrets, an http issuer, an old database, readable keys.

    Example: authserver serve --host 0.0.0.0 --workers 2 --forwarded-allow-ips 10.0.0.5
    """
    _hand_on(data, config)
    settings = load(config, **({"data": data} if data else {}))
    if problems := missing_for_service(settings):
        raise SettingsError(problems)
    _check(settings, migrate=migrate)
    _run(host, port, workers, forwarded_allow_ips)


def _hand_on(data: Path | None, config: Path | None) -> None:
    """Worker processes read the settings themselves; what the command line said reaches them like this."""
    for name, value in (("DATA", data), ("CONFIG", config)):
        if value is not None:
            os.environ[PREFIX + name] = str(value)


def _check(settings: "Settings", *, migrate: bool) -> None:
    """Refuse to start on a database or keys that would fail each request."""
    from authserver import schema  # noqa: PLC0415 - the command line loads what a command needs
    from authserver.capabilities import build  # noqa: PLC0415 - as above
    from authserver.keyring.live import LiveKeyring  # noqa: PLC0415 - as above

    parts = build(settings)
    if migrate:
        schema.upgrade(parts.database)
    found = schema.revisions(parts.database)
    if not found.up_to_date:
        raise SettingsError(
            [
                f"database: at revision {found.current or 'none'}, needs {found.wanted}; run `authserver db upgrade`"
            ]
        )
    parts.vault.check()
    parts.rotation.keep(settings.signing_algorithms)
    LiveKeyring(parts.database, parts.vault, parts.clock, settings.clock_skew).refresh()
    parts.database.close()


def _run(host: str, port: int, workers: int, forwarded_allow_ips: str) -> None:
    import uvicorn  # noqa: PLC0415 - as above

    uvicorn.run(
        "authserver.app:serve",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        forwarded_allow_ips=forwarded_allow_ips,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=8,
    )
