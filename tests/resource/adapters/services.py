"""The same small service under every adapter: /any, /scope and /role, for GET and POST, answering who asked."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from django.core.handlers.asgi import ASGIHandler
from django.test import Client, override_settings
from fastapi import Depends, FastAPI
from flask import Flask
from starlette.testclient import TestClient

from authserver.resource import Guard
from authserver.resource import fastapi as for_fastapi
from authserver.resource import flask as for_flask
from authserver.resource.asgi import GuardMiddleware
from authserver.resource.django import guard as django_guard
from authserver.resource.flask import current_principal
from tests.resource import forge
from tests.resource.adapters.table import HOST, ORIGIN, Headers
from tests.resource.conftest import FakeClock, Network

Json = dict[str, Any]
METHODS = ["GET", "POST"]


@dataclass(frozen=True)
class Reply:
    """A response, whoever gave it. Header names in lower case."""

    status: int
    headers: dict[str, str]
    content: bytes


Send = Callable[[str, str, Headers], Reply]
Service = Callable[[Network, FakeClock], AbstractContextManager[Send]]


def options(network: Network, clock: FakeClock) -> Json:
    return {
        "audience": forge.API,
        "allowed_origins": ["https://app.example.com"],
        "fetch": network,
        "clock": clock,
        "monotonic_clock": clock,
    }


def send_asgi(app: Any, prefix: str, method: str, path: str, headers: Headers) -> Reply:
    answer = TestClient(app, base_url=ORIGIN).request(method, prefix + path, headers=headers)
    return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)


@contextmanager
def fastapi_service(network: Network, clock: FakeClock) -> Iterator[Send]:
    guard = for_fastapi.Guard(forge.ISSUER, **options(network, clock))
    guard.close()
    app = FastAPI()
    dependencies = {"any": guard, "scope": guard.require("orders:write"), "role": guard.require(role="admin")}
    for name, dependency in dependencies.items():

        @app.api_route(f"/{name}", methods=METHODS, operation_id=name)
        def view(user: Annotated[for_fastapi.Principal, Depends(dependency)]) -> Json:
            return {"sub": user.sub}

    yield partial(send_asgi, app, "")


def flask_views(guard: for_flask.Guard, *, is_async: bool) -> Flask:
    app = Flask(__name__)
    requirements = {
        "any": guard.require(),
        "scope": guard.require("orders:write"),
        "role": guard.require(role="admin"),
    }

    def view() -> Json:
        return {"sub": current_principal.sub}

    async def async_view() -> Json:
        return {"sub": current_principal.sub}

    for name, requirement in requirements.items():
        guarded = requirement(async_view) if is_async else requirement(view)
        app.add_url_rule(f"/{name}", name, guarded, methods=METHODS)
    return app


@contextmanager
def flask_service(network: Network, clock: FakeClock, *, is_async: bool = False) -> Iterator[Send]:
    guard = for_flask.Guard(forge.ISSUER, **options(network, clock))
    guard.close()
    client = flask_views(guard, is_async=is_async).test_client(use_cookies=False)

    def send(method: str, path: str, headers: Headers) -> Reply:
        answer = client.open(path, method=method, headers=headers, base_url=ORIGIN)
        return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.data)

    yield send


def send_django(prefix: str, method: str, path: str, headers: Headers) -> Reply:
    """Several headers of one name are joined by a comma, as servers do it (RFC 3875 §4.1.18)."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    client = Client(enforce_csrf_checks=True, SERVER_NAME=HOST, SERVER_PORT="443")
    answer = client.generic(method, prefix + path, secure=True, headers=joined)
    return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)


def send_django_async(prefix: str, method: str, path: str, headers: Headers) -> Reply:
    return send_asgi(ASGIHandler(), prefix, method, path, headers)


@contextmanager
def django_service(network: Network, clock: FakeClock, *, send: Send, **settings: Any) -> Iterator[Send]:
    configured = {name.upper(): value for name, value in options(network, clock).items()}
    with override_settings(AUTHSERVER={"ISSUER": forge.ISSUER, **configured}, **settings):
        django_guard().close()
        yield send


@contextmanager
def asgi_service(network: Network, clock: FakeClock) -> Iterator[Send]:
    guard = Guard(forge.ISSUER, **options(network, clock))
    guard.close()
    apps = {
        "/any": GuardMiddleware(tell, guard),
        "/scope": GuardMiddleware(tell, guard, "orders:write"),
        "/role": GuardMiddleware(tell, guard, role="admin"),
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await apps[scope["path"]](scope, receive, send)

    yield partial(send_asgi, app, "")


async def tell(scope: Any, receive: Any, send: Any) -> None:
    """An application of no framework."""
    content = f'{{"sub": "{scope["principal"].sub}"}}'.encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": content})


SERVICES: dict[str, Service] = {
    "fastapi": fastapi_service,
    "flask": flask_service,
    "flask, async views": partial(flask_service, is_async=True),
    "django": partial(django_service, send=partial(send_django, "/sync")),
    "django, without the middleware": partial(
        django_service,
        send=partial(send_django, "/sync"),
        MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
    ),
    "django, class-based": partial(django_service, send=partial(send_django, "/class")),
    "django, async": partial(django_service, send=partial(send_django_async, "/async")),
    "django, async and class-based": partial(django_service, send=partial(send_django_async, "/async-class")),
    "rest framework": partial(django_service, send=partial(send_django, "/rest")),
    "asgi": asgi_service,
}
