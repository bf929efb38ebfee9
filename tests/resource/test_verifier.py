import sys
from threading import Thread
from typing import Any

import pytest

from authserver.protocol.revocation import Kind
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.revocation_set import Entry, RevocationSet, Snapshot
from authserver.resource.verifier import Verifier, verify
from tests.resource import forge

KEYS = forge.public_keys()


def judge(token: str, *, now: float = forge.NOW, **settings: Any) -> Principal | Refusal:
    usual: dict[str, Any] = {"keys": KEYS, "issuer": forge.ISSUER, "audience": forge.API}
    return verify(token, now=now, **(usual | settings))


def reason(token: str, **settings: Any) -> Reason | None:
    outcome = judge(token, **settings)
    return outcome.reason if isinstance(outcome, Refusal) else None


def with_claims(**members: Any) -> str:
    return forge.sign(forge.header(), forge.claims(**members))


def revoked(*entries: Entry) -> RevocationSet:
    revocations = RevocationSet()
    revocations.replace(Snapshot(1, "mark", entries))
    return revocations


def test_a_genuine_token_gives_its_holder() -> None:
    holder = judge(with_claims(auth_time=forge.NOW - 5))
    assert isinstance(holder, Principal)
    assert (holder.sub, holder.kid) == (forge.claims()["sub"], forge.KID)
    assert holder.auth_time == forge.NOW - 5


def test_issuer_and_audience_have_no_default() -> None:
    for issuer, audience in (("", forge.API), (forge.ISSUER, ""), (forge.ISSUER, ())):
        with pytest.raises(ValueError, match="has a default"):
            Verifier(issuer, audience)


def test_j01_unsigned_tokens_are_refused() -> None:
    head, payload, _ = forge.sign(forge.header(alg="none"), forge.claims()).split(".")
    assert reason(f"{head}.{payload}.") is Reason.MALFORMED
    assert reason(f"{head}.{payload}.AAAA") is Reason.MALFORMED


def test_j03_a_public_key_is_no_hmac_secret() -> None:
    import hashlib
    import hmac

    pem = forge.KEY.as_pem(private=False)
    for secret in (pem, pem.strip(), forge.KEY.as_der(private=False)):
        for bits in ("256", "384", "512"):
            head, payload, _ = forge.sign(forge.header(alg=f"HS{bits}"), forge.claims()).split(".")
            mac = hmac.new(secret, f"{head}.{payload}".encode(), getattr(hashlib, f"sha{bits}")).digest()
            assert reason(f"{head}.{payload}.{forge.b64(mac)}") is Reason.MALFORMED


def test_j05_a_pss_signature_under_an_rs256_key_is_refused() -> None:
    token = forge.sign(forge.header(alg="PS256"), forge.claims(), alg="PS256")
    assert reason(token) is Reason.BAD_SIGNATURE


def test_j07_a_changed_claim_is_refused() -> None:
    head, _, signature = with_claims().split(".")
    payload = with_claims(sub="admin").split(".")[1]
    assert reason(f"{head}.{payload}.{signature}") is Reason.BAD_SIGNATURE


def test_j09_an_unknown_kid_is_refused() -> None:
    assert reason(forge.sign(forge.header(kid="../../etc/passwd"), forge.claims())) is Reason.UNKNOWN_KEY


def test_j13_a_removed_key_and_a_key_not_published_yet_are_refused() -> None:
    token = forge.sign(forge.header(kid=forge.OTHER_KEY.kid), forge.claims(), forge.OTHER_KEY)
    assert reason(token) is Reason.UNKNOWN_KEY
    both = forge.public_keys(forge.KEY, forge.OTHER_KEY)
    assert reason(token, keys=both) is None
    assert reason(token, keys=both.without({str(forge.OTHER_KEY.kid)})) is Reason.UNKNOWN_KEY


@pytest.mark.parametrize(
    "typ",
    [
        "JWT",
        "secevent+jwt",
        "logout+jwt",
        "dpop+jwt",
        "oauth-authz-req+jwt",
        "statuslist+jwt",
        "token-introspection+jwt",
        "client-authentication+jwt",
        "at",
        "at+jwt ",
        "",
        None,
    ],
)
def test_j18_any_other_type_of_jwt_is_no_access_token(typ: str | None) -> None:
    assert reason(forge.sign(forge.header(typ=typ), forge.claims())) is Reason.WRONG_TYPE


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"])
def test_j18_the_type_is_compared_as_a_media_type(typ: str) -> None:
    assert reason(forge.sign(forge.header(typ=typ), forge.claims())) is None


@pytest.mark.parametrize(
    "iss",
    [
        None,
        "https://login.example.com/",
        "https://LOGIN.example.com",
        "http://login.example.com",
        "https://login.example.com:443",
        "https://login.example.com/tenant",
        "https://lоgin.example.com",
        [forge.ISSUER],
        1,
    ],
)
def test_j20_another_issuer_is_refused(iss: Any) -> None:
    assert reason(with_claims(iss=iss)) is Reason.WRONG_ISSUER


@pytest.mark.parametrize(
    "aud", ["https://other.example", forge.API + "/", forge.API[:-1], [], ["https://other.example"]]
)
def test_j21_another_audience_is_refused(aud: Any) -> None:
    assert reason(with_claims(aud=aud)) is Reason.WRONG_AUDIENCE


@pytest.mark.parametrize("aud", [None, 1, [forge.API, 1], {forge.API: 1}])
def test_j21_an_audience_of_another_shape_is_malformed(aud: Any) -> None:
    assert reason(with_claims(aud=aud)) is Reason.MALFORMED


def test_j21_one_of_several_audiences_is_enough() -> None:
    assert reason(with_claims(aud=["https://other.example", forge.API])) is None
    assert reason(with_claims(), audience=["https://a.example", forge.API]) is None


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"exp": forge.NOW - 61}, Reason.EXPIRED),
        ({"exp": forge.NOW - 60}, Reason.EXPIRED),
        ({"exp": forge.NOW - 59}, None),
        ({"exp": forge.NOW - 59.5}, None),
        ({"nbf": forge.NOW + 61}, Reason.NOT_YET_VALID),
        ({"nbf": forge.NOW + 10}, None),
        ({"iat": forge.NOW + 61}, Reason.NOT_YET_VALID),
        ({"iat": forge.NOW + 10}, None),
    ],
)
def test_j23_times_hold_within_the_leeway(members: dict[str, Any], expected: Reason | None) -> None:
    assert reason(with_claims(**members)) is expected


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["1785000000", True, [], {}])
def test_j23_times_must_be_numbers(name: str, value: Any) -> None:
    assert reason(with_claims(**{name: value})) is Reason.MALFORMED


@pytest.mark.parametrize(
    "payload", [b"[]", b"1", b"", b'{"exp":1,"exp":2}', b'{"exp":NaN}', b'{"exp":1e999}']
)
def test_j25_a_payload_that_is_no_strict_object_is_malformed(payload: bytes) -> None:
    assert reason(forge.sign(forge.header(), payload)) is Reason.MALFORMED


@pytest.mark.parametrize("name", ["exp", "iat", "sub", "client_id", "jti"])
def test_every_claim_that_rfc_9068_requires_is_required(name: str) -> None:
    assert reason(with_claims(**{name: None})) is Reason.MALFORMED


@pytest.mark.parametrize(
    "members",
    [
        {"sub": ""},
        {"sub": 1},
        {"client_id": ["a"]},
        {"jti": {}},
        {"scope": ["openid"]},
        {"scope": []},
        {"scope": 0},
        {"roles": "admin"},
        {"roles": {"admin": True}},
        {"roles": ["admin", 1]},
        {"sid": 5},
        {"sid": ""},
        {"auth_time": "now"},
        {"auth_time": True},
    ],
)
def test_claims_of_another_shape_are_malformed(members: dict[str, Any]) -> None:
    assert reason(with_claims(**members)) is Reason.MALFORMED


@pytest.mark.parametrize("name", ["scope", "roles", "sid", "auth_time"])
def test_a_null_claim_is_malformed(name: str) -> None:
    assert reason(forge.sign(forge.header(), forge.claims() | {name: None})) is Reason.MALFORMED


def test_a_client_acting_for_itself_has_no_session() -> None:
    holder = judge(with_claims(sid=None, roles=None, scope=None))
    assert isinstance(holder, Principal)
    assert (holder.sid, holder.roles, holder.scope) == (None, frozenset(), frozenset())


def test_j35_a_nested_token_is_malformed() -> None:
    inner = with_claims().encode()
    assert reason(forge.sign(forge.header(cty="JWT"), inner)) is Reason.MALFORMED


@pytest.mark.parametrize("cnf", [{"jkt": "x"}, {"x5t#S256": "x"}, {"unknown": 1}, {}, "x", False])
def test_j43_a_sender_constrained_token_is_no_bearer_token(cnf: Any) -> None:
    assert reason(with_claims(cnf=cnf)) is Reason.WRONG_TYPE


@pytest.mark.parametrize(
    "entry",
    [
        Entry(Kind.JTI, forge.claims()["jti"], forge.NOW + 3660),
        Entry(Kind.SID, forge.claims()["sid"], forge.NOW + 3660),
        Entry(Kind.KID, forge.KID, forge.NOW + 3660),
        Entry(Kind.SUB, forge.claims()["sub"], forge.NOW + 3660, forge.NOW + 1),
        Entry(Kind.CLIENT_ID, "first-party", forge.NOW + 3660, forge.NOW + 1),
    ],
)
def test_a_revoked_token_is_signed_out(entry: Entry) -> None:
    assert reason(with_claims(), revocations=revoked(entry)) is Reason.SIGNED_OUT


def test_a_token_issued_at_the_cutoff_is_a_new_one() -> None:
    cutoff = revoked(Entry(Kind.SUB, forge.claims()["sub"], forge.NOW + 3660, forge.NOW))
    assert reason(with_claims(), revocations=cutoff) is None
    assert reason(with_claims(iat=forge.NOW - 1), revocations=cutoff) is Reason.SIGNED_OUT


def test_a_value_revoked_under_one_kind_means_nothing_under_another() -> None:
    other = revoked(Entry(Kind.JTI, forge.claims()["sid"], forge.NOW + 3660))
    assert reason(with_claims(), revocations=other) is None


class TestRememberedTokens:
    def verifier(self, remember: int = 8) -> Verifier:
        return Verifier(forge.ISSUER, forge.API, remember=remember)

    def test_a_token_is_verified_once(self) -> None:
        verifier, token = self.verifier(), with_claims()
        first = verifier.verify(token, keys=KEYS, now=forge.NOW)
        assert verifier.verify(token, keys=KEYS, now=forge.NOW + 1) is first

    def test_expiry_is_looked_at_on_every_call(self) -> None:
        verifier, token = self.verifier(), with_claims()
        verifier.verify(token, keys=KEYS, now=forge.NOW)
        late = verifier.verify(token, keys=KEYS, now=forge.NOW + 3660)
        early = verifier.verify(token, keys=KEYS, now=forge.NOW - 61)
        assert (late, early) == (Refusal(Reason.EXPIRED), Refusal(Reason.NOT_YET_VALID))

    def test_revocation_is_looked_at_on_every_call(self) -> None:
        verifier, token, revocations = self.verifier(), with_claims(), RevocationSet()
        assert isinstance(
            verifier.verify(token, keys=KEYS, now=forge.NOW, revocations=revocations), Principal
        )
        revocations.replace(Snapshot(1, "m", (Entry(Kind.SID, forge.claims()["sid"], forge.NOW + 9),)))
        assert isinstance(verifier.verify(token, keys=KEYS, now=forge.NOW, revocations=revocations), Refusal)

    def test_other_keys_empty_the_memory(self) -> None:
        verifier, token = self.verifier(), with_claims()
        verifier.verify(token, keys=KEYS, now=forge.NOW)
        gone = verifier.verify(token, keys=forge.public_keys(forge.OTHER_KEY), now=forge.NOW)
        assert gone == Refusal(Reason.UNKNOWN_KEY)

    def test_refusals_are_not_remembered(self) -> None:
        verifier = self.verifier()
        verifier.verify(with_claims(iss="x"), keys=KEYS, now=forge.NOW)
        assert not verifier._memory.young

    def test_the_memory_is_bounded_and_keeps_the_recent(self) -> None:
        verifier = self.verifier(remember=4)
        tokens = [with_claims(jti=str(number)) for number in range(9)]
        for token in tokens:
            verifier.verify(token, keys=KEYS, now=forge.NOW)
        memory = verifier._memory
        assert len(memory.young) + len(memory.old) <= 4
        assert tokens[-1] in memory.young

    def test_no_memory_is_possible(self) -> None:
        verifier, token = self.verifier(remember=0), with_claims()
        first = verifier.verify(token, keys=KEYS, now=forge.NOW)
        assert verifier.verify(token, keys=KEYS, now=forge.NOW) is not first

    def test_threads_with_different_keys_never_share_an_answer(self) -> None:
        verifier, token = self.verifier(), with_claims()
        empty = forge.public_keys(forge.OTHER_KEY)
        wrong: list[object] = []

        def ask(keys: Any, expected: type) -> None:
            for _ in range(200):
                outcome = verifier.verify(token, keys=keys, now=forge.NOW)
                if not isinstance(outcome, expected):
                    wrong.append(outcome)

        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        try:
            threads = [Thread(target=ask, args=pair) for pair in ((KEYS, Principal), (empty, Refusal)) * 2]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(interval)
        assert not wrong
