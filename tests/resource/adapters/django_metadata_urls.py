"""The URLs of a project that publishes what it is (RFC 9728); importable only where AUTHSERVER has METADATA."""

from authserver.resource.django import metadata_url
from tests.resource.adapters import django_urls

urlpatterns = [metadata_url(), *django_urls.urlpatterns]
