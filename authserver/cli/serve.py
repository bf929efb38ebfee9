"""`authserver serve`: the login service for real. It starts only when nothing about it is weak or half done."""

import errno
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from authserver.cli.answers import Refused
from authserver.settings import PREFIX, SettingsError, exposed, load, missing_for_service, provenance

if TYPE_CHECKING:
    from authserver.settings import Settings

    Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]

WHY_NOT: Final = {
    errno.EADDRINUSE: "is in use: end what listens there, or choose another with --port",
    errno.EACCES: "may not be used by this user: choose one above 1023 with --port, behind the TLS proxy",
}


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; put a TLS proxy in front.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on.")] = 8000,
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
    chosen = {"data": data} if data else {}
    settings = load(config, **chosen)
    if problems := [*missing_for_service(settings), *exposed(provenance(config, **chosen))]:
        raise SettingsError(problems)
    _refuse_taken_port(host, port)
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


def _refuse_taken_port(host: str, port: int) -> None:
    """Find out before the workers do, who would only die one after another.

    A name may have addresses that this machine cannot use, such as ::1 without IPv6: one that can be is enough.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise Refused(f"--host {host} cannot be used: {error.strerror}") from None
    failures = [failure for one in addresses if (failure := _why_not_bound(one))]
    decisive = [failure for failure in failures if failure.errno in WHY_NOT]
    if decisive or len(failures) == len(addresses):
        [first, *_] = decisive or failures
        why = WHY_NOT.get(first.errno or 0, f"cannot be used: {first.strerror}")
        raise Refused(f"port {port} of {host} {why}")


def _why_not_bound(address: "Address") -> OSError | None:
    family, kind, protocol, _, place = address
    try:
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(place)
    except OSError as error:
        return error
    return None


def _run(host: str, port: int, workers: int, forwarded_allow_ips: str) -> None:
    import uvicorn  # noqa: PLC0415 - as above

    uvicorn.run(
        "authserver.app:serve",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        forwarded_allow_ips=forwarded_allow_ips,
        http="authserver.web.connection:Connection",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=8,
    )
