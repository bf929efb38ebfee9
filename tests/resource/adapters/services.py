"""The same small service under every adapter, for GET and POST, answering who asked.

/any, /scope and /role; /fresh and /asked, which want a revocation list of five seconds at most; the metadata.
"""

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

from authserver.resource import Freshness, Guard, Introspection
from authserver.resource import fastapi as for_fastapi
from authserver.resource import flask as for_flask
from authserver.resource.asgi import GuardMiddleware, serve_metadata
from authserver.resource.django import guard as django_guard
from authserver.resource.flask import current_principal
from authserver.resource.http import Fetched, FetchFailed
from tests.resource import forge
from tests.resource.adapters.table import HOST, ORIGIN, Headers
from tests.resource.conftest import FakeClock, Network

Json = dict[str, Any]
METHODS = ["GET", "POST"]
FRESH, ASKED = Freshness(5, "refuse"), Freshness(5, "introspect")


@dataclass(frozen=True)
class Reply:
    """A response, whoever gave it. Header names in lower case."""

    status: int
    headers: dict[str, str]
    content: bytes


Send = Callable[[str, str, Headers], Reply]
Service = Callable[..., AbstractContextManager[Send]]


def options(network: Network, clock: FakeClock, settings: Json) -> Json:
    return {
        "heartbeat": 1,
        "introspection": Introspection(f"{forge.ISSUER}/introspect", "api", "secret", post=nobody_home),
        **settings,
        "audience": forge.API,
        "allowed_origins": ["https://app.example.com"],
        "fetch": network,
        "clock": clock,
        "monotonic_clock": clock,
    }


def nobody_home(*_: Any) -> Fetched:
    raise FetchFailed("no introspection endpoint")


def send_asgi(app: Any, prefix: str, method: str, path: str, headers: Headers) -> Reply:
    answer = TestClient(app, base_url=ORIGIN).request(method, prefix + path, headers=headers)
    return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)


@contextmanager
def fastapi_service(network: Network, clock: FakeClock, **settings: Any) -> Iterator[Send]:
    guard = for_fastapi.Guard(forge.ISSUER, **options(network, clock, settings))
    guard.close()
    app = FastAPI()
    dependencies = {
        "any": guard,
        "scope": guard.require("orders:write"),
        "role": guard.require(role="admin"),
        "fresh": guard.require(freshness=FRESH),
        "asked": guard.require(freshness=ASKED),
    }
    if "metadata" in settings:
        guard.serve_metadata(app)
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
        "fresh": guard.require(freshness=FRESH),
        "asked": guard.require(freshness=ASKED),
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
def flask_service(
    network: Network, clock: FakeClock, *, is_async: bool = False, **settings: Any
) -> Iterator[Send]:
    guard = for_flask.Guard(forge.ISSUER, **options(network, clock, settings))
    guard.close()
    app = flask_views(guard, is_async=is_async)
    if "metadata" in settings:
        guard.serve_metadata(app)
    client = app.test_client(use_cookies=False)

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
    answer = client.generic(method, prefixed(prefix, path), secure=True, headers=joined)
    return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)


def send_django_async(prefix: str, method: str, path: str, headers: Headers) -> Reply:
    return send_asgi(ASGIHandler(), "", method, prefixed(prefix, path), headers)


def prefixed(prefix: str, path: str) -> str:
    """Every style of view has its own prefix; what has a place of its own in the world has none."""
    return path if path.startswith("/.well-known/") else prefix + path


@contextmanager
def django_service(
    network: Network, clock: FakeClock, *, send: Send, project: Json | None = None, **settings: Any
) -> Iterator[Send]:
    configured = {name.upper(): value for name, value in options(network, clock, settings).items()}
    urls = "django_metadata_urls" if "metadata" in settings else "django_urls"
    root = {"ROOT_URLCONF": f"tests.resource.adapters.{urls}", **(project or {})}
    with override_settings(AUTHSERVER={"ISSUER": forge.ISSUER, **configured}, **root):
        django_guard().close()
        yield send


@contextmanager
def asgi_service(network: Network, clock: FakeClock, **settings: Any) -> Iterator[Send]:
    guard = Guard(forge.ISSUER, **options(network, clock, settings))
    guard.close()
    apps = {
        "/any": GuardMiddleware(tell, guard),
        "/scope": GuardMiddleware(tell, guard, "orders:write"),
        "/role": GuardMiddleware(tell, guard, role="admin"),
        "/fresh": GuardMiddleware(tell, guard, freshness=FRESH),
        "/asked": GuardMiddleware(tell, guard, freshness=ASKED),
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await apps[scope["path"]](scope, receive, send)

    yield partial(send_asgi, serve_metadata(app, guard) if "metadata" in settings else app, "")


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
        project={"MIDDLEWARE": ["django.middleware.csrf.CsrfViewMiddleware"]},
    ),
    "django, class-based": partial(django_service, send=partial(send_django, "/class")),
    "django, async": partial(django_service, send=partial(send_django_async, "/async")),
    "django, async and class-based": partial(django_service, send=partial(send_django_async, "/async-class")),
    "rest framework": partial(django_service, send=partial(send_django, "/rest")),
    "asgi": asgi_service,
}
