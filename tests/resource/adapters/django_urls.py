"""/any, /scope, /role, /fresh and /asked in four styles of views and under REST framework; /open, which asks nothing."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import IsAdminUser, IsAuthenticated
from rest_framework.response import Response

from authserver.resource.django import Freshness, require
from authserver.resource.rest_framework import AuthserverAuthentication, HasRole, HasScope, HasToken

FRESHNESS = {"fresh": Freshness(5, "refuse"), "asked": Freshness(5, "introspect")}
REQUIREMENTS = {
    "any": require(),
    "scope": require("orders:write"),
    "role": require(role="admin"),
    **{name: require(freshness=freshness) for name, freshness in FRESHNESS.items()},
}
PERMISSIONS: dict[str, list[Any]] = {
    "any": [HasToken],
    "scope": [HasToken, HasScope("orders:write")],
    "role": [HasRole("admin", "owner")],
    "authenticated": [IsAuthenticated],
    "open": [],
    "either": [HasScope("orders:write") | HasRole("admin")],
    "three": [(IsAdminUser & HasScope("orders:write")) | HasRole("admin")],
    "not": [HasToken() & ~HasRole("guest")],
    "staff": [IsAdminUser],
}


def sync_view(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"sub": request.principal.sub})


async def async_view(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"sub": request.principal.sub})


def open_view(request: HttpRequest) -> HttpResponse:
    anonymous = request.principal is None
    return JsonResponse({"sub": None if anonymous else request.principal.sub})


async def async_open_view(request: HttpRequest) -> HttpResponse:
    return open_view(request)


def class_based(requirement: Any) -> Any:
    @method_decorator(requirement, name="dispatch")
    class Sync(View):
        def get(self, request: HttpRequest) -> HttpResponse:
            return sync_view(request)

        post = get

    return Sync.as_view()


def async_class_based(requirement: Any) -> Any:
    @method_decorator(requirement, name="dispatch")
    class Async(View):
        async def get(self, request: HttpRequest) -> HttpResponse:
            return sync_view(request)

        async def post(self, request: HttpRequest) -> HttpResponse:
            return sync_view(request)

    return Async.as_view()


def rest(permissions: list[Any], authentication: Any = AuthserverAuthentication) -> Any:
    @api_view(["GET", "POST"])
    @authentication_classes([authentication])
    @permission_classes(permissions)
    def view(request: Any) -> Response:
        return Response({"sub": request.user.username, "same": request.auth is not None})

    return view


urlpatterns = [
    *(path(f"sync/{name}", requirement(sync_view)) for name, requirement in REQUIREMENTS.items()),
    *(path(f"async/{name}", requirement(async_view)) for name, requirement in REQUIREMENTS.items()),
    *(path(f"class/{name}", class_based(requirement)) for name, requirement in REQUIREMENTS.items()),
    *(
        path(f"async-class/{name}", async_class_based(requirement))
        for name, requirement in REQUIREMENTS.items()
    ),
    *(path(f"rest/{name}", rest(permissions)) for name, permissions in PERMISSIONS.items()),
    *(
        path(f"rest/{name}", rest([HasToken], AuthserverAuthentication.with_freshness(freshness)))
        for name, freshness in FRESHNESS.items()
    ),
    path("sync/open", open_view),
    path("async/open", async_open_view),
]
