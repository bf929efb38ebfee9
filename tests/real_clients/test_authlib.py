"""Authlib's `OAuth2Client` and `AsyncOAuth2Client`, unmodified, against a server in a process of its own.

The server uses Authlib too, but not for this: what these two agree on, they agree on by the standards. ID tokens are
verified as Authlib's web integrations do it, by its `CodeIDToken`.
"""

import asyncio
from typing import Any

import httpx2
import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuth2Client
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.processes import LoginService
from tests.real_clients.browser import Browser
from tests.real_clients.registered import CALLBACK, SCOPE, SIGNED_OUT, SIGNS_PEOPLE_IN, App, register
from tests.real_clients.rotation import rotated

Fields = dict[str, Any]


def discovered(site: LoginService) -> Fields:
    """What the server says of itself; every member that Authlib knows is checked, but for https: this is loopback."""
    answer = httpx2.get(get_well_known_url(site.origin, external=True))
    found = OpenIDProviderMetadata(answer.raise_for_status().json())
    for member in OpenIDProviderMetadata.REGISTRY_KEYS:
        if not member.endswith(("_endpoint", "_uri", "issuer")):
            getattr(found, f"validate_{member}")()
    return dict(found)


def verified(tokens: Fields, metadata: Fields, app: App, nonce: str | None) -> tuple[Fields, Fields]:
    """Header and claims of an ID token, by the keys that are published at this moment."""
    keys = KeySet.import_key_set(httpx2.get(metadata["jwks_uri"]).json())
    decoded = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"])
    asked = {"nonce": nonce, "client_id": app.client_id, "access_token": tokens["access_token"]}
    options = {"iss": {"essential": True, "value": app.issuer}, "auth_time": {"essential": True}}
    claims = CodeIDToken(decoded.claims, decoded.header, options, asked)
    claims.validate()
    return decoded.header, dict(claims)


def sign_in(client: OAuth2Client, metadata: Fields, browser: Browser) -> tuple[Fields, str]:
    verifier, nonce = generate_token(48), generate_token()
    url, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    callback = browser.open(url)
    answer = httpx2.URL(callback).params
    assert answer["iss"] == metadata["issuer"]
    tokens = client.fetch_token(authorization_response=callback, state=state, code_verifier=verifier)
    return tokens, nonce


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_people_sign_in_and_out_and_a_new_key_signs_in_between(site: LoginService, method: str) -> None:
    app = register(site, "Shop", "--kind", "web", "--auth-method", method, *SIGNS_PEOPLE_IN)
    metadata = discovered(site)
    with (
        Browser(site.origin) as browser,
        OAuth2Client(
            app.client_id,
            app.client_secret,
            method,
            scope=SCOPE,
            redirect_uri=CALLBACK,
            code_challenge_method="S256",
            token_endpoint=metadata["token_endpoint"],
        ) as client,
    ):
        first, nonce = sign_in(client, metadata, browser)
        before, claims = verified(first, metadata, app, nonce)
        person = client.get(metadata["userinfo_endpoint"]).json()
        assert person["sub"] == claims["sub"]
        new = rotated(site)
        second = client.refresh_token()
        after, refreshed = verified(second, metadata, app, None)
        assert before["kid"] != new == after["kid"]
        assert refreshed["sub"] == claims["sub"]
        again, nonce = sign_in(client, metadata, browser)
        assert verified(again, metadata, app, nonce)[0]["kid"] == new
        goodbye = httpx2.URL(
            metadata["end_session_endpoint"],
            params={"id_token_hint": again["id_token"], "post_logout_redirect_uri": SIGNED_OUT, "state": "1"},
        )
        assert browser.open(str(goodbye)) == f"{SIGNED_OUT}?state=1"
        with pytest.raises(OAuthError, match="invalid_grant"):
            client.refresh_token(refresh_token=second["refresh_token"])


def test_expired_token_is_refreshed_by_the_asynchronous_client_itself(site: LoginService) -> None:
    app = register(site, "Shop", "--kind", "web", *SIGNS_PEOPLE_IN)
    metadata = discovered(site)

    async def visit(tokens: Fields) -> tuple[Fields, Fields]:
        aged = {**tokens, "expires_at": 1}
        async with AsyncOAuth2Client(
            app.client_id, app.client_secret, token=aged, token_endpoint=metadata["token_endpoint"]
        ) as client:
            person = await client.get(metadata["userinfo_endpoint"])
            return person.json(), dict(client.token)

    with (
        Browser(site.origin) as browser,
        OAuth2Client(
            app.client_id,
            app.client_secret,
            scope=SCOPE,
            redirect_uri=CALLBACK,
            code_challenge_method="S256",
            token_endpoint=metadata["token_endpoint"],
        ) as client,
    ):
        tokens, _ = sign_in(client, metadata, browser)
    person, renewed = asyncio.run(visit(tokens))
    assert person["sub"]
    assert renewed["refresh_token"] != tokens["refresh_token"]


def test_service_gets_looks_up_and_revokes_a_token_of_its_own(site: LoginService) -> None:
    app = register(site, "Reports", "--kind", "service", "--scope", "orders:read")
    metadata = discovered(site)
    with OAuth2Client(app.client_id, app.client_secret, token_endpoint=metadata["token_endpoint"]) as client:
        token = client.fetch_token(grant_type="client_credentials", scope="orders:read")
        look_up = metadata["introspection_endpoint"], token["access_token"]
        assert client.introspect_token(*look_up).json()["client_id"] == app.client_id
        revoked = client.revoke_token(metadata["revocation_endpoint"], token["access_token"])
        assert revoked.status_code == 200
        assert client.introspect_token(*look_up).json() == {"active": False}
