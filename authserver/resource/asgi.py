"""The guard for any ASGI application: `app = GuardMiddleware(app, guard, "orders:write")`.

HTTP requests and WebSocket handshakes are refused here, in the form of RFC 6750, before the application hears of them;
admitted ones carry their holder as `scope["principal"]`. With `anonymous=True` nothing is refused: `scope["principal"]`
is None wherever there is no valid token, and the application decides.
"""

from collections.abc import Awaitable, Callable, Collection, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from authserver.resource.answer import Answer
from authserver.resource.guard import Guard, Requirement
from authserver.resource.principal import Principal

__all__ = ["AsgiRequest", "Guard", "GuardMiddleware", "Principal"]

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

    def header_values(self, name: str) -> Sequence[str]:
        wanted = name.encode("ascii")
        return tuple(value.decode("latin-1") for key, value in self.scope["headers"] if key == wanted)


class GuardMiddleware:
    """All of `scopes`, and `role` (or one of several); or `anonymous`, which refuses nobody."""

    def __init__(
        self,
        app: Application,
        guard: Guard,
        *scopes: str,
        role: str | Collection[str] | None = None,
        anonymous: bool = False,
    ) -> None:
        if anonymous and (scopes or role is not None):
            raise ValueError("a requirement that the anonymous meet is none")
        self._app = app
        self._guard = guard
        self._requirement = Requirement.of(scopes, role)
        self._anonymous = anonymous

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request = AsgiRequest(scope)
        outcome = await self._guard.authenticate_async(request, self._requirement)
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


async def _respond(answer: Answer, send: Send, kind: str) -> None:
    content = answer.content
    headers = {
        **answer.headers,
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
    }
    raw = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": f"{kind}.start", "status": answer.status, "headers": raw})
    await send({"type": f"{kind}.body", "body": content})
