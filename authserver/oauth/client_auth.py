"""Which client is it, and can it prove that? RFC 6749 §2.3 and §3.2.1, RFC 7523 §3, OIDC Core §9.

In order: exactly one method is used (two are an attack on whoever reads only one); the client is looked up, and its
secret compared, in the same time and with the same answer whether it exists or not; the method is the one that it
registered; it is not disabled. `Basic` is read here and strictly: its parts are form-encoded (§2.3.1), in UTF-8.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import unquote_plus

from sqlalchemy import Connection

from authserver.clients import secrets, store
from authserver.clients.registration import BASIC, NONE, POST
from authserver.clients.store import Client
from authserver.oauth.errors import Problem, client_problem
from authserver.oauth.parameters import Parameters
from authserver.protocol.oauth import INVALID_REQUEST

ONE_METHOD: Final = Problem(INVALID_REQUEST, "Authenticate the client in one way, not in two at once.")
UNREADABLE: Final = Problem(INVALID_REQUEST, "The header Authorization cannot be read.")


@dataclass(frozen=True, slots=True)
class Unproven:
    """What a request says about its client."""

    method: str
    client_id: str
    proof: str = ""

    @property
    def by_header(self) -> bool:
        return self.method == BASIC


def presented(authorization: Sequence[str], parameters: Parameters) -> Unproven | Problem:
    """Read who a client says it is, and by what it would prove that."""
    basic = _basic(authorization)
    if isinstance(basic, Problem):
        return basic
    named, secret = parameters.get("client_id"), parameters.get("client_secret")
    if basic is not None:
        if secret is not None:
            return ONE_METHOD
        return basic if named in (None, basic.client_id) else client_problem(by_header=True)
    if named is None:
        return client_problem(by_header=False)
    return Unproven(NONE if secret is None else POST, named, secret or "")


def authenticate(db: Connection, unproven: Unproven, now: datetime) -> Client | Problem:
    """Answer the client, if it is the one that it says it is."""
    found = store.by_id(db, unproven.client_id)
    proven = secrets.is_one_of(unproven.proof, found.secrets if found else (), now)
    client = found.client if found else None
    if client is None or client.disabled_at is not None:
        return client_problem(by_header=unproven.by_header)
    if client.token_endpoint_auth_method != unproven.method or not (proven or client.public):
        return client_problem(by_header=unproven.by_header)
    return client


def _basic(authorization: Sequence[str]) -> Unproven | Problem | None:
    """Read `Authorization: Basic`; None where there is no such header."""
    if not authorization:
        return None
    scheme, _, encoded = authorization[0].partition(" ")
    if len(authorization) > 1 or scheme.lower() != "basic":
        return UNREADABLE
    try:
        name, colon, password = b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (Base64Error, ValueError):
        return UNREADABLE
    return Unproven(BASIC, unquote_plus(name), unquote_plus(password)) if colon and name else UNREADABLE
