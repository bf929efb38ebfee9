"""The server: everything is built here, once, and mounted. Read this file first.

    request ─▶ Published           public documents, from memory              (published/)
            └▶ SecurityHeaders ─▶ CrossOrigin ─▶ FastAPI ─▶ pages and JSON     (pages/)

Two tasks run beside the requests (background.py): one follows the database (a rotation or a revocation made anywhere
is known here at once, and told to every reader of the feed), one does the maintenance if this server holds the lease.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from authserver import __version__, logs
from authserver.accounts.throttling import Limits
from authserver.background import Follower, repeat
from authserver.capabilities import Capabilities, Outside, build, tokens_live
from authserver.database import DatabaseUnavailable
from authserver.keyring.live import LiveKeyring
from authserver.pages.account import AccountPage
from authserver.pages.desk import Desk
from authserver.pages.login import LoginPage
from authserver.pages.logout import LogoutPage
from authserver.pages.password import PasswordPage
from authserver.pages.refresh import RefreshEndpoint
from authserver.pages.theme import stylesheet
from authserver.pages.verify import VERIFY, VerifyEndpoint
from authserver.protocol import paths
from authserver.published.delivery import Delivery
from authserver.published.discovery import discovery_document
from authserver.published.documents import Document, Published, Source
from authserver.published.health import ALIVE, Readiness
from authserver.published.heard import HeardEndpoint
from authserver.published.jwks import jwks_document
from authserver.published.news import News
from authserver.published.revocations import RevocationFeed
from authserver.published.room import room_for_readers
from authserver.published.static import static_documents
from authserver.published.status_list import StatusLists
from authserver.resource.verifier import Verifier
from authserver.revocations.index import RevocationIndex
from authserver.revocations.live import LiveRevocations
from authserver.services.live import WRITE_EVERY, LiveServices
from authserver.sessions.current import CurrentSessions
from authserver.sessions.sign_in import SignIn
from authserver.settings import Settings, load
from authserver.status_lists.live import LiveStatusLists
from authserver.tokens.access import AccessTokens
from authserver.tokens.current import CurrentTokens
from authserver.tokens.own import OwnTokens
from authserver.web import errors
from authserver.web.answers import Answers
from authserver.web.cookies import Cookies
from authserver.web.cors import CrossOrigin
from authserver.web.csrf import Csrf
from authserver.web.headers import SecurityHeaders
from authserver.web.localization import Catalogs
from authserver.web.runner import Runner
from authserver.web.stopping import told_of_stop
from authserver.web.templating import Templates

FOLLOW_EVERY: Final = 0.5
MAINTAIN_EVERY: Final = 5.0
SIGN_STATUS_LISTS_EVERY: Final = 0.5  # beside `follow`, which must not wait for a list to be compressed
PAGES: Final = Path(str(files("authserver.pages")))

log = logs.get_logger("authserver")


class Server:
    """One server process as an ASGI application, with its parts within reach."""

    def __init__(self, settings: Settings, outside: Outside | None = None) -> None:
        self.settings = settings
        self.capabilities = build(settings, outside)
        self.keyring, self.revocations = _live(self.capabilities)
        self.revoked = RevocationIndex(self.revocations)
        self.services = LiveServices(self.capabilities.database, self.capabilities.clock)
        self.runner = Runner(
            self.capabilities.database, hash_threads=settings.hash_threads, hash_queue=settings.hash_queue
        )
        self.tokens = _access_tokens(settings, self.keyring)
        self.status_lists = _status_lists(self.capabilities, self.keyring) if settings.status_list else None
        self._theme = stylesheet(settings.accent_color).encode()
        self.news = News()
        self.feed = self._delivery()
        self.api = self._application()
        self._entry = self._published()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.api(scope, receive, send)
        else:
            await self._entry(scope, receive, send)

    def start(self) -> None:
        """Check the keys, give the keyring what it lacks, and load it.

        :raises KeyFolderUnsafe: with what to do.
        :raises PrivateKeyMissing: as above.
        :raises DatabaseUnavailable: the server can start all the same and will answer 503.
        """
        self.capabilities.vault.check()
        self.capabilities.rotation.keep(self.settings.signing_algorithms)
        self.follow()
        self.sign_status_lists()

    def follow(self) -> None:
        """Look once for what changed in the database."""
        self.keyring.refresh()
        self.revocations.refresh()
        self.revoked.current()  # off the event loop: at the start a long list is long work

    def sign_status_lists(self) -> None:
        """Sign the status lists that have changed, and those that would grow old."""
        if self.status_lists is not None:
            self.status_lists.refresh()

    def maintain(self) -> None:
        """Do the recurring jobs, if it is this server's turn."""
        report = self.capabilities.maintenance.run_if_mine()
        if report is not None and report.keys_changed:
            log.info("keys changed", keys=list(report.keys_changed))

    @asynccontextmanager
    async def lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        try:
            await asyncio.to_thread(self.start)
        except DatabaseUnavailable as error:
            log.warning("started without the database", cause=str(error))
        follower = Follower(self.capabilities.database, self.follow, self.feed.tell_news, every=FOLLOW_EVERY)
        tasks = [
            asyncio.create_task(follower.run()),
            asyncio.create_task(repeat(self.maintain, MAINTAIN_EVERY)),
            asyncio.create_task(repeat(self.services.write_heard, WRITE_EVERY)),
        ]
        if self.status_lists is not None:
            tasks.append(asyncio.create_task(repeat(self.sign_status_lists, SIGN_STATUS_LISTS_EVERY)))
        with told_of_stop(self.news.end):
            yield
        self.news.end()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        with suppress(DatabaseUnavailable):
            self.services.write_heard()
            self.capabilities.maintenance.release()
        self.runner.close()
        self.capabilities.database.close()

    def _application(self) -> FastAPI:
        settings = self.settings
        app = FastAPI(
            title=settings.product_name,
            version=__version__,
            lifespan=self.lifespan,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            telemetry=None,
        )
        answers = _answers(settings, self._theme)
        self._mount_pages(app, answers)
        errors.mount(app, answers)
        return app

    def _mount_pages(self, app: FastAPI, answers: Answers) -> None:
        settings, parts = self.settings, self.capabilities
        desk = Desk(
            answers=answers,
            cookies=Cookies(settings),
            csrf=Csrf(settings.issuer, settings.allowed_origins),
            runner=self.runner,
            clock=parts.clock,
            current=CurrentSessions(parts.lifetime, parts.clock, parts.status_indexes),
            tokens=self.tokens,
            issuer=settings.issuer,
            product_name=settings.product_name,
        )
        sign_in = SignIn(
            parts.hasher, Limits(), parts.lifetime, parts.sign_out, parts.clock, parts.status_indexes
        )
        origins = frozenset({settings.issuer, *settings.allowed_origins})
        own_tokens = OwnTokens(self.keyring, Verifier(settings.issuer, settings.token_audience), parts.clock)
        for page in (
            LoginPage(desk, sign_in, origins),
            LogoutPage(desk, parts.sign_out, own_tokens),
            RefreshEndpoint(desk),
            AccountPage(desk, parts.sign_out),
            PasswordPage(desk, sign_in, parts.consequences, parts.hasher, parts.password_rules),
        ):
            app.include_router(page.router)

    def _delivery(self) -> Delivery:
        algorithm = self.settings.signing_algorithms[0]
        feed = RevocationFeed(self.settings.issuer, algorithm, self.keyring, self.revocations)
        return Delivery(feed, self.revocations, self.news, most=room_for_readers())

    def _current_tokens(self) -> CurrentTokens:
        return CurrentTokens(self.keyring, self.revoked, self.settings.issuer, self.capabilities.clock)

    def _published(self) -> Published:
        settings = self.settings
        algorithm = settings.signing_algorithms[0]
        discovery = discovery_document(
            settings.issuer,
            settings.signing_algorithms,
            settings.jwks_max_age,
            status_lists=settings.status_list,
        )
        documents: dict[str, Document | Source] = {
            paths.OPENID_CONFIGURATION: discovery,
            paths.AUTHORIZATION_SERVER: discovery,
            "/livez": ALIVE,
            "/readyz": Readiness(self.keyring, algorithm),
            **static_documents(PAGES / "static", theme=self._theme),
            **(self.status_lists.sources() if self.status_lists else {}),
        }
        inner = SecurityHeaders(
            CrossOrigin(self.api, settings.allowed_origins),
            issuer=settings.issuer,
            allowed_origins=settings.allowed_origins,
            logo_url=settings.logo_url,
        )
        apps: dict[str, ASGIApp] = {
            paths.REVOCATIONS: self.feed.document,
            paths.REVOCATION_STREAM: self.feed.stream,
            paths.HEARD: HeardEndpoint(self.services),
            VERIFY: VerifyEndpoint(settings, self._current_tokens()),
        }
        published = Published(inner, documents, apps)
        self.keyring.on_change(
            lambda snapshot: published.put(paths.JWKS, jwks_document(snapshot, settings.jwks_max_age))
        )
        return published


def create_app(settings: Settings, outside: Outside | None = None) -> Server:
    """Build a server from settings that were read already."""
    return Server(settings, outside)


def serve() -> Server:
    """Build a server from the environment: what each worker process calls."""
    settings = load()
    logs.configure(settings.log_format, settings.log_level)
    return create_app(settings)


def _live(parts: Capabilities) -> tuple[LiveKeyring, LiveRevocations]:
    keyring = LiveKeyring(parts.database, parts.vault, parts.clock, parts.settings.clock_skew)
    return keyring, LiveRevocations(parts.database, parts.clock)


def _access_tokens(settings: Settings, keyring: LiveKeyring) -> AccessTokens:
    return AccessTokens(
        keyring,
        issuer=settings.issuer,
        audience=settings.token_audience,
        lifetime=settings.access_token_lifetime,
        algorithm=settings.signing_algorithms[0],
        status_lists=settings.status_list,
    )


def _status_lists(parts: Capabilities, keyring: LiveKeyring) -> StatusLists:
    settings = parts.settings
    return StatusLists(
        settings.issuer,
        settings.signing_algorithms[0],
        keyring,
        LiveStatusLists(parts.database, parts.clock),
        ttl=settings.status_list_ttl,
        good_for=tokens_live(settings),
    )


def _answers(settings: Settings, theme: bytes) -> Answers:
    catalogs = Catalogs.load(PAGES / "locale")
    templates = Templates(
        PAGES / "templates",
        catalogs,
        product_name=settings.product_name,
        logo_url=settings.logo_url or None,
        static="/static",
        version=f"{__version__}-{hashlib.sha256(theme).hexdigest()[:8]}",
    )
    return Answers(templates, catalogs)
