"""Every setting, read once and frozen: command line > environment > `*_FILE` > `authserver.toml` > default.

Owns names, kinds, defaults and the rules of what is possible: a setting that does not exist, or two that cannot be
true together, are refused with the reason, so a typing error is a message at the start and not a surprise in the
night. Refuses to be a global: `load()` answers a value, and whoever needs one is handed it.
"""

from authserver.settings.kinds import is_loopback, key_bytes
from authserver.settings.model import PREFIX, Settings
from authserver.settings.provenance import Source, exposed, provenance
from authserver.settings.rules import missing_for_service
from authserver.settings.sources import SettingsError, load

__all__ = [
    "PREFIX",
    "Settings",
    "SettingsError",
    "Source",
    "exposed",
    "is_loopback",
    "key_bytes",
    "load",
    "missing_for_service",
    "provenance",
]
