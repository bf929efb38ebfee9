"""A resource service as a stranger would write it: a guard of one line, two routes, one page.

It holds no secret, calls nobody while it answers, and knows of a sign-out within a second or two.
"""

from html import escape
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from authserver.resource.fastapi import Guard, Principal, RequestRefused

PAGE: Final = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
body {{ font: 1.05rem/1.6 system-ui, "Noto Sans KR", sans-serif; max-width: 34rem; margin: 12vh auto; padding: 0 1.25rem }}
h1 {{ font-size: 1.6rem }}
dt {{ opacity: .7 }}
dd {{ margin: 0 0 .75rem; overflow-wrap: anywhere }}
</style>
<main>
<h1>{title}</h1>
{content}
</main>
</html>"""
WORDS: Final = {
    "en": {
        "title": "Orders",
        "welcome": "Welcome",
        "account": "Account",
        "roles": "Roles",
        "why": "This service verified your token with the public keys alone.",
        "sign in": "Sign in",
        "manage": "Your account, and sign-out",
    },
    "ko": {
        "title": "주문",
        "welcome": "환영합니다",
        "account": "계정",
        "roles": "역할",
        "why": "이 서비스는 공개 키만으로 토큰을 확인했습니다.",
        "sign in": "로그인",
        "manage": "계정 관리와 로그아웃",
    },
}


def create_app(issuer: str, origin: str) -> FastAPI:
    """Build the service.

    :param issuer: the login service whose tokens it takes.
    :param origin: where this service itself is reached; people are sent back there after sign-in.
    """
    app = FastAPI(title="Orders")
    guard = Guard(issuer, audience=issuer)

    @app.get("/api/me")
    def me(user: Annotated[Principal, Depends(guard)]) -> dict[str, object]:
        return {"sub": user.sub, "roles": sorted(user.roles)}

    @app.get("/", response_class=HTMLResponse)
    def orders(request: Request, user: Annotated[Principal, Depends(guard)]) -> Response:
        return _page(request, _welcome(request, user, issuer))

    @app.exception_handler(RequestRefused)
    async def refused(request: Request, error: RequestRefused) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse(error.body, error.status_code, error.headers)
        answer = _page(request, _sign_in(request, error.body["message"], issuer, origin))
        answer.status_code = error.status_code
        answer.headers.update(error.headers or {})
        return answer

    return app


def _welcome(request: Request, user: Principal, issuer: str) -> str:
    words = _words(request)
    facts = {words["account"]: user.sub, words["roles"]: ", ".join(sorted(user.roles))}
    rows = "".join(f"<dt>{name}<dd>{escape(value)}" for name, value in facts.items())
    link = f'<a href="{escape(issuer)}/account">{words["manage"]}</a>'
    return f"<p><b>{words['welcome']}</b></p><dl>{rows}</dl><p>{words['why']}</p><p>{link}</p>"


def _sign_in(request: Request, message: str, issuer: str, origin: str) -> str:
    asked = urlencode({"return_to": f"{origin}/", "ui_locales": _language(request)})
    link = f'<a href="{escape(f"{issuer}/login?{asked}")}">{_words(request)["sign in"]}</a>'
    return f"<p>{escape(message)}</p><p>{link}</p>"


def _page(request: Request, content: str) -> HTMLResponse:
    return HTMLResponse(
        PAGE.format(language=_language(request), title=_words(request)["title"], content=content)
    )


def _words(request: Request) -> dict[str, str]:
    return WORDS[_language(request)]


def _language(request: Request) -> str:
    return "ko" if request.headers.get("accept-language", "").lower().startswith("ko") else "en"
