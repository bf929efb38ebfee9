"""The operator rotates the signing key while an app is at work."""

import httpx2

from authserver.protocol import paths
from tests.processes import LoginService, until


def rotated(site: LoginService) -> str:
    """Rotate, wait until the running server has noticed, and answer the `kid` that signs now."""
    before = published(site)
    kid = site.keyring.rotate()
    until(lambda: published(site) != before)  # the key after the next one is there
    return kid


def published(site: LoginService) -> set[str]:
    answer = httpx2.get(site.origin + paths.JWKS)
    return {key["kid"] for key in answer.raise_for_status().json()["keys"]}
