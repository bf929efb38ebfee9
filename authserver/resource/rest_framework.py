"""The guard for Django REST framework, configured by the setting AUTHSERVER (`authserver.resource.django`).

    authentication_classes = [AuthserverAuthentication]
    permission_classes = [HasScope("orders:write")]

A request without a token is anonymous, as REST framework wants it, and the permissions decide. One with a bad token is
refused wherever it goes. `request.user` is a PrincipalUser, `request.auth` the Principal. A view that needs a younger
revocation list than the others: `authentication_classes = [AuthserverAuthentication.with_freshness(Freshness(5, "refuse"))]`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from authserver.resource.extras import Needs

with Needs("rest_framework"):
    from rest_framework.authentication import BaseAuthentication
    from rest_framework.exceptions import APIException
    from rest_framework.permissions import BasePermission, OperationHolderMixin

from authserver.resource.answer import RETRY_AFTER, Answer
from authserver.resource.django.configuration import guard
from authserver.resource.django.requests import DjangoRequest
from authserver.resource.freshness import Freshness
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.requirement import ANY_TOKEN, Requirement

__all__ = [
    "AuthserverAuthentication",
    "Freshness",
    "HasRole",
    "HasScope",
    "HasToken",
    "Principal",
    "PrincipalUser",
    "RequestRefused",
]

_MISSING: Final = Refusal(Reason.MISSING)


class RequestRefused(APIException):
    """A refusal on its way out. `refusal.detail` is for the log."""

    def __init__(self, refusal: Refusal, answer: Answer) -> None:
        super().__init__(dict(answer.body), code=answer.body["error"])
        if isinstance(self.detail, dict) and "explanation" in answer.body:
            self.detail["explanation"] = answer.body["explanation"]  # with its numbers, which were made texts
        self.refusal = refusal
        self.status_code = answer.status
        self.auth_header = answer.headers.get("WWW-Authenticate")
        self.wait = RETRY_AFTER if "Retry-After" in answer.headers else None


@dataclass(frozen=True, slots=True)
class PrincipalUser:
    """What REST framework, its throttles and its permissions ask of a user. Not a row of Django's, and never staff."""

    principal: Principal

    is_authenticated: ClassVar = True
    is_anonymous: ClassVar = False
    is_active: ClassVar = True
    is_staff: ClassVar = False
    is_superuser: ClassVar = False

    @property
    def pk(self) -> str:
        return self.principal.sub

    @property
    def id(self) -> str:
        return self.principal.sub

    @property
    def username(self) -> str:
        return self.principal.sub

    def get_username(self) -> str:
        return self.principal.sub

    def has_perm(self, _permission: str, _obj: object = None) -> bool:
        """Django's permissions are rows of its database; scopes and roles are not among them."""
        return False

    def has_perms(self, permissions: Collection[str], _obj: object = None) -> bool:
        return not permissions

    def __str__(self) -> str:
        return self.principal.sub


class AuthserverAuthentication(BaseAuthentication):
    """Override `user_for` where views want a user of their own database."""

    requirement: ClassVar = ANY_TOKEN

    @classmethod
    def with_freshness(cls, freshness: Freshness) -> "type[AuthserverAuthentication]":
        """This class, for views with a contract of their own about the revocation list."""
        return type(cls.__name__, (cls,), {"requirement": Requirement(freshness=freshness)})

    def authenticate(self, request: Any) -> tuple[Any, Principal] | None:
        """`(request.user, request.auth)`; None without a token; RequestRefused for a bad one."""
        seen = DjangoRequest(request._request)  # noqa: SLF001 - REST framework's own way
        outcome = guard().decide(seen, self.requirement)
        if isinstance(outcome, Refusal) and outcome.reason is Reason.MISSING:
            return None  # no refusal yet: that is for the permissions
        guard().note(outcome, seen)
        if isinstance(outcome, Principal):
            return self.user_for(outcome), outcome
        raise _refused(outcome, request, request.parser_context.get("view"))

    def authenticate_header(self, request: Any) -> str | None:
        """The challenge where a permission of somebody else's refuses the anonymous; without it they answer 403."""
        return guard().answer(_MISSING, DjangoRequest(request._request)).headers.get("WWW-Authenticate")  # noqa: SLF001 - as above

    def user_for(self, principal: Principal) -> Any:
        return PrincipalUser(principal)


class _Permission(OperationHolderMixin, BasePermission):
    """An instance where REST framework expects a class; `&`, `|` and `~` work as they do on classes."""

    def __init__(self, requirement: Requirement) -> None:
        self._requirement = requirement

    def __call__(self) -> "_Permission":
        """REST framework's way to make an instance."""
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Permission) and self._requirement == other._requirement

    def __hash__(self) -> int:
        return hash(self._requirement)

    def has_permission(self, request: Any, view: Any) -> bool:
        """Standing alone, it refuses by itself and names the scope; as a part of `a | b` it may only say no."""
        principal = request.auth if isinstance(request.auth, Principal) else None
        outcome = _MISSING if principal is None else self._requirement.judge(principal)
        if isinstance(outcome, Refusal) and self in view.get_permissions():
            guard().note(outcome, DjangoRequest(request._request))  # noqa: SLF001 - as above
            raise _refused(outcome, request, view)
        return isinstance(outcome, Principal)


class HasToken(_Permission):
    """Any valid access token."""

    def __init__(self) -> None:
        super().__init__(ANY_TOKEN)


class HasScope(_Permission):
    """All of `scopes`: `HasScope("orders:write")`."""

    def __init__(self, *scopes: str) -> None:
        if not scopes:
            raise ValueError("HasScope needs a scope; HasToken asks for a token alone")
        super().__init__(Requirement.of(scopes))


class HasRole(_Permission):
    """One of `roles`: `HasRole("admin")`."""

    def __init__(self, *roles: str) -> None:
        super().__init__(Requirement.of(role=roles))


def _refused(refusal: Refusal, request: Any, view: Any) -> RequestRefused:
    """An APIException carries two headers only; the others go by way of the view's."""
    answer = guard().answer(refusal, DjangoRequest(request._request))  # noqa: SLF001 - as above
    if view is not None:
        view.headers["Cache-Control"] = answer.headers["Cache-Control"]
    return RequestRefused(refusal, answer)
