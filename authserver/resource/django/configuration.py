"""From the setting AUTHSERVER to the one guard of this process.

Its keys are the parameters of `authserver.resource.Guard` in upper case: ISSUER and AUDIENCE, and those with a default.
A misspelt ALLOWED_ORIGINS must not be a silent one, so unknown keys are errors.
"""

from collections.abc import Mapping
from functools import cache
from inspect import Parameter, signature
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from authserver.resource.guard import Guard

_PARAMETERS: Final = {name.upper(): parameter for name, parameter in signature(Guard).parameters.items()}
_REQUIRED: Final = [name for name, parameter in _PARAMETERS.items() if parameter.default is Parameter.empty]
_LISTS: Final = ("ALLOWED_ORIGINS", "TOKEN_COOKIES")
_EXAMPLE: Final = (
    'AUTHSERVER = {"ISSUER": "https://login.example.com", "AUDIENCE": "https://api.example.com"}'
)


class Problem(NamedTuple):
    """What is wrong with the setting. `code` is the system check's."""

    code: str
    message: str
    hint: str


@cache
def guard() -> Guard:
    """Made at the first call, for the life of the process; ImproperlyConfigured if AUTHSERVER cannot work."""
    configured: Any = getattr(settings, "AUTHSERVER", None)
    found = problems(configured)
    if found:
        raise ImproperlyConfigured(" ".join(f"{problem.message} {problem.hint}" for problem in found))
    return _build(configured)


def problems(configured: Any) -> list[Problem]:
    """Everything that is wrong with the setting; nothing of it is fetched or tried out."""
    if not isinstance(configured, Mapping):
        return [Problem("E001", "The setting AUTHSERVER is missing or is not a dict.", _EXAMPLE)]
    missing = [
        Problem("E002", f"AUTHSERVER has no {name}.", _EXAMPLE)
        for name in _REQUIRED
        if name not in configured
    ]
    unknown = [
        Problem("E003", f"AUTHSERVER has an unknown key {name!r}.", f"Known are {', '.join(_PARAMETERS)}.")
        for name in configured
        if name not in _PARAMETERS
    ]
    texts = [
        Problem("E004", f"AUTHSERVER[{name!r}] is one string.", "Make it a list of strings.")
        for name in _LISTS
        if isinstance(configured.get(name), str)
    ]
    return missing + unknown + texts or _refused(configured)


def _refused(configured: Mapping[str, Any]) -> list[Problem]:
    try:
        _build(configured)
    except (ValueError, TypeError, AttributeError) as error:
        return [Problem("E005", f"AUTHSERVER cannot work: {error}.", _EXAMPLE)]
    return []


def _build(configured: Mapping[str, Any]) -> Guard:
    return Guard(**{name.lower(): value for name, value in configured.items()})


def _forget_guard(*, setting: str, **_: Any) -> None:
    """`override_settings(AUTHSERVER=…)` in somebody's tests."""
    if setting == "AUTHSERVER":
        guard.cache_clear()


setting_changed.connect(_forget_guard)
