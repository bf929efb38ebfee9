"""An app, registered by the command that its developer would use."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.conftest import PASSWORD
from tests.processes import LoginService, authserver

CALLBACK = "http://127.0.0.1/callback"  # nobody listens: the browser's last request is handed to the app
SIGNED_OUT = "http://127.0.0.1/signed-out"
SCOPE = "openid profile email roles orders:read"
SIGNS_PEOPLE_IN = (
    *("--redirect-uri", CALLBACK, "--post-logout-redirect-uri", SIGNED_OUT),
    *("--scope", SCOPE),
)

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class App:
    """What the developer of an app is told, and what its person knows."""

    issuer: str
    client_id: str
    client_secret: str

    @property
    def facts(self) -> Facts:
        """All that a program needs."""
        return facts(self.issuer, client_id=self.client_id, client_secret=self.client_secret)


def register(site: LoginService, name: str, *options: str) -> App:
    """Run `authserver client create`; the same words once for a server, for the command takes a second."""
    answer = _told(site.data, "create", name, *options)
    return App(answer["issuer"], answer["client"]["client_id"], answer.get("client_secret", ""))


def invited(site: LoginService) -> Facts:
    """Run `authserver client invite`, for an app that registers itself."""
    return facts(site.origin, invitation=_told(site.data, "invite", "--uses", "2")["initial_access_token"])


def facts(issuer: str, **more: str) -> Facts:
    return {
        "issuer": issuer,
        "redirect_uri": CALLBACK,
        "post_logout_redirect_uri": SIGNED_OUT,
        "scope": SCOPE,
        "audience": issuer,
        "username": "demo",
        "password": PASSWORD,
        **more,
    }


@cache
def _told(data: Path, *words: str) -> Facts:
    done = authserver("client", *words, "--json", "--data", str(data))
    answer: Facts = json.loads(done.stdout)
    return answer
