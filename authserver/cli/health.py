"""`authserver health`: ask a running server whether it is ready; for the health check of a container."""

import json
from http.client import HTTPException
from typing import Annotated, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, build_opener

import typer

from authserver.cli.answers import Answer, Refused
from authserver.cli.call import Call
from authserver.cli.verbs import command

SECONDS: Final = 2
LONGEST_ANSWER: Final = 4_096


class NoRedirects(HTTPRedirectHandler):
    """An answer that sends us elsewhere is no answer."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _health(
    call: Call,
    *,
    url: Annotated[str, typer.Option(help="Where the server is. Else the issuer.", metavar="URL")] = "",
) -> Answer:
    """Ask /readyz of a running server; exit code 1 if it is not ready.

    Example: authserver health --url http://127.0.0.1:8000
    """
    address = _allowed(url or call.settings.issuer)
    why = _ask(f"{address}/readyz")
    words = f"{address} is not ready: {why}" if why else f"{address} is ready."
    return Answer({"ready": not why, "url": address, "why": why or None}, [words], code=1 if why else 0)


def _allowed(url: str) -> str:
    """Without TLS only on this machine: elsewhere the answer could be anybody's."""
    from authserver.settings import is_loopback  # noqa: PLC0415 - 0.2 s that a health check every few seconds saves

    parts = urlsplit(url)
    if parts.hostname and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    ):
        return f"{parts.scheme}://{parts.netloc}"
    raise Refused(
        "--url is an https URL, or an http URL of this machine such as http://127.0.0.1:8000", code=2
    )


def _ask(url: str) -> str:
    """Answer why the server is not ready, and nothing when it is."""
    try:
        with _opener().open(url, timeout=SECONDS) as response:
            return "" if response.status == 200 else f"it answered {response.status}"  # noqa: PLR2004 - HTTP's number
    except HTTPError as error:
        with error:
            return _reason(error.read(LONGEST_ANSWER)) or f"it answered {error.code}"
    except (URLError, OSError, HTTPException) as error:
        return f"it does not answer ({getattr(error, 'reason', None) or error})"


def _opener() -> OpenerDirector:
    """No proxy: the check is about this server, not about the way to it."""
    return build_opener(ProxyHandler({}), NoRedirects())


def _reason(body: bytes) -> str:
    try:
        return str(json.loads(body)["why"])
    except (ValueError, LookupError, TypeError):
        return ""


health = command(_health)
