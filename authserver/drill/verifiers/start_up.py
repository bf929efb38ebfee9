"""The habit of many small services: keys are fetched at start-up, and again only for a `kid` that is unknown.

Such a service never forgets a key. No server can make it: only a restart, or a `kid` that it has not met.
"""

import json

from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import Token, decode

from authserver.drill.verifiers import Service, Verify
from authserver.drill.verifiers.max_age_joserfc import claims_of
from authserver.protocol import paths
from authserver.resource.http import Fetch, HttpFetch


class StartUp:
    """Holds the keys of the last fetch."""

    def __init__(self, url: str, fetch: Fetch) -> None:
        self._url = url
        self._fetch = fetch
        self._keys = self._fetched()

    def decode(self, token: str) -> Token:
        try:
            return decode(token, self._keys, algorithms=["RS256"])
        except InvalidKeyIdError:
            self._keys = self._fetched()
            return decode(token, self._keys, algorithms=["RS256"])

    def _fetched(self) -> KeySet:
        return KeySet.import_key_set(json.loads(self._fetch(self._url, None).body))


def verifier(service: Service) -> Verify:
    keys, registry = StartUp(service.issuer + paths.JWKS, HttpFetch()), claims_of(service)

    def verify(token: str) -> str | None:
        try:
            registry.validate(keys.decode(token).claims)
        except JoseError as error:
            return str(error)
        return None

    return verify
