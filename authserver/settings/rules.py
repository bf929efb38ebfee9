"""Settings that cannot be true together, and those that a service must not run without. Each row says why."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from authserver.settings.kinds import is_loopback

if TYPE_CHECKING:
    from authserver.settings.model import Settings

Rows = list[tuple[bool, str]]

NO_ISSUER = (
    "issuer: AUTHSERVER_ISSUER is not set, and the default is for development only: set it to this server's https "
    "URL; or name the folder of your data by --data, if an authserver.toml there says it"
)


def impossible(settings: "Settings") -> list[str]:
    """Say what cannot work with these settings, whatever the server is used for."""
    rows = _addresses(settings) + _times(settings) + _keys_and_stores(settings)
    return [text for wrong, text in rows if wrong]


def _addresses(settings: "Settings") -> Rows:
    host = urlsplit(settings.issuer).hostname or ""
    domain = settings.cookie_domain
    is_http = settings.issuer.startswith("http:") and not (settings.development and is_loopback(host))
    given = "issuer" in settings.model_fields_set
    return [
        (
            is_http and given,
            "issuer: must be https, except on loopback in development: its cookies are Secure",
        ),
        (is_http and not given, NO_ISSUER),
        (settings.development and not is_loopback(host), "development: only for an issuer on loopback"),
        (
            bool(domain) and not (host == domain or host.endswith(f".{domain}")),
            f"cookie_domain: {host} is not in {domain!r}, so a browser would drop the cookie",
        ),
        (
            bool(domain) and "." not in domain,
            "cookie_domain: a browser refuses a cookie for a top-level domain",
        ),
    ]


def _times(settings: "Settings") -> Rows:
    return [
        (
            settings.clock_skew < timedelta(seconds=10),
            "clock_skew: at least 10 s, the time in which servers notice a changed key",
        ),
        (
            not timedelta(minutes=1) <= settings.access_token_lifetime <= timedelta(days=1),
            "access_token_lifetime: between 1m and 1d",
        ),
        (
            not timedelta(seconds=1) <= settings.jwks_max_age <= timedelta(days=1),
            "jwks_max_age: between 1s and 1d",
        ),
        (
            settings.rotation_period < 2 * (settings.jwks_max_age + settings.clock_skew),
            "rotation_period: shorter than twice jwks_max_age + clock_skew; no key could become active in time",
        ),
        (
            not timedelta(seconds=10) <= settings.status_list_ttl <= settings.access_token_lifetime,
            "status_list_ttl: between 10s and access_token_lifetime, after which a status says nothing more",
        ),
        (
            settings.session_idle_timeout > settings.session_lifetime,
            "session_idle_timeout: longer than session_lifetime, so it would never apply",
        ),
        (
            settings.session_idle_timeout < settings.access_token_lifetime,
            "session_idle_timeout: shorter than access_token_lifetime; the session would end before its token",
        ),
    ]


def _keys_and_stores(settings: "Settings") -> Rows:
    return [
        (bool(settings.logo_url) and not settings.logo_url.startswith("https://"), "logo_url: must be https"),
        (
            bool(settings.key_encryption_key) and settings.allow_plaintext_keys,
            "allow_plaintext_keys: a key_encryption_key is set; keep one of the two",
        ),
        (
            not settings.database_address.startswith(
                ("sqlite:///", "postgresql://", "postgresql+psycopg://")
            ),
            "database_url: begins with sqlite:/// or postgresql://",
        ),
        (
            bool(re.match(r"\w+(\+\w+)?://[^:/]*:[^@]*@[^?]*@", settings.database_url)),
            "database_url: write an @ in the password as %40, else half of it is taken for the host",
        ),
    ]


def missing_for_service(settings: "Settings") -> list[str]:
    """Say what `authserver serve` insists on beyond settings that are possible."""
    rows = [
        (
            not settings.key_encryption_key and not settings.allow_plaintext_keys,
            "key_encryption_key: make one with `openssl rand -base64 32`, or allow_plaintext_keys=true on purpose",
        ),
        (settings.development, "development: is for `authserver dev`; unset it"),
    ]
    return [text for missing, text in rows if missing]
