import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from rest_framework.permissions import IsAdminUser
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from authserver.resource.django import guard
from authserver.resource.rest_framework import (
    AuthserverAuthentication,
    Freshness,
    HasRole,
    HasScope,
    HasToken,
    PrincipalUser,
)
from authserver.resource.testing import LocalIssuer
from tests.resource import forge
from tests.resource.adapters.services import Reply, send_django
from tests.resource.conftest import FakeClock, Network


@pytest.fixture(autouse=True)
def configured(network: Network, clock: FakeClock) -> Iterator[None]:
    setting = {
        "ISSUER": forge.ISSUER,
        "AUDIENCE": forge.API,
        "FETCH": network,
        "CLOCK": clock,
        "MONOTONIC_CLOCK": clock,
    }
    with override_settings(AUTHSERVER=setting):
        guard().close()
        yield


def get(path: str, headers: dict[str, str] | None = None) -> Reply:
    return send_django("/rest", "GET", path, list((headers or {}).items()))


def test_without_a_token_a_request_is_anonymous() -> None:
    answer = get("/open")
    assert (answer.status, json.loads(answer.content)) == (200, {"sub": "", "same": False})


def test_a_bad_token_is_refused_even_where_none_is_needed(issuer: LocalIssuer) -> None:
    assert get("/open", issuer.bearer(lifetime=-3_600)).status == 401


def test_permissions_of_rest_framework_itself_answer_with_the_challenge() -> None:
    answer = get("/authenticated")
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == f'Bearer realm="{forge.API}"'


@pytest.mark.parametrize(
    ("path", "granted", "status"),
    [
        ("/either", {"scope": "orders:write"}, 200),
        ("/either", {"roles": ["admin"]}, 200),
        ("/either", {"scope": "orders:read"}, 403),
        ("/either", None, 401),
        ("/three", {"roles": ["admin"]}, 200),
        ("/three", {"scope": "orders:write"}, 403),
        ("/not", {"roles": ["member"]}, 200),
        ("/not", {"roles": ["guest"]}, 403),
        ("/not", None, 401),
        ("/staff", {"roles": ["admin"]}, 403),
    ],
)
def test_permissions_can_be_combined(
    path: str, granted: dict[str, Any] | None, status: int, issuer: LocalIssuer
) -> None:
    assert get(path, None if granted is None else issuer.bearer(**granted)).status == status


def test_a_permission_made_anew_for_each_action_refuses_as_well(issuer: LocalIssuer) -> None:
    class Orders(APIView):
        authentication_classes = (AuthserverAuthentication,)

        def get_permissions(self) -> list[Any]:
            return [HasScope("orders:write")]

        def get(self, _request: Any) -> Response:
            return Response({})

    answer = Orders.as_view()(APIRequestFactory().get("/", headers=issuer.bearer()))
    assert answer.status_code == 403
    assert 'scope="orders:write"' in answer["WWW-Authenticate"]


def test_a_user_of_another_authentication_has_no_scopes() -> None:
    request = APIRequestFactory().get("/")
    request.auth = "a session"

    class View:
        def get_permissions(self) -> list[Any]:
            return []

    assert not HasScope("a").has_permission(request, View())
    assert not HasToken().has_permission(request, View())


def test_a_permission_without_a_name_is_noticed() -> None:
    with pytest.raises(ValueError, match="HasToken"):
        HasScope()
    with pytest.raises(ValueError, match="everybody"):
        HasRole()


def test_permissions_for_the_same_thing_are_equal() -> None:
    assert HasScope("a") == HasScope("a")
    assert len({HasScope("a"), HasScope("a"), HasScope("b"), HasRole("a")}) == 3
    assert HasScope("a") != IsAdminUser


def test_the_user_has_what_rest_framework_asks_for(issuer: LocalIssuer) -> None:
    seen: list[Any] = []

    class Throttled(APIView):
        authentication_classes = (AuthserverAuthentication,)
        permission_classes = (HasToken,)

        def get(self, request: Any) -> Response:
            throttle = UserRateThrottle.__new__(UserRateThrottle)
            seen.extend((request.user, request.auth, throttle.get_cache_key(request, self)))
            return Response({})

    Throttled.as_view()(APIRequestFactory().get("/", headers=issuer.bearer("alice")))
    user, principal, key = seen
    assert isinstance(user, PrincipalUser)
    assert user.principal is principal
    assert {str(user), user.pk, user.id, user.username, user.get_username(), principal.sub} == {"alice"}
    assert "alice" in key
    assert (user.is_authenticated, user.is_active) == (True, True)
    assert not any((user.is_anonymous, user.is_staff, user.is_superuser))
    assert not user.has_perm("orders.add_order")
    assert not user.has_perms(["orders.add_order"])


def test_refusals_of_authentication_and_of_permissions_are_counted_once(issuer: LocalIssuer) -> None:
    get("/scope")
    get("/scope", issuer.bearer())
    get("/either", issuer.bearer())  # no refusal of one permission: the other may still say yes
    get("/scope", issuer.bearer(lifetime=-3_600))
    counted = {reason.value: number for reason, number in guard().health().refusals.items() if number}
    assert counted == {"missing": 1, "insufficient_scope": 1, "expired": 1}


def test_a_view_with_a_freshness_of_its_own_keeps_its_users(issuer: LocalIssuer) -> None:
    class Local(AuthserverAuthentication):
        def user_for(self, principal: Any) -> Any:
            return f"row of {principal.sub}"

    class View(APIView):
        authentication_classes = (Local.with_freshness(Freshness(30, "refuse")),)
        permission_classes = (HasToken,)

        def get(self, request: Any) -> Response:
            return Response(request.user)

    answer = View.as_view()(APIRequestFactory().get("/", headers=issuer.bearer("alice")))
    assert answer.data == "row of alice"
    assert Local.requirement.freshness is None


def test_a_project_may_bring_users_of_its_own(issuer: LocalIssuer) -> None:
    class Local(AuthserverAuthentication):
        def user_for(self, principal: Any) -> Any:
            return f"row of {principal.sub}"

    class View(APIView):
        authentication_classes = (Local,)
        permission_classes = (HasToken,)

        def get(self, request: Any) -> Response:
            return Response(request.user)

    answer = View.as_view()(APIRequestFactory().get("/", headers=issuer.bearer("alice")))
    assert answer.data == "row of alice"
