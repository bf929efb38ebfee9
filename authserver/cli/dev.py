"""`authserver dev`: a login service to try, on this machine only, with everything it writes in one folder."""

import signal
import socket
import sys
import time
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from pydantic import TypeAdapter, ValidationError

from authserver.cli import example_apps
from authserver.cli.demo_account import DEMO, demo_account
from authserver.cli.dev_folder import FolderTaken, alone_in, configure
from authserver.cli.example_apps import EXAMPLES, Example
from authserver.settings import Settings
from authserver.settings.kinds import Origin

if TYPE_CHECKING:
    import uvicorn

HOST: Final = "127.0.0.1"
HIGHEST_PORT: Final = 65_535 - max(example.place for example in EXAMPLES)
STOPPING_TAKES: Final = 0.3
PACKAGE: Final = Path(__file__).parent.parent
BANNER: Final = """
  authserver {version} is running for development. Stop it with Ctrl-C.

    sign in           {issuer}/login
    demo account      {username}  /  {password}
    your account      {issuer}/account
    public keys       {issuer}/.well-known/jwks.json
    revocation list   {issuer}/revocations
{apps}
  In another terminal:
    {command} keys rotate --data {data}        nobody will notice
    {command} session list --data {data}
"""
APPS: Final = """
  {how_many}
{rows}
"""
THREE: Final = "Three apps. Sign in at one, and all know you; they hold no secret, only the public keys:"
HOW_MANY: Final = (
    "No app was started.",
    "One of three apps was started.",
    "Two of three apps were started.",
    THREE,
)


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the login service and the apps listen, and where it keeps its data."""

    data: Path
    port: int
    more_origins: tuple[str, ...] = ()

    @property
    def issuer(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def origins(self) -> dict[str, str]:
        """What every app is told: who listens where."""
        apps = {app.origin: f"http://{HOST}:{self.port + app.place}" for app in EXAMPLES}
        return {"LOGIN_SERVICE": self.issuer, **apps}

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """Where a sign-in may lead back to: to what people look at, so to no API."""
        return self.origins["FLASK_SITE"], self.origins["PAGE"], *self.more_origins


def dev(
    port: Annotated[
        int,
        typer.Option(
            min=1, max=HIGHEST_PORT, help="Port of the login service; the apps take the next three."
        ),
    ] = 8000,
    data: Annotated[
        Path, typer.Option(envvar="AUTHSERVER_DATA", help="Folder for everything that it writes.")
    ] = Path(".authserver"),
    apps: Annotated[
        bool, typer.Option("--apps/--no-apps", help="Start the three example apps as well.")
    ] = True,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL", help="Another app that a sign-in may lead back to; may be given several times."
        ),
    ] = None,
) -> None:
    """Run a login service with demo data and three apps on this machine, to try it.

    Example: authserver dev --port 9000 --allow-origin http://127.0.0.1:8080
    """
    demo = Demo(data, port, _origins(allow_origin or ()))
    chosen = tuple(app for app in EXAMPLES if apps and not _missing(app))
    _refuse_taken_ports(port, (0, *(app.place for app in chosen)))
    try:
        with alone_in(data, port):
            settings = configure(data, demo.issuer, demo.allowed_origins)
            _migrate(settings)
            say(demo, demo_account(settings, data), apps=apps)
            _serve(demo, settings, chosen)
    except FolderTaken as taken:
        typer.echo(
            f"Another `authserver dev` (port {taken.port}) uses {data}; stop it, or choose --data.", err=True
        )
        raise typer.Exit(1) from None


def _origins(given: Iterable[str]) -> tuple[str, ...]:
    try:
        return TypeAdapter(tuple[Origin, ...]).validate_python(tuple(given))
    except ValidationError as error:
        wrong = error.errors()[0]["input"]
        raise typer.BadParameter(
            f"{wrong!r}: write scheme, host and port alone, in lower case: http://127.0.0.1:8080",
            param_hint="--allow-origin",
        ) from None


def _missing(app: Example) -> str:
    return example_apps.missing(app, example_apps.folder(PACKAGE))


def _refuse_taken_ports(first: int, places: tuple[int, ...]) -> None:
    for place in places:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((HOST, first + place))
            except OSError:
                other = first + 1000 if first + 1000 <= HIGHEST_PORT else first - 1000
                typer.echo(
                    f"Port {first + place} is in use; choose another: authserver dev --port {other}", err=True
                )
                raise typer.Exit(1) from None


def _migrate(settings: Settings) -> None:
    from authserver import schema  # noqa: PLC0415 - the command line loads what a command needs
    from authserver.cli.db import make_private  # noqa: PLC0415 - as above
    from authserver.database import Database  # noqa: PLC0415 - as above

    make_private(settings.data / "authserver.db")
    database = Database(settings.database_address)
    schema.upgrade(database)
    database.close()


def say(demo: Demo, password: str, *, apps: bool) -> None:
    from authserver import __version__  # noqa: PLC0415 - as above

    absent = [app for app in EXAMPLES if _missing(app)]
    rows = (f"    {app.name:16}  {_missing(app) or demo.origins[app.origin] + app.opens}" for app in EXAMPLES)
    typer.echo(
        BANNER.format(
            version=__version__,
            issuer=demo.issuer,
            username=DEMO,
            password=password,
            data=demo.data,
            apps=APPS.format(how_many=HOW_MANY[len(EXAMPLES) - len(absent)], rows="\n".join(rows))
            if apps
            else "",
            command="authserver" if Path(sys.argv[0]).name == "authserver" else ".venv/bin/authserver",
        )
    )


def _serve(demo: Demo, settings: Settings, chosen: tuple[Example, ...]) -> None:
    """Serve until asked to stop, or until an app has died: half of a demonstration would only puzzle."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # else it ends us before the apps are ended
    deaths: list[str] = []
    server = _server(demo, settings)

    def stop(death: str) -> None:
        time.sleep(STOPPING_TAKES)  # Ctrl-C in a terminal reaches the apps as well as us: that is no death
        if not server.should_exit:
            deaths.append(death)
            signal.raise_signal(signal.SIGTERM)

    folder = example_apps.folder(PACKAGE)
    try:
        with example_apps.running(folder, chosen, demo.origins, stop) if chosen else nullcontext():
            server.run()
    except KeyboardInterrupt:  # uvicorn raises the signal again when it has served the last request
        pass
    for death in deaths:
        typer.echo(f"{death} Everything else was stopped too.", err=True)
    if deaths or not server.started:
        raise typer.Exit(1)


def _server(demo: Demo, settings: Settings) -> "uvicorn.Server":
    import uvicorn  # noqa: PLC0415 - as above

    from authserver import logs  # noqa: PLC0415 - as above
    from authserver.app import create_app  # noqa: PLC0415 - as above

    logs.configure(settings.log_format, settings.log_level)
    return uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=HOST,
            port=demo.port,
            http="authserver.web.connection:Connection",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
    )
