"""requests-oauth2client, unmodified, against a server in a process of its own: a third reading of the same RFCs.

Its JOSE is neither joserfc nor node's. `testing=True` is its word for http on loopback and switches nothing else off.
"""

from typing import Any

import httpx2
import pytest

from tests.processes import LoginService
from tests.real_clients.browser import Browser
from tests.real_clients.registered import CALLBACK, SCOPE, SIGNED_OUT, SIGNS_PEOPLE_IN, App, register
from tests.real_clients.rotation import rotated

library = pytest.importorskip("requests_oauth2client", reason="requests-oauth2client is not installed")


def connected(app: App) -> Any:
    return library.OAuth2Client.from_discovery_endpoint(
        issuer=app.issuer,
        auth=library.ClientSecretBasic(app.client_id, app.client_secret),
        redirect_uri=CALLBACK,
        id_token_signed_response_alg="RS256",
        testing=True,
    )


def sign_in(client: Any, browser: Browser, *, pushed: bool = False) -> Any:
    request = client.authorization_request(scope=SCOPE, max_age=600)
    sent = client.pushed_authorization_request(request) if pushed else request
    answer = request.validate_callback(browser.open(str(sent)))
    return client.authorization_code(answer, validate=True)


@pytest.mark.parametrize("pushed", [False, True])
def test_people_sign_in_and_out_and_a_new_key_signs_in_between(site: LoginService, pushed: bool) -> None:
    app = register(site, "Shop", "--kind", "web", *SIGNS_PEOPLE_IN)
    client = connected(app)
    with Browser(site.origin) as browser:
        first = sign_in(client, browser, pushed=pushed)
        assert client.userinfo(first)["sub"] == first.id_token.subject
        new = rotated(site)
        second = client.refresh_token(first)
        assert first.id_token.kid != new == second.id_token.kid
        again = sign_in(client, browser, pushed=pushed)
        assert again.id_token.kid == new
        goodbye = httpx2.URL(
            f"{site.origin}/oauth2/logout",
            params={"id_token_hint": str(again.id_token), "post_logout_redirect_uri": SIGNED_OUT},
        )
        assert browser.open(str(goodbye)) == SIGNED_OUT
        with pytest.raises(library.InvalidGrant):
            client.refresh_token(second)


def test_service_gets_looks_up_and_revokes_a_token_of_its_own(site: LoginService) -> None:
    app = register(site, "Reports", "--kind", "service", "--scope", "orders:read")
    client = connected(app)
    token = client.client_credentials(scope="orders:read")
    assert client.introspect_token(token)["active"]
    assert client.revoke_access_token(token)
    assert not client.introspect_token(token)["active"]


def test_token_is_bound_to_a_key_of_the_app(site: LoginService) -> None:
    app = register(site, "Bank", "--kind", "service", "--scope", "orders:read", "--dpop")
    client = connected(app)
    token = client.client_credentials(scope="orders:read", dpop=True)
    assert client.introspect_token(token)["cnf"]["jkt"] == token.dpop_key.dpop_jkt
