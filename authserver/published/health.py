"""GET /livez: the process answers; GET /readyz: it can also sign, and has heard from the database lately."""

from typing import Final

from starlette.types import Scope

from authserver.keyring.live import CannotSign, LiveKeyring
from authserver.protocol.media import JSON
from authserver.published.documents import Document, json_document, unavailable

ALIVE: Final = json_document({"status": "ok"}, JSON, "no-store")
HEARD_WITHIN: Final = 3.0


class Readiness:
    """Says ready only when a sign-in could succeed."""

    def __init__(self, keyring: LiveKeyring, algorithm: str) -> None:
        self._keyring = keyring
        self._algorithm = algorithm

    def __call__(self, scope: Scope) -> Document:  # noqa: ARG002 - a document's source is given the request
        try:
            self._keyring.signer(self._algorithm)
        except CannotSign as error:
            return unavailable(str(error))
        if not self._keyring.confirmed_within(HEARD_WITHIN):
            return unavailable("the database has not answered for a while")
        return ALIVE
