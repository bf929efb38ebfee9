"""Where to send a browser after sign-in: only to ourselves or to an app that the settings name (SECURITY O05)."""

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

LONGEST: Final = 2000


def safe_return(target: str | None, allowed_origins: Collection[str]) -> str | None:
    """Answer the target if it is safe, else None; what is not plainly safe is not."""
    if not target or len(target) > LONGEST or not target.isprintable() or not target.isascii():
        return None
    if "\\" in target or " " in target:
        return None
    if target.startswith("/"):
        return None if target.startswith("//") else target
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    return target if f"{parts.scheme}://{parts.netloc}" in allowed_origins else None
