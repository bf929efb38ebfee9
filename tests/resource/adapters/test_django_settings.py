import subprocess
import sys
from typing import Any

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import override_settings

from authserver.resource import Freshness
from authserver.resource.django import AuthserverMiddleware, guard
from authserver.resource.django.configuration import problems

GOOD = {"ISSUER": "https://login.example.com", "AUDIENCE": "https://api.example.com"}
BAD: list[tuple[Any, list[str]]] = [
    (None, ["E001"]),
    (["ISSUER"], ["E001"]),
    ({}, ["E002", "E002"]),
    ({"ISSUER": GOOD["ISSUER"]}, ["E002"]),
    (GOOD | {"ALLOWED_ORIGIN": []}, ["E003"]),
    (GOOD | {"issuer": "x"}, ["E003"]),
    (GOOD | {7: 7}, ["E003"]),
    (GOOD | {"ALLOWED_ORIGINS": "https://app.example.com"}, ["E004"]),
    (GOOD | {"TOKEN_COOKIES": "__Host-access_token"}, ["E004"]),
    (GOOD | {"ISSUER": "http://login.example.com"}, ["E005"]),
    (GOOD | {"ISSUER": None}, ["E005"]),
    (GOOD | {"AUDIENCE": ""}, ["E005"]),
    (GOOD | {"AUDIENCE": []}, ["E005"]),
    (GOOD | {"METADATA": {"resource": "https://evil.example"}}, ["E005"]),
    (GOOD | {"METADATA": "Orders"}, ["E005"]),
    (GOOD | {"METADATA": {}, "AUDIENCE": "orders"}, ["E005"]),
    (GOOD | {"FRESHNESS": Freshness(5, "introspect")}, ["E005"]),
    (GOOD | {"SERVICE": "x" * 65}, ["E005"]),
]


@pytest.mark.parametrize(("setting", "codes"), BAD)
def test_a_wrong_setting_is_named_by_the_system_check(setting: Any, codes: list[str]) -> None:
    with override_settings(AUTHSERVER=setting):
        found = [message for message in checks.run_checks() if str(message.id).startswith("authserver.")]
    assert [message.id for message in found] == [f"authserver.{code}" for code in codes]
    assert all(message.hint for message in found)


@pytest.mark.parametrize(("setting", "codes"), BAD)
def test_a_server_does_not_start_with_a_wrong_setting(setting: Any, codes: list[str]) -> None:
    with override_settings(AUTHSERVER=setting), pytest.raises(ImproperlyConfigured, match="AUTHSERVER"):
        AuthserverMiddleware(lambda _: HttpResponse())


def test_a_good_setting_passes_the_check() -> None:
    full = GOOD | {
        "ALLOWED_ORIGINS": ["https://app.example.com"],
        "FRESHNESS": Freshness(beyond="refuse"),
        "LEEWAY": 5,
    }
    with override_settings(AUTHSERVER=full):
        assert problems(full) == []
        assert not [message for message in checks.run_checks() if str(message.id).startswith("authserver.")]


def test_there_is_one_guard_until_the_setting_changes() -> None:
    with override_settings(AUTHSERVER=GOOD):
        first = guard()
        assert guard() is first
        with override_settings(DEBUG=True):
            assert guard() is first
        with override_settings(AUTHSERVER=GOOD | {"AUDIENCE": "https://other.example.com"}):
            assert guard().audiences == ("https://other.example.com",)
        assert guard() is not first


def loaded_after(statements: str) -> set[str]:
    script = f"import sys; {statements}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def test_django_alone_does_not_load_rest_framework() -> None:
    loaded = loaded_after(
        "from django.conf import settings;"
        "settings.configure(INSTALLED_APPS=['authserver.resource.django'], AUTHSERVER={});"
        "import django; django.setup()"
    )
    assert "authserver.resource.django.middleware" in loaded
    assert not {name.partition(".")[0] for name in loaded} & {
        "rest_framework",
        "flask",
        "fastapi",
        "starlette",
    }


def test_the_asgi_adapter_loads_no_framework() -> None:
    tops = {name.partition(".")[0] for name in loaded_after("import authserver.resource.asgi")}
    assert not tops & {"rest_framework", "django", "flask", "fastapi", "starlette", "asyncio"}
