"""What comes in and goes out when a client registers itself, in the words of RFC 7591 §2, §3 and RFC 7592 §2, §3."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from starlette.requests import Request

from authserver.clients import metadata
from authserver.clients.contradictions import Problem as Unfit
from authserver.clients.store import Client
from authserver.clock import seconds
from authserver.oauth.errors import Problem
from authserver.opaque import Secret
from authserver.protocol import oauth as words
from authserver.protocol import paths
from authserver.protocol.media import JSON
from authserver.resource.strict_json import MalformedJSON, strict_json
from authserver.web.body import BadRequest, UnsupportedMediaType, media_type, read_body

LARGEST: Final = 64 * 1024  # twenty RSA keys and fifty redirect URIs
REDIRECTS: Final = frozenset({"redirect_uris", "post_logout_redirect_uris"})
OURS_TO_SAY: Final = (  # not in a PUT (RFC 7592 §2.2)
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)
BEARER: Final = re.compile(r"bearer +([a-z0-9\-._~+/]+=*)", re.IGNORECASE)
UNSAYABLE: Final = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")  # RFC 6749 §5.2
MOST_SAID: Final = 3  # problems in one answer


async def read_json(request: Request) -> Mapping[str, Any]:
    """Read a registration.

    :raises BadRequest: or one of its kinds.
    """
    if media_type(request) != JSON:
        raise UnsupportedMediaType(f"Send {JSON}.")
    try:
        return strict_json(await read_body(request, LARGEST))
    except MalformedJSON:
        raise BadRequest("The request is not valid JSON.") from None


def unverified_token(request: Request) -> str:
    """Answer what stands in `Authorization: Bearer`; nothing that is one token is no token."""
    headers = request.headers.getlist("authorization")
    found = BEARER.fullmatch(headers[0]) if len(headers) == 1 else None
    return found[1] if found else ""


def unfit(problems: Iterable[Unfit]) -> Problem:
    """Say what is wrong with a registration: which fields, and what to do, never what was sent."""
    found = list(problems)
    about_redirects = any(problem.field in REDIRECTS for problem in found)
    error = words.INVALID_REDIRECT_URI if about_redirects else words.INVALID_CLIENT_METADATA
    return Problem(error, "; ".join(f"{each.field}: {_sayable(each.message)}" for each in found[:MOST_SAID]))


def described(client: Client, issuer: str, token: str, secret: Secret | None) -> dict[str, Any]:
    """Say all that is registered (RFC 7591 §3.2.1), and where and by which token it can be changed."""
    own = {"client_secret": secret, "client_secret_expires_at": 0} if secret else {}
    return {
        "client_id": client.client_id,
        "client_id_issued_at": seconds(client.created_at),
        **own,
        "registration_client_uri": f"{issuer}{paths.REGISTER}/{client.client_id}",
        "registration_access_token": token,
        **metadata.words(client),
    }


def _sayable(message: str) -> str:
    """A message about a URI quotes it first, and says why behind that."""
    why = message.rpartition(" cannot be registered: ")[2]
    return UNSAYABLE.sub("", why.replace('"', "'"))
