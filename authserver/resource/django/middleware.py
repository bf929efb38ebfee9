"""`request.principal`: the holder of a valid token, or None. Refuses nobody; that is `require`'s office.

Not lazy, on purpose: a lazy object around None is not `is None`, and `if request.principal is not None` would let
everybody in; read in an async view it could block the event loop. A request without a token costs a look at two
headers, one with a known token some microseconds.
"""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from authserver.resource.django.configuration import guard
from authserver.resource.django.requests import DjangoRequest
from authserver.resource.principal import Principal
from authserver.resource.refusal import Refusal


class AuthserverMiddleware:
    """For MIDDLEWARE, anywhere; for sync and async stacks alike."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        guard()  # settings that cannot work stop the server here, not a request
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        if self._is_async:
            return self._call_async(request)
        request.principal = _or_none(guard().decide(DjangoRequest(request)))
        return self._get_response(request)

    async def _call_async(self, request: Any) -> Any:
        request.principal = _or_none(await guard().decide_async(DjangoRequest(request)))
        return await self._get_response(request)


def _or_none(outcome: Principal | Refusal) -> Principal | None:
    return outcome if isinstance(outcome, Principal) else None
