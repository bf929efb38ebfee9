"""The server: everything is built here, once, and mounted. Read this file first, then surfaces.py.

    request ─▶ Published           public documents, from memory              (published/)
            └▶ SecurityHeaders ─▶ CrossOrigin ─▶ FastAPI ─▶ pages and JSON     (pages/)

Three tasks run beside the requests: one follows the database (a rotation or a revocation made anywhere is known here at
once, and told to every reader of the feed), one tells apps of logouts (deliveries/), one does the maintenance if this
server holds the lease.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from secrets import SystemRandom
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from authserver import __version__, logs, surfaces
from authserver.background import Follower, repeat
from authserver.capabilities import Capabilities, Outside, build
from authserver.database import DatabaseUnavailable
from authserver.deliveries.dispatch import Dispatch
from authserver.deliveries.sender import Sender
from authserver.live import Live
from authserver.oauth.programs import Programs
from authserver.published.delivery import Delivery
from authserver.published.news import News
from authserver.published.revocations import RevocationFeed
from authserver.published.room import room_for_readers
from authserver.services.live import WRITE_EVERY
from authserver.settings import Settings, load
from authserver.tokens.access import AccessTokens
from authserver.tokens.logout_token import LogoutTokens
from authserver.web import errors
from authserver.web.answers import Answers
from authserver.web.cors import CrossOrigin
from authserver.web.headers import SecurityHeaders
from authserver.web.runner import Runner
from authserver.web.stopping import told_of_stop

FOLLOW_EVERY: Final = 0.5
MAINTAIN_EVERY: Final = 5.0
SIGN_STATUS_LISTS_EVERY: Final = 0.5  # beside `follow`, which must not wait for a list to be compressed

log = logs.get_logger("authserver")


class Server:
    """One server process as an ASGI application, with its parts within reach."""

    def __init__(self, settings: Settings, outside: Outside | None = None) -> None:
        self.settings = settings
        self.capabilities = build(settings, outside)
        self.live = Live.of(self.capabilities)
        self.keyring, self.revocations = self.live.keyring, self.live.revocations
        self.services, self.status_lists = self.live.services, self.live.status_lists
        self.runner = Runner(
            self.capabilities.database, hash_threads=settings.hash_threads, hash_queue=settings.hash_queue
        )
        self.tokens = _access_tokens(settings, self.live)
        self.news = News()
        self.feed = _delivery(settings, self.live, self.news)
        self.sender = _sender(self.capabilities, self.live)
        self.dispatch = Dispatch(self.sender)
        answers = surfaces.answers_of(settings)
        self._oauth = list(surfaces.oauth(self.capabilities, self.live, self.runner, answers))
        self.api = self._application(answers)
        self._entry = surfaces.published(self._protected(), self.capabilities, self.live, self.feed)

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
        self.live.sign_status_lists()

    def follow(self) -> None:
        """Look once for what changed in the database."""
        self.live.follow()

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
        tasks = list(self._tasks())
        with told_of_stop(self.news.end):
            yield
        self.news.end()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(self._stop)

    def _tasks(self) -> Iterator[asyncio.Task[None]]:
        follower = Follower(self.capabilities.database, self.follow, self._tell, every=FOLLOW_EVERY)
        yield asyncio.create_task(follower.run())
        yield asyncio.create_task(self.dispatch.run())
        yield asyncio.create_task(repeat(self.maintain, MAINTAIN_EVERY))
        yield asyncio.create_task(repeat(self.services.write_heard, WRITE_EVERY))
        if self.status_lists is not None:
            yield asyncio.create_task(repeat(self.live.sign_status_lists, SIGN_STATUS_LISTS_EVERY))

    async def _tell(self) -> None:
        """Whatever the list says now: who reads the feed hears it, and apps whose sessions have ended."""
        self.dispatch.wake()
        await self.feed.tell_news()

    def _stop(self) -> None:
        with suppress(DatabaseUnavailable):
            self.services.write_heard()
            self.capabilities.maintenance.release()
        self.runner.close()
        self.capabilities.database.close()

    def _application(self, answers: Answers) -> FastAPI:
        app = FastAPI(
            title=self.settings.product_name,
            version=__version__,
            lifespan=self.lifespan,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            telemetry=None,
        )
        for router in surfaces.pages(self.capabilities, self.live, self.tokens, self.runner, answers):
            app.include_router(router)
        for router in self._oauth:
            app.include_router(router)
        errors.mount(app, answers)
        return app

    def _protected(self) -> ASGIApp:
        settings = self.settings
        return SecurityHeaders(
            CrossOrigin(Programs(self.api, self._oauth), settings.allowed_origins),
            issuer=settings.issuer,
            allowed_origins=settings.allowed_origins,
            logo_url=settings.logo_url,
        )


def create_app(settings: Settings, outside: Outside | None = None) -> Server:
    """Build a server from settings that were read already."""
    return Server(settings, outside)


def serve() -> Server:
    """Build a server from the environment: what each worker process calls."""
    settings = load()
    logs.configure(settings.log_format, settings.log_level)
    return create_app(settings)


def _access_tokens(settings: Settings, live: Live) -> AccessTokens:
    return AccessTokens(
        live.keyring,
        issuer=settings.issuer,
        audience=settings.token_audience,
        lifetime=settings.access_token_lifetime,
        algorithm=settings.signing_algorithms[0],
        status_lists=settings.status_list,
    )


def _delivery(settings: Settings, live: Live, news: News) -> Delivery:
    feed = RevocationFeed(settings.issuer, settings.signing_algorithms[0], live.keyring, live.revocations)
    return Delivery(feed, live.revocations, news, most=room_for_readers())


def _sender(parts: Capabilities, live: Live) -> Sender:
    return Sender(
        database=parts.database,
        clock=parts.clock,
        signer=live.keyring.signer,
        tokens=LogoutTokens(parts.settings.issuer),
        post=parts.outgoing,
        chance=SystemRandom().random,
    )
