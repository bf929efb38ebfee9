"""What the holder of a refused token reads: English, or Korean where `Accept-Language` prefers it."""

from typing import Final, Literal

from authserver.resource.refusal import Reason

Language = Literal["en", "ko"]

_INVALID: Final = ("The token is not valid", "유효하지 않은 토큰입니다")
_TRY_LATER: Final = (
    "The token cannot be checked right now; try again shortly",
    "지금은 토큰을 확인할 수 없습니다. 잠시 후 다시 시도해 주세요",
)
_MESSAGES: Final[dict[Reason, tuple[str, str]]] = {
    Reason.MISSING: ("No token was sent", "토큰이 없습니다"),
    Reason.EXPIRED: ("The token has expired", "토큰이 만료되었습니다"),
    Reason.NOT_YET_VALID: ("The token is not valid yet", "아직 사용할 수 없는 토큰입니다"),
    Reason.BAD_PROOF: (
        "The proof of possession is not valid",
        "토큰의 키를 가지고 있다는 증명이 유효하지 않습니다",
    ),
    Reason.SIGNED_OUT: ("The token was signed out", "로그아웃된 토큰입니다"),
    Reason.INSUFFICIENT_SCOPE: ("The token does not allow this", "이 작업을 할 권한이 없습니다"),
    Reason.FORGED_REQUEST: (
        "The request came from another site",
        "다른 사이트에서 보낸 요청은 받지 않습니다",
    ),
    Reason.STALE: _TRY_LATER,
    Reason.UNAVAILABLE: _TRY_LATER,
}
_LANGUAGES: Final[dict[str, Language]] = {"en": "en", "ko": "ko"}
_MAX_ACCEPT_LANGUAGE: Final = 500


def message(reason: Reason, language: Language = "en") -> str:
    english, korean = _MESSAGES.get(reason, _INVALID)
    return korean if language == "ko" else english


def preferred_language(accept_language: str | None) -> Language:
    """RFC 9110 §12.5.4: the higher q of the two wins, the first named at a tie, English when neither is named."""
    best: Language = "en"
    best_quality = 0.0
    for item in (accept_language or "")[:_MAX_ACCEPT_LANGUAGE].split(","):
        tag, _, parameter = item.partition(";")
        primary = tag.strip().lower().partition("-")[0]
        quality = _quality(parameter)
        if quality > best_quality and primary in _LANGUAGES:
            best, best_quality = _LANGUAGES[primary], quality
    return best


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(float(value), 1.0) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
