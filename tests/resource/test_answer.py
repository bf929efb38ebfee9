import json

import pytest

from authserver.resource.answer import answer_to
from authserver.resource.refusal import Reason, Refusal

REALM = "https://api.example.com"


@pytest.mark.parametrize("reason", Reason)
def test_no_refusal_is_ever_stored_by_a_cache(reason: Reason) -> None:
    assert (
        answer_to(Refusal(reason), realm=REALM, accept_language=None).headers["Cache-Control"] == "no-store"
    )


@pytest.mark.parametrize("reason", Reason)
def test_only_what_passes_by_itself_says_when_to_come_back(reason: Reason) -> None:
    answer = answer_to(Refusal(reason), realm=REALM, accept_language=None)
    assert ("Retry-After" in answer.headers) == (answer.status == 503)


def test_the_body_is_in_the_readers_language_and_the_challenge_in_english() -> None:
    answer = answer_to(Refusal(Reason.EXPIRED), realm=REALM, accept_language="ko")
    assert answer.content == '{"error":"invalid_token","message":"토큰이 만료되었습니다"}'.encode()
    assert 'error_description="The token has expired"' in answer.headers["WWW-Authenticate"]


def test_what_the_log_reads_is_not_sent() -> None:
    answer = answer_to(Refusal(Reason.SIGNED_OUT, "its sid is revoked"), realm=REALM, accept_language=None)
    assert "sid" not in json.dumps([dict(answer.headers), dict(answer.body)])
