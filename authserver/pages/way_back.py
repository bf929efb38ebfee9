"""Where a sign-in leads back to. An app whose origin the settings do not name is an open redirect, or forgotten.

A forgotten one looks, to whoever builds the app, like a sign-in that works and then ends on the wrong page. So it is
said: on the page, without a word of what was asked for, and in the log, once for each origin. Anybody may ask for any
address, so only so many are remembered and told.
"""

from typing import Final
from urllib.parse import urlsplit

from authserver.logs import get_logger
from authserver.web.return_to import LONGEST, safe_return

MOST_TOLD: Final = 64

log = get_logger("authserver.sign_in")


class WayBack:
    """The way back to one of the allowed origins, or to a path of our own."""

    def __init__(self, allowed_origins: frozenset[str]) -> None:
        self._allowed = allowed_origins
        self._told: set[str] = set()

    def to(self, wanted: str | None) -> str | None:
        """Answer where to go; None: nowhere was asked for, or somewhere that is not allowed."""
        target = safe_return(wanted, self._allowed)
        if wanted and target is None:
            self._tell(_origin(wanted))
        return target

    def _tell(self, unverified_origin: str) -> None:
        if unverified_origin in self._told or len(self._told) >= MOST_TOLD:
            return
        self._told.add(unverified_origin)
        log.warning(
            "a sign-in may not lead back there",
            asked_for=unverified_origin,
            advice="name the origin in allowed_origins if it is one of your apps",
        )


def _origin(unverified_target: str) -> str:
    """Without path and query, in which an app may keep what is nobody's business."""
    try:
        parts = urlsplit(unverified_target[:LONGEST])
    except ValueError:
        return "no address"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else "no address"
