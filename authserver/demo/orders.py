"""A resource service as a stranger would write it: three lines of guard, two routes, one page.

It holds no secret, calls nobody while it answers, and knows of a sign-out within a second or two.
"""

from html import escape
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from authserver.resource.fastapi import Guard, Principal, RequestRefused

WORDS: Final = {
    "en": (
        "Orders",
        "Welcome",
        "Your roles",
        "This service verified your token with the public keys alone.",
        "Sign in",
    ),
    "ko": ("주문", "환영합니다", "역할", "이 서비스는 공개 키만으로 토큰을 확인했습니다.", "로그인"),
}
PAGE: Final = """<!doctype html><html lang="{language}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>{title}</title>
<body><main><h1>{title}</h1>{content}</main></body></html>"""


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
    def orders(request: Request, user: Annotated[Principal, Depends(guard)]) -> str:
        language = _language(request)
        title, welcome, roles, why, _ = WORDS[language]
        facts = f"<p>{welcome}, <b>{escape(user.sub)}</b></p><p>{roles}: {escape(', '.join(sorted(user.roles)))}</p>"
        return PAGE.format(language=language, title=title, content=f"{facts}<p>{why}</p>")

    @app.exception_handler(RequestRefused)
    async def refused(request: Request, error: RequestRefused) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse(error.body, error.status_code, error.headers)
        language = _language(request)
        title, *_, sign_in = WORDS[language]
        address = f"{issuer}/login?{urlencode({'return_to': origin + '/', 'ui_locales': language})}"
        content = f'<p>{escape(error.body["message"])}</p><p><a href="{escape(address)}">{sign_in}</a></p>'
        page = PAGE.format(language=language, title=title, content=content)
        return HTMLResponse(page, error.status_code, error.headers)

    return app


def _language(request: Request) -> str:
    return "ko" if request.headers.get("accept-language", "").lower().startswith("ko") else "en"
