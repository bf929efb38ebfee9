"""A Django project as small as one can be: its settings, its URLs, and /any, /scope and /role in four styles."""

import django
from django.conf import settings

from tests.resource.adapters.table import HOST


def configure() -> None:
    """Once for the process; Django has no other way. Tests change single settings by `override_settings`."""
    if settings.configured:
        return
    settings.configure(
        ALLOWED_HOSTS=[HOST],
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "rest_framework",
            "authserver.resource.django",
        ],
        MIDDLEWARE=[
            "django.middleware.csrf.CsrfViewMiddleware",
            "authserver.resource.django.AuthserverMiddleware",
        ],
        ROOT_URLCONF="tests.resource.adapters.django_urls",
        SECRET_KEY="of a test",
        SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    )
    django.setup()
