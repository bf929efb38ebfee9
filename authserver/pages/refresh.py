"""POST /session/refresh: a new token cookie while the session lives; one read and one write.

A race that is lost, against a sign-out or against another tab, is answered with 401 and nothing else: it never
clears the cookies that the winner has just set.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from authserver.pages.desk import NOT_SIGNED_IN, Desk
from authserver.web.body import media_type, read_fields
from authserver.web.errors import render


class RefreshEndpoint:
    """Renewal of the token cookie."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.router = APIRouter(tags=["sign-in"])
        self.router.add_api_route("/session/refresh", self.submit, methods=["POST"], response_class=Response)

    async def submit(self, request: Request) -> Response:
        """Renew the token cookie."""
        desk = self._desk
        fields = await read_fields(request) if media_type(request) else {}
        secret = desk.cookies.session(request)
        desk.csrf.check(request, fields, secret)
        if secret is None:
            return render(desk.answers, request, NOT_SIGNED_IN)
        signer = desk.tokens.signer()
        found = await desk.when_allowed(
            lambda: desk.runner.write(lambda db: desk.current.refresh(db, secret))
        )
        if found is None:
            return render(desk.answers, request, NOT_SIGNED_IN)
        token = desk.tokens.mint(signer, found.session, found.account, found.at)
        answer = desk.answers.json(
            request, "Session refreshed", facts={"expires_in": int(token.lifetime.total_seconds())}
        )
        desk.cookies.set_token(answer, token)
        return answer
