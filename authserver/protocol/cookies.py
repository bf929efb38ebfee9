"""Cookie names. `__Host-` means Secure, Path=/ and no Domain; `__Secure-` allows a Domain (RFC 6265bis §4.1.3)."""

from typing import Final

SESSION: Final = "__Host-session"
FORM: Final = "__Host-form"
DEVICE: Final = "__Host-device"
TRIPS: Final = "__Host-trips"
TOKEN_HOST_ONLY: Final = "__Host-access_token"  # noqa: S105 - a cookie's name
TOKEN_WITH_DOMAIN: Final = "__Secure-access_token"  # noqa: S105 - a cookie's name
