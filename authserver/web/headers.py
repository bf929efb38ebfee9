"""Security headers on everything that is not a public document: one pure ASGI layer, nothing per page (SECURITY X01)."""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PERMISSIONS: Final = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class SecurityHeaders:
    """Adds the headers to each answer that does not bring its own `Cache-Control`."""

    def __init__(self, app: ASGIApp, *, issuer: str, allowed_origins: Collection[str], logo_url: str) -> None:
        self._app = app
        self._headers = _headers(issuer, allowed_origins, logo_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] += [(name, value) for name, value in self._headers if name not in given]
                if origin := scope.get("state", {}).get("form_action"):
                    message["headers"] = [_leading_to(origin, *row) for row in message["headers"]]
                if origins := scope.get("state", {}).get("frame_src"):
                    message["headers"] = [_framing(origins, *row) for row in message["headers"]]
            await send(message)

        await self._app(scope, receive, with_headers)


def _headers(issuer: str, allowed_origins: Collection[str], logo_url: str) -> list[tuple[bytes, bytes]]:
    rows = {
        "content-security-policy": _policy(allowed_origins, logo_url),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",  # "no-referrer" would make a browser send `Origin: null` with our own forms
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-site",
        "permissions-policy": PERMISSIONS,
        "cache-control": "no-store",
    }
    if issuer.startswith("https:"):
        rows["strict-transport-security"] = "max-age=31536000"
    return [(name.encode(), value.encode()) for name, value in rows.items()]


def _leading_to(origin: str, name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Let this one page's form lead to the app that its person is on the way to (`request.state.form_action`)."""
    if name != b"content-security-policy":
        return name, value
    return name, value.replace(b"form-action 'self'", b"form-action 'self' " + origin.encode("ascii"))


def _framing(origins: str, name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Let this one page hold frames of these apps (`request.state.frame_src`)."""
    if name != b"content-security-policy":
        return name, value
    return name, value + b"; frame-src " + origins.encode("ascii")


def _policy(allowed_origins: Collection[str], logo_url: str) -> str:
    """`form-action` also counts for the redirect after a form, so the apps that we send people back to are in it."""
    parts = urlsplit(logo_url)
    logo = f" {parts.scheme}://{parts.netloc}" if logo_url else ""
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            f"img-src 'self'{logo}",
            " ".join(("form-action 'self'", *sorted(allowed_origins))),
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )
