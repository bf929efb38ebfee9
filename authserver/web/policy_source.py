"""An address as a source in a Content-Security-Policy (CSP 3 §2.3.1), for `form-action` above all.

Browsers apply `form-action` to the redirects that follow a form as well, so a page that leads to an app has to name it.
The grammar has no IPv6 address: Chromium ignores such a source, and a native app that listens on `http://[::1]:51004`
would never be reached. The port alone is named for it.
"""

from urllib.parse import urlsplit


def source_of(uri: str) -> str:
    """Answer the source that lets a browser go to this address; the narrowest that there is."""
    parts = urlsplit(uri)
    if not parts.netloc:
        return f"{parts.scheme}:"
    if "[" in parts.netloc:
        return f"{parts.scheme}://*:{parts.port or 80}"
    return f"{parts.scheme}://{parts.netloc}"
