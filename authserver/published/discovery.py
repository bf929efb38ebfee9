"""Discovery: what this server offers, computed from what is mounted (RFC 8414 §2, OpenID Connect Discovery §3).

No authorization endpoint is mounted yet, so the grant and response types are empty lists, and said to be.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from authserver.protocol import paths
from authserver.protocol.media import JSON
from authserver.published.documents import Document, json_document


def metadata(issuer: str, algorithms: Sequence[str], *, status_lists: bool) -> dict[str, Any]:
    """Build the metadata; `revocations_endpoint` is ours, for `authserver.resource` and whoever reads the feed."""
    offered = {
        "issuer": issuer,
        "jwks_uri": issuer + paths.JWKS,
        "revocations_endpoint": issuer + paths.REVOCATIONS,
        "response_types_supported": [],
        "grant_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(algorithms),
        "ui_locales_supported": ["en", "ko"],
    }
    if status_lists:
        offered["status_list_aggregation_endpoint"] = issuer + paths.STATUS_LISTS
    return offered


def discovery_document(
    issuer: str, algorithms: Sequence[str], max_age: timedelta, *, status_lists: bool = False
) -> Document:
    seconds = int(max_age.total_seconds())
    return json_document(
        metadata(issuer, algorithms, status_lists=status_lists),
        JSON,
        f"public, max-age={seconds}, stale-if-error=86400",
    )
