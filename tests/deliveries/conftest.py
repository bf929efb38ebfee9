"""An app with a back-channel logout endpoint on loopback, real down to its socket, and what it was told."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from urllib.parse import parse_qsl

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jwt import Token

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.deliveries import store
from authserver.deliveries.sender import Sender
from authserver.deliveries.store import Delivery
from authserver.outgoing.requests import Outgoing
from authserver.sessions import store as sessions
from authserver.tokens.logout_token import LogoutTokens
from tests.attacks.fast_servers import logs_of_production, make_settings
from tests.conftest import PASSWORD
from tests.oauth.conftest import App, MakeApp, app, make_app
from tests.visitor import Visitor

__all__ = ["app", "logs_of_production", "make_app", "make_settings"]

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class Receiver:
    """Answers with `status` and keeps the forms that were posted. Port 0 until it is opened."""

    status: int = 200
    forms: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    before_answer: Callable[[], object] = lambda: None
    _came: Condition = field(default_factory=Condition)
    _server: ThreadingHTTPServer | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}/backchannel_logout"

    def open(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_port
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def wait_for(self, count: int, seconds: float = 5.0) -> list[dict[str, str]]:
        with self._came:
            assert self._came.wait_for(lambda: len(self.forms) >= count, seconds), self.forms
            return list(self.forms)

    def tokens(self, server: Server) -> list[Token]:
        """What came, verified by another library with the published keys."""
        keys = KeySet.import_key_set({"keys": server.keyring.snapshot.jwks["keys"]})
        return [jwt.decode(form["logout_token"], keys, algorithms=["ES256", "RS256"]) for form in self.forms]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
                receiver.before_answer()
                with receiver._came:
                    receiver.forms.append(dict(parse_qsl(body.decode(), strict_parsing=True)))
                    receiver._came.notify_all()
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's word
                pass

        return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    made.open()
    yield made
    made.close()


@pytest.fixture
def listening(make_app: MakeApp, receiver: Receiver) -> App:
    """An app that wants to hear of logouts."""
    return make_app(backchannel_logout_uri=receiver.uri, id_token_signed_response_alg="ES256")


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account, listening: App) -> Visitor:
    """Alice, signed in here and in the app."""
    visitor.sign_in("alice", PASSWORD)
    assert listening.exchange(visitor, listening.code(visitor)).status_code == 200
    return visitor


def sender_of(server: Server) -> Sender:
    """The sender of a server, with a way out to loopback and an even temper."""
    return Sender(
        database=server.capabilities.database,
        clock=server.capabilities.clock,
        signer=server.keyring.signer,
        tokens=LogoutTokens(server.settings.issuer),
        post=Outgoing(development=True),
        chance=lambda: 0.5,
    )


@pytest.fixture
def sender(server: Server) -> Sender:
    return sender_of(server)


def send_all(sender: Sender) -> int:
    """Send whatever is due now; answer how many that were."""
    claimed = sender.claim(100, under_way={}, each=100)
    for one in claimed:
        sender.deliver(one)
    return len(claimed)


def ledger(server: Server) -> list[Delivery]:
    """The newest first."""
    return server.capabilities.database.read(lambda db: store.page(db, limit=100))


def sessions_of(server: Server) -> list[str]:
    """The ids of living sessions, the latest used first."""
    parts = server.capabilities
    now = parts.clock.now()
    found = parts.database.read(
        lambda db: sessions.page(db, now=now, seen_after=parts.lifetime.seen_after(now), limit=10)
    )
    return [session.id for session, _ in found]
