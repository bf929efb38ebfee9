"""The document of RFC 9728 as one of a project's URLs: `urlpatterns = [..., metadata_url()]`."""

from typing import Any

from django.http import HttpResponse
from django.urls import path

from authserver.resource.django.configuration import guard
from authserver.resource.metadata import HEADERS


def metadata_url() -> Any:
    """Its place is computed from AUTHSERVER["AUDIENCE"]; AUTHSERVER["METADATA"] holds what only the project knows."""
    guard().metadata()  # a guard without any is a mistake to be heard of now
    metadata = guard().resource_metadata
    route = "" if metadata is None else metadata.path.removeprefix("/")
    return path(route, _protected_resource, name="protected_resource")


def _protected_resource(_request: Any) -> Any:
    metadata = guard().resource_metadata
    content = b"" if metadata is None else metadata.content
    return HttpResponse(content, headers=dict(HEADERS), content_type="application/json")
