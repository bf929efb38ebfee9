"""The cookies: written with every attribute each time, cleared with the same attributes mirrored, read strictly.

| cookie | holds | SameSite |
| --- | --- | --- |
| `__Host-session` | an opaque secret; only its hash is stored | Lax |
| `__Host-access_token` (or `__Secure-…` with a Domain) | the access token | by setting |
| `__Host-form` | the secret behind the form tokens of pages before sign-in | Lax |
| `__Host-device` | an opaque secret that says "this browser has signed in to that account before" | Lax |
| `__Host-trips` | for seconds, how often this browser was sent on to an app (`pages/round_trips.py`) | Lax |
"""

from datetime import timedelta
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response

from authserver.opaque import Secret
from authserver.protocol import cookies
from authserver.resource.cookies import read_cookie
from authserver.sessions.sign_in import DEVICE_LIFETIME
from authserver.settings import Settings
from authserver.tokens.access import AccessToken

FORM_LIFETIME: Final = timedelta(hours=12)


class Cookies:
    """Reads and writes the server's cookies as the settings say."""

    def __init__(self, settings: Settings) -> None:
        self.token_name = settings.token_cookie
        self.token_domain = settings.cookie_domain or None
        self.token_samesite = settings.cookie_samesite
        self._session_lifetime = settings.session_lifetime

    def session(self, request: Request) -> str | None:
        return self._read(request, cookies.SESSION)

    def token(self, request: Request) -> str | None:
        return self._read(request, self.token_name)

    def form(self, request: Request) -> str | None:
        return self._read(request, cookies.FORM)

    def device(self, request: Request) -> str | None:
        return self._read(request, cookies.DEVICE)

    def set_session(self, response: Response, secret: Secret) -> None:
        self._write(response, cookies.SESSION, secret, self._session_lifetime)

    def set_token(self, response: Response, token: AccessToken) -> None:
        self._write(
            response,
            self.token_name,
            token.value,
            token.lifetime,
            samesite=self.token_samesite,
            domain=self.token_domain,
        )

    def set_form(self, response: Response, secret: Secret) -> None:
        self._write(response, cookies.FORM, secret, FORM_LIFETIME)

    def set_device(self, response: Response, secret: Secret) -> None:
        self._write(response, cookies.DEVICE, secret, DEVICE_LIFETIME)

    def clear(self, response: Response) -> None:
        """Take back the session and the token cookie. The device stays known: its owner is still its owner."""
        gone = timedelta(0)
        self._write(response, cookies.SESSION, "", gone)
        self._write(
            response, self.token_name, "", gone, samesite=self.token_samesite, domain=self.token_domain
        )

    def _read(self, request: Request, name: str) -> str | None:
        return read_cookie(request.headers.getlist("cookie"), name)

    def _write(
        self,
        response: Response,
        name: str,
        value: str,
        lifetime: timedelta,
        *,
        samesite: Literal["lax", "strict", "none"] = "lax",
        domain: str | None = None,
    ) -> None:
        response.set_cookie(
            name,
            value,
            max_age=int(lifetime.total_seconds()),
            path="/",
            domain=domain,
            secure=True,
            httponly=True,
            samesite=samesite,
        )
