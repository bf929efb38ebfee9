"""Between Django's requests and responses and the guard's."""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

from authserver.resource.answer import Answer
from authserver.resource.target_uri import escaped


@dataclass(frozen=True, slots=True)
class DjangoRequest:
    """A RequestView of an HttpRequest, from WSGI or ASGI."""

    request: Any

    @property
    def method(self) -> str:
        return str(self.request.method)

    @property
    def path(self) -> str:
        return escaped(self.request.path)

    @property
    def notes(self) -> MutableMapping[str, Any]:
        meta: MutableMapping[str, Any] = self.request.META
        return meta

    def header_values(self, name: str) -> Sequence[str]:
        """Django has joined headers of one name by a comma, which no token holds: two are malformed, as they should be.

        The host is the one Django believes in (ALLOWED_HOSTS, USE_X_FORWARDED_HOST): behind a proxy the header may
        be another, and every own page would look like another site's.
        """
        if name == "host":
            return (self.request.get_host(),)
        value = self.request.headers.get(name)
        return () if value is None else (value,)


def respond(answer: Answer) -> Any:
    return HttpResponse(
        answer.content,
        status=answer.status,
        headers=dict(answer.headers),
        content_type="application/json",
    )
