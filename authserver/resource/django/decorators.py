"""`@require("orders:write")` for sync and async views; for class-based ones `method_decorator(require(…), "dispatch")`.

With or without the middleware: the guard decides anew, and sets `request.principal`.
"""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, TypeVar, cast

from asgiref.sync import iscoroutinefunction

from authserver.resource.django.configuration import guard
from authserver.resource.django.requests import DjangoRequest, respond
from authserver.resource.freshness import Freshness
from authserver.resource.principal import Principal
from authserver.resource.refusal import Refusal
from authserver.resource.requirement import Requirement

View = TypeVar("View", bound=Callable[..., Any])


def require(
    *scopes: str, role: str | Collection[str] | None = None, freshness: Freshness | None = None
) -> Callable[[View], View]:
    """Only for holders of all of `scopes`, and of `role` (or one of several); without either, of any token.

    The view is exempt from Django's CSRF token, which programs do not have: what passes the guard on an unsafe method
    carries a header that no other site can set, or a cookie that the guard has checked the origin of.

    `freshness` is this view's own contract about the revocation list; None: the guard's.
    """
    requirement = Requirement.of(scopes, role, freshness)

    def decorate(view: View) -> View:
        guarded = _guard_async(view, requirement) if _is_async(view) else _guard_sync(view, requirement)
        guarded.csrf_exempt = True
        return cast("View", guarded)

    return decorate


def _guard_sync(view: Callable[..., Any], requirement: Requirement) -> Any:
    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
        outcome = guard().authenticate(DjangoRequest(request), requirement)
        refusal = _refuse(outcome, request)
        return view(request, *args, **kwargs) if refusal is None else refusal

    return guarded


def _guard_async(view: Callable[..., Any], requirement: Requirement) -> Any:
    @wraps(view)
    async def guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
        outcome = await guard().authenticate_async(DjangoRequest(request), requirement)
        refusal = _refuse(outcome, request)
        return await view(request, *args, **kwargs) if refusal is None else refusal

    return guarded


def _refuse(outcome: Principal | Refusal, request: Any) -> Any:
    """The response that refuses, or None with the request marked as admitted."""
    if isinstance(outcome, Refusal):
        return respond(guard().answer(outcome, DjangoRequest(request)))
    request.principal = outcome
    return None


def _is_async(view: Any) -> bool:
    """`method_decorator` hands us a partial of `dispatch`, a plain function that returns what an async `get` does."""
    owner = getattr(getattr(view, "func", None), "__self__", None)
    return iscoroutinefunction(view) or bool(getattr(owner, "view_is_async", False))
