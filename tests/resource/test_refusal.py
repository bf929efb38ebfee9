import pytest

from authserver.resource.refusal import Reason, Refusal, www_authenticate


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_status(reason: Reason) -> None:
    forbidden = {Reason.INSUFFICIENT_SCOPE, Reason.FORGED_REQUEST}
    later = {Reason.STALE, Reason.UNAVAILABLE}
    expected = 403 if reason in forbidden else 503 if reason in later else 401
    assert Refusal(reason).status == expected


def test_without_a_token_there_is_no_error_code() -> None:
    assert www_authenticate(Refusal(Reason.MISSING), realm="api") == 'Bearer realm="api"'


def test_a_bad_token_is_an_invalid_token() -> None:
    challenge = www_authenticate(Refusal(Reason.EXPIRED), realm="api", description="The token has expired")
    assert challenge == 'Bearer realm="api", error="invalid_token", error_description="The token has expired"'


def test_too_little_scope_names_what_would_be_enough() -> None:
    refusal = Refusal(Reason.INSUFFICIENT_SCOPE, scope=frozenset({"b", "a"}))
    assert (
        www_authenticate(refusal, realm="api")
        == 'Bearer realm="api", error="insufficient_scope", scope="a b"'
    )


@pytest.mark.parametrize("reason", [Reason.STALE, Reason.UNAVAILABLE, Reason.FORGED_REQUEST])
def test_trouble_that_is_not_the_tokens_is_no_challenge(reason: Reason) -> None:
    assert www_authenticate(Refusal(reason), realm="api") is None


def test_no_value_ends_the_header() -> None:
    challenge = www_authenticate(Refusal(Reason.EXPIRED), realm='a"\r\nSet-Cookie: x=\\', description="é한")
    assert challenge == 'Bearer realm="aSet-Cookie: x=", error="invalid_token"'
