"""What the three logout plans begin and end with: a person who is signed in to a relying party, and one who is not."""

from typing import Any

import httpx2

from tests.conformance import judging
from tests.conformance.browser import Arrival, Browser
from tests.conformance.relying_party import CALLBACK, Flow, RelyingParty

AFTER = "https://rp.example/after-logout"
STATE = "state~" + "0123456789abcdef" * 7 + "!*'()-_.+ &="  # the suite's has 128 characters
REGISTRATION: dict[str, Any] = {
    "client_name": "Relying party",
    "redirect_uris": [CALLBACK],
    "post_logout_redirect_uris": [AFTER],
    "scope": "openid",
}


def end_session(
    rp: RelyingParty, browser: Browser, flow: Flow, **changes: str | None
) -> Arrival | httpx2.Response:
    """Send a browser to the end session endpoint; a parameter given as None is left out."""
    usual = {
        "id_token_hint": flow.tokens["id_token"],
        "post_logout_redirect_uri": AFTER,
        "state": STATE,
    }
    sent = {name: value for name, value in {**usual, **changes}.items() if value is not None}
    return browser.open(rp.metadata["end_session_endpoint"], sent)


def is_signed_in(rp: RelyingParty, browser: Browser) -> bool:
    """Ask with `prompt=none`."""
    answer = rp.answered(browser, prompt="none")
    assert "code" in answer or answer["error"] in judging.NEEDS_A_PAGE
    return "code" in answer
