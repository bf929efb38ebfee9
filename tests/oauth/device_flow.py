"""A television and its person: the device asks the server, the person a page, and neither sees the other's requests."""

from dataclasses import dataclass
from typing import Any

import httpx2

from authserver.clients.registration import DEVICE_CODE
from tests.oauth.conftest import App
from tests.visitor import Visitor

PAGE = {"Accept": "text/html"}


@dataclass
class Television:
    """A registered app without a browser, on a device of its own."""

    app: App
    visitor: Visitor

    def ask(self, **fields: Any) -> httpx2.Response:
        data = {"scope": "openid orders:read", **fields}
        if self.app.secret is None:
            data.setdefault("client_id", self.app.client.client_id)
        return self.visitor.post("/oauth2/device_authorization", data=data, auth=self.app.auth)

    def begin(self, **fields: Any) -> dict[str, Any]:
        answer = self.ask(**fields)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def poll(self, device_code: str, **fields: str) -> httpx2.Response:
        return self.app.token(self.visitor, grant_type=DEVICE_CODE, device_code=device_code, **fields)


def look(person: Visitor, user_code: str) -> httpx2.Response:
    """Type a code."""
    return person.form("/device", "/device", {"user_code": user_code})


def decide(person: Visitor, user_code: str, decision: str = "allow") -> httpx2.Response:
    """Type a code and press a button on the page that follows."""
    return person.form("/device", "/device", {"user_code": user_code, "decision": decision})
