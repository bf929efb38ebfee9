"""A refusal as the response that every framework sends: status, headers, JSON body.

RFC 6750 §3 for the challenge, RFC 9110 §10.2.3 for Retry-After. Never stored: a cache that keeps a 401 keeps people
out after they signed in. The body speaks the reader's language; the challenge is for programs and speaks English.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from authserver.resource.messages import message, preferred_language
from authserver.resource.refusal import Refusal, www_authenticate

if TYPE_CHECKING:
    from authserver.resource.explanation import Explanation

RETRY_AFTER: Final = 5  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send. `headers` are all but those about the content.

    `body` is `{"error", "message"}`, and `"explanation": {"code", "text", "facts"}` from a guard that explains itself.
    """

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def content(self) -> bytes:
        """The body as JSON in UTF-8, Korean readable as it is."""
        return json.dumps(dict(self.body), ensure_ascii=False, separators=(",", ":")).encode()


def answer_to(
    refusal: Refusal,
    *,
    realm: str,
    accept_language: str | None,
    explanation: "Explanation | None" = None,
    resource_metadata: str = "",
    proof_algorithms: Sequence[str] = (),
) -> Answer:
    """`realm` names the service in the challenge; `accept_language` as the reader sent it."""
    language = preferred_language(accept_language)
    body: dict[str, Any] = {
        "error": refusal.error or refusal.reason.value,
        "message": message(refusal.reason, language),
    }
    if explanation is not None:
        body["explanation"] = explanation.as_member(language)
    challenge = www_authenticate(
        refusal,
        realm=realm,
        description=message(refusal.reason) if explanation is None else explanation.english,
        resource_metadata=resource_metadata,
        proof_algorithms=proof_algorithms,
    )
    return Answer(refusal.status, _headers(refusal, challenge), body)


def _headers(refusal: Refusal, challenge: str | None) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if challenge is not None:
        headers["WWW-Authenticate"] = challenge
    if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER)
    return headers
