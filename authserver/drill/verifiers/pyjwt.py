"""PyJWT with its `PyJWKClient`, which knows no max-age: a lifespan, and a cool-down between unknown kids.

Its defaults are 300 s and 30 s, made for keys that stay for days. The drill quickens max-age from the server's default
of 300 s, so both are quickened by the same factor: otherwise a client from one world would be measured in another.
"""

from typing import Final

import jwt

from authserver.drill.verifiers import Service, Verify
from authserver.protocol import paths

DEFAULT_MAX_AGE: Final = 300.0
LIFESPAN: Final = 300.0
COOLDOWN: Final = 30.0


def verifier(service: Service) -> Verify:
    quicker = service.max_age / DEFAULT_MAX_AGE
    client = jwt.PyJWKClient(
        service.issuer + paths.JWKS, lifespan=LIFESPAN * quicker, cooldown_duration=COOLDOWN * quicker
    )

    def verify(token: str) -> str | None:
        try:
            key = client.get_signing_key_from_jwt(token)
            jwt.decode(token, key, algorithms=["RS256"], audience=service.audience, issuer=service.issuer)
        except jwt.PyJWTError as error:
            return str(error)
        return None

    return verify
