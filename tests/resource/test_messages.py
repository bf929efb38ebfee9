import pytest

from authserver.resource.messages import message, preferred_language
from authserver.resource.refusal import Reason


@pytest.mark.parametrize(
    ("reason", "korean"),
    [
        (Reason.MISSING, "토큰이 없습니다"),
        (Reason.EXPIRED, "토큰이 만료되었습니다"),
        (Reason.MALFORMED, "유효하지 않은 토큰입니다"),
        (Reason.BAD_SIGNATURE, "유효하지 않은 토큰입니다"),
        (Reason.WRONG_AUDIENCE, "유효하지 않은 토큰입니다"),
        (Reason.SIGNED_OUT, "로그아웃된 토큰입니다"),
    ],
)
def test_korean_messages_are_these(reason: Reason, korean: str) -> None:
    assert message(reason, "ko") == korean


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_message_that_fits_a_header_in_english(reason: Reason) -> None:
    assert message(reason).isascii()
    assert message(reason, "ko") != message(reason)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("ko", "ko"),
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("en-US,en;q=0.9,ko;q=0.8", "en"),
        ("en;q=0.5, KO;q=0.9", "ko"),
        ("ko;q=0", "en"),
        ("ko;q=0, en;q=0.1", "en"),
        ("de, fr;q=0.9", "en"),
        ("*", "en"),
        ("ko;q=x", "en"),
        ("ko;q=nan", "en"),
        ("ko;level=1", "en"),
        ("kok", "en"),
        (",;,ko;Q=1,", "ko"),
        ("x," * 10_000 + "ko", "en"),
    ],
)
def test_the_language_follows_the_quality_values(header: str | None, language: str) -> None:
    assert preferred_language(header) == language
