"""The guard for Django: one setting, a middleware, a decorator. REST framework: `authserver.resource.rest_framework`.

    AUTHSERVER = {"ISSUER": "https://login.example.com", "AUDIENCE": "https://api.example.com"}
    INSTALLED_APPS = [..., "authserver.resource.django"]  # its system check explains a wrong AUTHSERVER
    MIDDLEWARE = [..., "authserver.resource.django.AuthserverMiddleware"]  # request.principal

Owns no tables and no users of Django's. `urlpatterns = [..., metadata_url()]` publishes the document of RFC 9728.
"""

from authserver.resource.extras import Needs

with Needs("django"):
    from authserver.resource.django.configuration import guard
    from authserver.resource.django.decorators import require
    from authserver.resource.django.metadata import metadata_url
    from authserver.resource.django.middleware import AuthserverMiddleware
from authserver.resource.freshness import Freshness
from authserver.resource.principal import Principal

__all__ = ["AuthserverMiddleware", "Freshness", "Principal", "guard", "metadata_url", "require"]
