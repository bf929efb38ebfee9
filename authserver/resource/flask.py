"""The guard for Flask: `@guard.require("orders:write")` on a view, `current_principal` inside it.

For sync and async views, blueprints (`guard.protect(blueprint)`) and class-based views (`decorators = [...]`).
A refusal is raised as a Werkzeug HTTPException, so `@app.errorhandler(401)` or `errorhandler(RequestRefused)` may
answer in a form of their own.
"""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, Final, TypeVar, cast

from authserver.resource.extras import Needs

with Needs("flask"):
    from flask import Blueprint, Flask, Response, current_app, has_request_context, request
    from werkzeug.exceptions import Forbidden, HTTPException, ServiceUnavailable, Unauthorized
    from werkzeug.local import LocalProxy

from authserver.resource import guard as core
from authserver.resource.answer import Answer
from authserver.resource.freshness import Freshness
from authserver.resource.metadata import HEADERS as METADATA_HEADERS
from authserver.resource.principal import Principal
from authserver.resource.refusal import Refusal
from authserver.resource.target_uri import escaped

__all__ = ["Freshness", "Guard", "Principal", "RequestRefused", "current_principal"]

View = TypeVar("View", bound=Callable[..., Any])

# In the WSGI environ, which ends with the request: `g` ends with the application context, which tests keep open.
# No header can be named so.
_PRINCIPAL: Final = "authserver.principal"
_EXEMPT: Final = "authserver_exempt"


class RequestRefused(HTTPException):
    """A refusal on its way out. `refusal.detail` is for the log."""

    def __init__(self, refusal: Refusal, answer: Answer) -> None:
        response = Response(answer.content, answer.status, answer.headers, content_type="application/json")
        super().__init__(answer.body["message"], response)
        self.refusal = refusal


class _NotAuthenticated(RequestRefused, Unauthorized): ...


class _NotAllowed(RequestRefused, Forbidden): ...


class _NotDecidable(RequestRefused, ServiceUnavailable): ...


# `@app.errorhandler(401)` is looked up by class.
_BY_STATUS: Final = {error.code: error for error in (_NotAuthenticated, _NotAllowed, _NotDecidable)}


class Guard(core.Guard):
    """See `authserver.resource.guard.Guard` for what it takes and does. It needs no application to begin with."""

    def require(
        self,
        *scopes: str,
        role: str | Collection[str] | None = None,
        freshness: Freshness | None = None,
    ) -> Callable[[View], View]:
        """Only for holders of all of `scopes`, and of `role` (or one of several); without either, of any token.

        `freshness` is this view's own contract about the revocation list; None: the guard's.
        """
        requirement = self.requirement(*scopes, role=role, freshness=freshness)

        def decorate(view: View) -> View:
            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                self._admit(requirement)
                return current_app.ensure_sync(view)(*args, **kwargs)

            return cast("View", guarded)

        return decorate

    def protect(self, app: Flask | Blueprint) -> None:
        """Ask for a token before every view of `app`, its static files and its 404 included."""
        app.before_request(self._admit_unless_exempt)

    def serve_metadata(self, app: Flask) -> None:
        """Publish the guard's RFC 9728 document, which needs no token even in an application that is protected."""
        self.metadata()  # a guard without any is a mistake to be heard of now
        metadata = self.resource_metadata

        def protected_resource() -> Response:
            content = b"" if metadata is None else metadata.content
            return Response(content, headers=METADATA_HEADERS, content_type="application/json")

        if metadata is not None:
            app.add_url_rule(metadata.path, "protected_resource", self.exempt(protected_resource))

    def exempt(self, view: View) -> View:
        """Let `protect` pass this view."""
        setattr(view, _EXEMPT, True)
        return view

    def _admit_unless_exempt(self) -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        if not getattr(view, _EXEMPT, False) and not _flask_answers_itself():
            self._admit(core.ANY_TOKEN)

    def _admit(self, requirement: core.Requirement) -> None:
        outcome = self.authenticate(_View(), requirement)
        if isinstance(outcome, Refusal):
            raise _BY_STATUS[outcome.status](outcome, self.answer(outcome, _View()))
        request.environ[_PRINCIPAL] = outcome


class _View:
    """A RequestView of the current request."""

    __slots__ = ()

    @property
    def method(self) -> str:
        return request.method

    @property
    def path(self) -> str:
        return escaped(request.root_path + request.path)

    @property
    def notes(self) -> dict[str, Any]:
        return request.environ

    def header_values(self, name: str) -> list[str]:
        """WSGI has joined headers of one name by a comma, which no token holds: two are malformed, as they should be."""
        return request.headers.getlist(name)


def _flask_answers_itself() -> bool:
    """The automatic OPTIONS: browsers ask it before a cross-origin request, and send no token with it."""
    return request.method == "OPTIONS" and bool(getattr(request.url_rule, "provide_automatic_options", False))


def _current_principal() -> Principal:
    principal = request.environ.get(_PRINCIPAL) if has_request_context() else None
    if isinstance(principal, Principal):
        return principal
    raise RuntimeError(
        "current_principal is for views behind a guard: put @guard.require() under @app.route(…)"
    )


current_principal = cast("Principal", LocalProxy(_current_principal))
