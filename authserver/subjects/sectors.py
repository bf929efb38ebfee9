"""Which clients know a person by the same name: those of one sector (OpenID Connect Core §8.1)."""

from urllib.parse import urlsplit

from authserver.clients.registration import Registration


def sector_of(client: Registration) -> str | None:
    """Answer a client's sector; None where it knows people by their account's own id.

    The host of its `sector_identifier_uri`, or the one that all its redirect URIs have (registration sees to that). A
    native app's own scheme is a domain in reverse, and stands for the host that such a URI has not.
    """
    if client.subject_type != "pairwise":
        return None
    parts = urlsplit(client.sector_identifier_uri or client.redirect_uris[0])
    return parts.hostname or parts.scheme
