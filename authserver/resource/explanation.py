"""Exactly why a token was refused, in both languages, for those who are meant to know: `Guard(…, explain=True)`.

The stable part is `code` and `facts`, for programs; the sentences are for people and may change. Facts come from
verified claims, or from the caller's own header (`kid`, `typ`, `alg`); neither the token nor a secret is among them.
What they do tell is the service's configuration: whom it trusts, which audience it wants, how wrong its clock is. So
it is off by default, and right for development, staging and callers within the house.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from authserver.resource.messages import Language, message
from authserver.resource.refusal import Reason, Refusal


@dataclass(frozen=True, slots=True)
class Explanation:
    """`code` is stable: the reason, and where one reason has several causes, a colon and the cause."""

    code: str
    facts: Mapping[str, Any]
    english: str
    korean: str

    def text(self, language: Language) -> str:
        return self.korean if language == "ko" else self.english

    def as_member(self, language: Language) -> dict[str, Any]:
        """The member `explanation` of a refusal's body."""
        return {"code": self.code, "text": self.text(language), "facts": dict(self.facts)}


def explain(refusal: Refusal, keys_age: float | None = None) -> Explanation:
    """`keys_age`: how many seconds ago the issuer's keys were last asked for, which an unknown key is judged by."""
    facts = dict(refusal.facts)
    kind = facts.pop("kind", None)
    if refusal.reason is Reason.UNKNOWN_KEY:
        facts["keys_age"] = None if keys_age is None else round(keys_age)
    code = refusal.reason.value if kind is None else f"{refusal.reason}:{kind}"
    english, korean = TEXTS.get(code, (_OTHERWISE_ENGLISH, _OTHERWISE_KOREAN))
    words = _Words({name: _worded(value) for name, value in facts.items()} | _general(refusal))
    if "before" in facts:
        words["before"] = _moment(facts["before"])
    return Explanation(code, facts, english.format_map(words), korean.format_map(words))


class _Words(dict[str, str]):
    """A refusal that somebody else made may lack facts; that is no reason to answer 500."""

    def __missing__(self, name: str) -> str:
        return "?"


def _moment(seconds: int | None) -> str:
    try:
        return "?" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):  # the issuer's own number, but no date
        return "?"


def _general(refusal: Refusal) -> dict[str, str]:
    english, korean = message(refusal.reason), message(refusal.reason, "ko")
    return {"detail": refusal.detail or "no more is known", "english": english, "korean": korean}


def _worded(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, float):
        return f"{value:g}"
    return "?" if value is None else str(value)


_OTHERWISE_ENGLISH: Final = "{english}: {detail}"
_OTHERWISE_KOREAN: Final = "{korean} ({detail})"
TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "missing": (
        "Neither an Authorization: Bearer header nor a token cookie was sent",
        "Authorization: Bearer 헤더도 토큰 쿠키도 없습니다",
    ),
    "unknown_key": (
        "The key {kid} is none of the {known} keys that the issuer published {keys_age} s ago",
        "키 {kid}은(는) 발급자가 {keys_age}초 전에 공개한 키 {known}개 중에 없습니다",
    ),
    "bad_signature": (
        "The signature was not made by the key {kid} with {expected}, or the token was changed since",
        "키 {kid}({expected})로 만든 서명이 아니거나, 서명한 뒤에 토큰이 바뀌었습니다",
    ),
    "wrong_type:typ": (
        "This is no access token: its typ is {typ}, and at+jwt is expected",
        "액세스 토큰이 아닙니다. typ이 at+jwt가 아니라 {typ}입니다",
    ),
    "wrong_type:cnf": (
        "The token is bound to a key (cnf) and was sent as a bearer token",
        "키에 묶인 토큰(cnf)을 Bearer 토큰으로 보냈습니다",
    ),
    "wrong_type:bearer": (
        "The token is not bound to a key (cnf) and was sent as one that is",
        "키에 묶이지 않은 토큰을 키에 묶인 토큰(DPoP)으로 보냈습니다",
    ),
    "bad_proof:key": (
        "The token is bound to another key than the one that the proof shows",
        "토큰이 묶인 키와 증명에 쓴 키가 다릅니다",
    ),
    "bad_proof:replayed": (
        "The proof was sent before; each request needs one of its own",
        "이미 사용한 증명입니다. 요청마다 새 증명을 만들어 주세요",
    ),
    "bad_proof:place": (
        "Proofs cannot be checked here: this service was not told at which addresses it is reached (served_at)",
        "이 서비스에는 접속 주소(served_at)가 설정되어 있지 않아 증명을 확인할 수 없습니다",
    ),
    "bad_proof": ("The proof of possession is not valid: {detail}", "증명이 유효하지 않습니다({detail})"),
    "wrong_issuer": (
        "The token was issued by {iss}; only {expected} is trusted here",
        "이 토큰의 발급자는 {iss}이지만, 여기서는 {expected}만 신뢰합니다",
    ),
    "wrong_audience": (
        "The token is for {aud}; this service is {expected}",
        "이 토큰은 {aud}용인데, 이 서비스는 {expected}입니다",
    ),
    "expired": (
        "The token expired {ago} s ago by this service's clock; {leeway} s of clock skew are accepted",
        "이 서비스의 시계로 {ago}초 전에 만료되었습니다. 시계 차이는 {leeway}초까지 허용합니다",
    ),
    "not_yet_valid": (
        "The token's {claim} is {ahead} s ahead of this service's clock; {leeway} s of clock skew are accepted",
        "토큰의 {claim}이(가) 이 서비스의 시계보다 {ahead}초 빠릅니다. 시계 차이는 {leeway}초까지 허용합니다",
    ),
    "signed_out:jti": ("This one token was revoked", "이 토큰이 폐기되었습니다"),
    "signed_out:grant_id": (
        "What the token came from was revoked: the app was signed out, or its code or refresh token was used twice",
        "토큰을 발급한 권한이 폐기되었습니다. 앱에서 로그아웃했거나 인가 코드 또는 리프레시 토큰이 두 번 사용되었습니다",
    ),
    "signed_out:sid": ("The session of the token was signed out", "이 토큰의 세션에서 로그아웃했습니다"),
    "signed_out:sub": (
        "Every token of the account that was issued before {before} was signed out",
        "{before} 이전에 발급된 이 계정의 토큰은 모두 로그아웃되었습니다",
    ),
    "signed_out:client_id": (
        "Every token of the client that was issued before {before} was revoked",
        "{before} 이전에 발급된 이 클라이언트의 토큰은 모두 폐기되었습니다",
    ),
    "signed_out:kid": (
        "The key that signed the token was revoked",
        "이 토큰에 서명한 키가 폐기되었습니다",
    ),
    "signed_out:introspection": (
        "The issuer was asked, and says that the token is not active",
        "발급자에게 물어보니 더는 유효하지 않은 토큰이라고 합니다",
    ),
    "insufficient_scope:scope": (
        "The token was not granted the scope {missing}",
        "토큰에 {missing} 스코프가 없습니다",
    ),
    "insufficient_scope:role": (
        "The token's holder has none of the roles {missing}",
        "토큰의 주인에게 {missing} 역할이 없습니다",
    ),
    "forged_request": (
        "A cookie on an unsafe request needs an Origin or Sec-Fetch-Site that shows that its page belongs here",
        "쿠키로 보낸 변경 요청에는 이 서비스의 페이지임을 보여 주는 Origin이나 Sec-Fetch-Site가 필요합니다",
    ),
    "stale:list": (
        "The revocation list is {age} s old; {max_staleness} s are accepted here",
        "폐기 목록이 {age}초 전 것입니다. 여기서는 {max_staleness}초까지 허용합니다",
    ),
    "stale:introspection": (
        "The revocation list is too old, and the issuer could not be asked about the token",
        "폐기 목록이 오래되었고, 발급자에게 토큰을 물어볼 수도 없습니다",
    ),
    "stale:not_followed": (
        "This service follows no revocation list, but the route asks for one",
        "이 서비스는 폐기 목록을 받지 않는데, 이 경로는 폐기 목록을 요구합니다",
    ),
    "unavailable:keys": (
        "The issuer's keys have not been fetched yet",
        "발급자의 키를 아직 받지 못했습니다",
    ),
    "unavailable:list": (
        "The issuer's revocation list has not been fetched yet",
        "발급자의 폐기 목록을 아직 받지 못했습니다",
    ),
}
