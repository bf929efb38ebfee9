"""Which client is it, and can it prove that? RFC 6749 §2.3 and §3.2.1, RFC 7523 §3, OIDC Core §9.

In order: exactly one method is used (two are an attack on whoever reads only one); the client is looked up, and its
secret compared, in the same time and with the same answer whether it exists or not; the method is the one that it
registered; it is not disabled. `Basic` is read here and strictly: its parts are form-encoded (§2.3.1), in UTF-8. An
assertion (client_assertion.py) says in its `sub` which client's keys it is to be verified by; nothing else in it is
believed before that.
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
from authserver.clients.registration import BASIC, NONE, POST, PRIVATE_KEY_JWT
from authserver.clients.store import Client, Registered
from authserver.oauth import client_assertion
from authserver.oauth.errors import Problem, client_problem
from authserver.oauth.parameters import Parameters
from authserver.protocol.oauth import ASSERTION_TYPE, INVALID_REQUEST

ONE_METHOD: Final = Problem(INVALID_REQUEST, "Authenticate the client in one way, not in two at once.")
HALF_AN_ASSERTION: Final = Problem(
    INVALID_REQUEST, "Send client_assertion and client_assertion_type together."
)
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

    @property
    def single_use(self) -> bool:
        """Whether the proof is used up by looking at it: the step has to write."""
        return self.method == PRIVATE_KEY_JWT


def presented(authorization: Sequence[str], parameters: Parameters) -> Unproven | Problem:
    """Read who a client says it is, and by what it would prove that."""
    basic = _basic(authorization)
    if isinstance(basic, Problem):
        return basic
    named, secret = parameters.get("client_id"), parameters.get("client_secret")
    assertion = _assertion(parameters)
    if isinstance(assertion, Problem):
        return assertion
    if sum(way is not None for way in (basic, secret, assertion)) > 1:
        return ONE_METHOD
    if (by_itself := basic or assertion) is not None:
        same = named in (None, by_itself.client_id)
        return by_itself if same else client_problem(by_header=by_itself.by_header)
    if named is None:
        return client_problem(by_header=False)
    return Unproven(NONE if secret is None else POST, named, secret or "")


def authenticate(db: Connection, unproven: Unproven, now: datetime, issuer: str) -> Client | Problem:
    """Answer the client, if it is the one that it says it is. `issuer`: whom an assertion has to be for."""
    found = store.by_id(db, unproven.client_id)
    by_secret = secrets.is_one_of(unproven.proof, found.secrets if found else (), now)
    if found is None or not _may_try(found, unproven):
        return client_problem(by_header=unproven.by_header)
    proven = by_secret or found.client.public
    if unproven.method == PRIVATE_KEY_JWT:
        proven = client_assertion.proves(db, found.client, unproven.proof, issuer, now)
    return found.client if proven else client_problem(by_header=unproven.by_header)


def _may_try(found: Registered, unproven: Unproven) -> bool:
    client = found.client
    return client.disabled_at is None and client.token_endpoint_auth_method == unproven.method


def _assertion(parameters: Parameters) -> Unproven | Problem | None:
    """Read `client_assertion` (RFC 7521 §4.2); None where there is none."""
    assertion, kind = parameters.get("client_assertion"), parameters.get("client_assertion_type")
    if assertion is None and kind is None:
        return None
    if assertion is None or kind is None:
        return HALF_AN_ASSERTION
    client_id = client_assertion.unverified_client_id(assertion)
    if kind != ASSERTION_TYPE or client_id is None:
        return client_problem(by_header=False)
    return Unproven(PRIVATE_KEY_JWT, client_id, assertion)


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
