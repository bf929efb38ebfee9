"""A web app that signs people in with Authlib's client: OpenID Connect, and nothing of the login service's own code.

The tokens stay in this process; the browser gets a signed cookie with the name that they are kept under. Each visit
asks the login service who it is, so a sign-out anywhere counts here at the next click.
"""

import os
import secrets
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from httpx2 import HTTPStatusError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

LOGIN_SERVICE = os.environ.get("LOGIN_SERVICE", "http://127.0.0.1:8000")
AUTHLIB_WEB = os.environ.get("AUTHLIB_WEB", "http://127.0.0.1:8004")
UNAUTHORIZED = 401
POLICY = f"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self' {LOGIN_SERVICE}; frame-ancestors 'none'"

Tokens = dict[str, Any]
signed_in: dict[str, Tokens] = {}  # forgotten when this process ends; a real app has a database


async def keep_renewed(_app: str, tokens: Tokens, refresh_token: str, **_more: str | None) -> None:
    """Authlib renews a token that has expired, and hands over what it got."""
    for kept in signed_in.values():
        if kept["refresh_token"] == refresh_token:
            kept.update(tokens)


oauth = OAuth(update_token=keep_renewed)
oauth.register(
    "login",
    client_id=os.environ.get("CLIENT_ID", "authlib-web"),
    client_secret=os.environ.get("CLIENT_SECRET"),
    server_metadata_url=f"{LOGIN_SERVICE}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile", "code_challenge_method": "S256"},
)


async def home(request: Request) -> Response:
    tokens = signed_in.get(request.session.get("name", ""))
    if tokens is None:
        return page(
            request, f'<a class="button primary large" href="/login">{say(request, "Sign in", "로그인")}</a>'
        )
    user = await who_is(tokens)
    if user is None:
        forget(request)
        return RedirectResponse("/", 303)
    welcome = say(request, f"Welcome, {user['name']}!", f"환영합니다, {user['name']} 님!")
    button = f'<button class="button">{say(request, "Sign out", "로그아웃")}</button>'
    return page(request, f'<h1>{escape(welcome)}</h1><form method="post" action="/logout">{button}</form>')


async def who_is(tokens: Tokens) -> dict[str, Any] | None:
    """Ask the login service: nobody, once the sign-in has ended, here or elsewhere."""
    try:
        user: dict[str, Any] = await oauth.login.userinfo(token=tokens)
    except OAuthError:  # the token has expired, and is not renewed
        return None
    except HTTPStatusError as error:
        if error.response.status_code != UNAUTHORIZED:
            raise
        return None
    return user


async def login(request: Request) -> Response:
    answer: Response = await oauth.login.authorize_redirect(request, f"{AUTHLIB_WEB}/callback")
    return answer


async def callback(request: Request) -> Response:
    """Authlib compares `state`, exchanges the code, and verifies the ID token."""
    try:
        tokens = await oauth.login.authorize_access_token(request)
    except OAuthError as error:
        text = say(request, "The sign-in did not work:", "로그인하지 못했습니다:")
        return page(request, f"<h1>{text} {escape(str(error.error))}</h1>", 400)
    request.session.clear()
    request.session["name"] = secrets.token_urlsafe()
    signed_in[request.session["name"]] = tokens
    return RedirectResponse("/", 303)


async def logout(request: Request) -> Response:
    """Here, and at the login service, which tells the other apps."""
    tokens = forget(request)
    if tokens is None:
        return RedirectResponse("/", 303)
    answer: Response = await oauth.login.logout_redirect(request, f"{AUTHLIB_WEB}/", tokens["id_token"])
    answer.status_code = 303
    return answer


def forget(request: Request) -> Tokens | None:
    name = request.session.get("name", "")
    request.session.clear()
    return signed_in.pop(name, None)


def page(request: Request, main: str, status: int = 200) -> Response:
    title, language = say(request, "Authlib app", "Authlib 앱"), say(request, "en", "ko")
    head = f'<meta charset="utf-8"><title>{title}</title><link rel="stylesheet" href="/look/style.css">'
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    text = (
        f'<!doctype html><html lang="{language}"><head>{head}</head><body><main>{main}</main></body></html>'
    )
    return HTMLResponse(text, status, headers)


def say(request: Request, english: str, korean: str) -> str:
    return korean if request.headers.get("accept-language", "").startswith("ko") else english


app = Starlette(
    routes=[
        Route("/", home),
        Route("/login", login),
        Route("/callback", callback),
        Route("/logout", logout, methods=["POST"]),
        Mount("/look", StaticFiles(directory=Path(__file__).parent.parent / "look")),
    ],
    middleware=[
        Middleware(SessionMiddleware, secret_key=secrets.token_urlsafe(), session_cookie="authlib_web")
    ],
)


if __name__ == "__main__":
    port = urlsplit(AUTHLIB_WEB).port or 8004
    print(f"Authlib app: {AUTHLIB_WEB} (people sign in at {LOGIN_SERVICE})", flush=True)  # noqa: T201 - a program's word
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", server_header=False)
