"""The entry for INSTALLED_APPS: `manage.py check` and `runserver` say what is wrong with AUTHSERVER."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from authserver.resource.django.configuration import problems


class AuthserverConfig(AppConfig):
    """An application without models, for its system check alone."""

    name = "authserver.resource.django"
    label = "authserver_resource"
    verbose_name = "Authserver"

    def ready(self) -> None:
        checks.register(check_setting, checks.Tags.security)


def check_setting(**_: Any) -> list[Any]:
    """One message for each problem, as Django prints them."""
    found = problems(getattr(settings, "AUTHSERVER", None))
    return [checks.Error(text, hint=hint, id=f"authserver.{code}") for code, text, hint in found]
