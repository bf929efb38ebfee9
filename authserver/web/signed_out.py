"""What a person sees who has signed out, with the apps that end their own part while the page is open.

OpenID Connect Front-Channel Logout 1.0: a hidden frame for each app of the session, with `iss` and `sid` where the app
asked for them. The policy of this one page names their origins and no others, and a sandbox keeps them from leading
the browser away. Browsers that block third-party cookies make most of this idle: the back channel is what counts.

An app that waits for its person is a link, and a `Refresh` that begins when every frame has loaded; no script.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from authserver.deliveries.store import Frame
from authserver.web.answers import Answers

WAIT: Final = 1  # second, after all frames have loaded


@dataclass(frozen=True, slots=True)
class Onward:
    """The app that a person is on the way back to. Only with `at_once` without another click."""

    app_name: str
    target: str
    at_once: bool


def signed_out(
    answers: Answers,
    request: Request,
    *,
    everywhere: bool = False,
    frames: Sequence[str] = (),
    onward: Onward | None = None,
) -> Response:
    """Answer the page.

    :param frames: URLs of apps, from `frame_urls`.
    """
    if frames:
        request.state.frame_src = " ".join(sorted({_origin(url) for url in frames}))
    page = answers.page(request, "signed_out.html", everywhere=everywhere, frames=frames, onward=onward)
    if onward is not None and onward.at_once:
        page.headers["refresh"] = f"{WAIT};url={onward.target}"
    return page


def frame_urls(frames: Sequence[Frame], issuer: str, session_id: str) -> list[str]:
    """Answer what to load: each app's page, and which session is meant where it wants to know (§2)."""
    said = urlencode({"iss": issuer, "sid": session_id})
    return [
        f"{uri}{'&' if '?' in uri else '?'}{said}" if with_session else uri for uri, with_session in frames
    ]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
