"""The guard for any ASGI application: `app = GuardMiddleware(app, guard, "orders:write")`.

HTTP requests and WebSocket handshakes are refused here, in the form of RFC 6750, before the application hears of them;
admitted ones carry their holder as `scope["principal"]`. With `anonymous=True` nothing is refused: `scope["principal"]`
is None wherever there is no valid token, and the application decides. `serve_metadata(app, guard)` answers the document
of RFC 9728 before anybody asks for a token.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from authserver.resource.answer import Answer
from authserver.resource.freshness import Freshness
from authserver.resource.guard import Guard
from authserver.resource.metadata import HEADERS as METADATA_HEADERS
from authserver.resource.principal import Principal
from authserver.resource.target_uri import escaped

__all__ = ["AsgiRequest", "Freshness", "Guard", "GuardMiddleware", "Principal", "serve_metadata"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_DENIAL: Final = "websocket.http.response"
_POLICY_VIOLATION: Final = 1008  # RFC 6455 §7.4.1; before accept, a server turns it into 403


@dataclass(frozen=True, slots=True)
class AsgiRequest:
    """A RequestView of a connection's scope."""

    scope: Scope

    @property
    def method(self) -> str:
        """A WebSocket handshake has none; it is not one of the safe ones either."""
        return str(self.scope.get("method", "WEBSOCKET"))

    @property
    def path(self) -> str:
        """As it was sent, where the server says so. A proxy's prefix stands before it as `root_path` (ASGI 2.4)."""
        raw = self.scope.get("raw_path")
        return escaped(self.scope["path"]) if raw is None else raw.decode("latin-1").partition("?")[0]

    @property
    def notes(self) -> MutableMapping[str, Any]:
        return self.scope

    def header_values(self, name: str) -> Sequence[str]:
        wanted = name.encode("ascii")
        return tuple(value.decode("latin-1") for key, value in self.scope["headers"] if key == wanted)


class GuardMiddleware:
    """All of `scopes`, and `role` (or one of several); or `anonymous`, which refuses nobody.

    `freshness` is this application's own contract about the revocation list; None: the guard's.
    """

    def __init__(
        self,
        app: Application,
        guard: Guard,
        *scopes: str,
        role: str | Collection[str] | None = None,
        freshness: Freshness | None = None,
        anonymous: bool = False,
    ) -> None:
        if anonymous and (scopes or role is not None):
            raise ValueError("a requirement that the anonymous meet is none")
        self._app = app
        self._guard = guard
        self._requirement = guard.requirement(*scopes, role=role, freshness=freshness)
        self._anonymous = anonymous
        self._decide = guard.decide_async if anonymous else guard.authenticate_async

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request = AsgiRequest(scope)
        outcome = await self._decide(request, self._requirement)
        admitted = outcome if isinstance(outcome, Principal) else None
        if isinstance(outcome, Principal) or self._anonymous:
            scope["principal"] = admitted  # for the access log outside of us, too
            await self._app(scope, receive, send)
        else:
            await _refuse(self._guard.answer(outcome, request), scope, send)


async def _refuse(answer: Answer, scope: Scope, send: Send) -> None:
    if scope["type"] == "http":
        await _respond(answer, send, "http.response")
    elif _DENIAL in (scope.get("extensions") or {}):
        await _respond(answer, send, _DENIAL)
    else:
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": answer.body["error"]})


def serve_metadata(app: Application, guard: Guard) -> Application:
    """`app`, with the guard's RFC 9728 document at its place. Outside of `GuardMiddleware`: it is for those without a token."""
    guard.metadata()  # a guard without any is a mistake to be heard of now
    metadata = guard.resource_metadata

    async def with_metadata(scope: Scope, receive: Receive, send: Send) -> None:
        if metadata is None or not _asks_for(metadata.path, scope):
            await app(scope, receive, send)
        else:
            content = b"" if scope["method"] == "HEAD" else metadata.content
            await _send(send, "http.response", 200, METADATA_HEADERS, content)

    return with_metadata


def _asks_for(path: str, scope: Scope) -> bool:
    return scope["type"] == "http" and scope["path"] == path and scope["method"] in ("GET", "HEAD")


async def _respond(answer: Answer, send: Send, kind: str) -> None:
    await _send(send, kind, answer.status, answer.headers, answer.content)


async def _send(send: Send, kind: str, status: int, given: Mapping[str, str], content: bytes) -> None:
    headers = {**given, "Content-Type": "application/json", "Content-Length": str(len(content))}
    raw = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": f"{kind}.start", "status": status, "headers": raw})
    await send({"type": f"{kind}.body", "body": content})
