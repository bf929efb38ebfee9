import json
from pathlib import Path
from string import ascii_letters, digits
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.resource import jws
from authserver.resource.jws import MalformedToken, parse_compact, verified_claims, verify_signature
from authserver.resource.keys import PublicKey, PublicKeys
from tests.resource import forge

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors"
TOKEN = forge.sign(forge.header(), forge.claims())
KEYS = forge.public_keys()


def key_of(keys: PublicKeys, kid: str) -> PublicKey:
    key = keys.get(kid)
    assert key is not None
    return key


KEY = key_of(KEYS, forge.KID)


def refused(token: Any) -> bool:
    """By the door, or by the signature; anything else propagates and fails the test."""
    try:
        parsed = parse_compact(token)
    except MalformedToken:
        return True
    key = KEYS.get(parsed.unverified_header["kid"])
    if key is None or (payload := verify_signature(parsed, key)) is None:
        return True
    try:
        verified_claims(payload)
    except MalformedToken:
        return True
    return False


def test_a_genuine_token_comes_through() -> None:
    parsed = parse_compact(TOKEN)
    assert parsed.unverified_header == forge.header()
    payload = verify_signature(parsed, KEY)
    assert payload is not None
    assert verified_claims(payload) == forge.claims()


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "", None, 1, ["RS256"], "HS256", "RS1", "ES256K"])
def test_j01_an_algorithm_outside_the_list_is_malformed(alg: Any) -> None:
    head = forge.header() | {"alg": alg}
    for token in (
        forge.sign(head, forge.claims()),
        forge.sign(head, forge.claims()).rpartition(".")[0] + ".",
    ):
        with pytest.raises(MalformedToken):
            parse_compact(token)


def test_j01_a_missing_algorithm_is_malformed() -> None:
    with pytest.raises(MalformedToken, match="algorithm"):
        parse_compact(forge.sign(forge.header(alg=None), forge.claims()))


def test_j05_one_key_verifies_exactly_one_algorithm() -> None:
    assert refused(forge.sign(forge.header(alg="PS256"), forge.claims(), alg="PS256"))
    assert refused(forge.sign(forge.header(alg="RS256"), forge.claims(), alg="PS256"))
    assert refused(forge.sign(forge.header(alg="RS512"), forge.claims(), alg="RS512"))
    ps_keys = PublicKeys.from_jwks({"keys": [forge.public_jwk(alg="PS256")]})
    assert verify_signature(parse_compact(TOKEN), key_of(ps_keys, forge.KID)) is None


def test_j07_every_flipped_character_is_refused() -> None:
    alphabet = ascii_letters + digits + "-_"
    for at, char in enumerate(TOKEN):
        other = alphabet[(alphabet.find(char) + 1) % 64]
        assert refused(TOKEN[:at] + other + TOKEN[at + 1 :]), at


def test_j07_no_other_spelling_of_the_last_character_is_accepted() -> None:
    assert sum(not refused(TOKEN[:-1] + char) for char in ascii_letters + digits + "-_") == 1


def test_j07_truncated_extended_and_mixed_tokens_are_refused() -> None:
    other = forge.sign(forge.header(), forge.claims(sub="mallory"))
    head, _, signature = TOKEN.split(".")
    assert refused(TOKEN[:-4])
    assert refused(TOKEN + "AAAA")
    assert refused(".".join((head, other.split(".")[1], signature)))


@pytest.mark.parametrize(
    "kid",
    [
        None,
        "",
        1,
        ["a"],
        "x" * 1_000_000,
        "a\0b",
        "' OR 1=1--",
        "${jndi:ldap://x}",
        "a\r\nb",
        "한글",
        {"a": 1},
    ],
)
def test_j09_a_hostile_kid_is_malformed(kid: Any) -> None:
    with pytest.raises(MalformedToken):
        parse_compact(forge.sign(forge.header(kid=kid), forge.claims()), max_length=2_000_000)


@pytest.mark.parametrize("kid", ["../../etc/passwd", "file:///dev/null", "unknown"])
def test_j09_a_kid_that_looks_like_a_path_is_a_name_like_any_other(kid: str) -> None:
    assert (
        KEYS.get(parse_compact(forge.sign(forge.header(kid=kid), forge.claims())).unverified_header["kid"])
        is None
    )


@pytest.mark.parametrize("kid", [forge.KID, "unknown", None])
def test_j10_a_key_brought_along_is_malformed(kid: str | None) -> None:
    brought = forge.public_jwk(forge.OTHER_KEY)
    with pytest.raises(MalformedToken):
        parse_compact(forge.sign(forge.header(kid=kid, jwk=brought), forge.claims(), forge.OTHER_KEY))


@pytest.mark.parametrize("name", ["jku", "x5u", "x5c"])
def test_j11_an_address_of_keys_is_malformed(name: str) -> None:
    with pytest.raises(MalformedToken, match="not accepted"):
        parse_compact(forge.sign(forge.header(**{name: "https://evil.example/jwks"}), forge.claims()))


@pytest.mark.parametrize("crit", [["exp"], [], "exp", None, ["alg"], ["b64", "b64"], 1])
def test_j15_anything_critical_is_malformed(crit: Any) -> None:
    with pytest.raises(MalformedToken, match="not accepted"):
        parse_compact(forge.sign(forge.header() | {"crit": crit}, forge.claims()))


def test_j16_an_unencoded_payload_is_malformed() -> None:
    for head in (forge.header(b64=False), forge.header(b64=False, crit=["b64"]), forge.header(b64=True)):
        with pytest.raises(MalformedToken):
            parse_compact(forge.sign(head, forge.claims()))
    with pytest.raises(MalformedToken):
        parse_compact(f"{TOKEN.split('.', maxsplit=1)[0]}.pay.load.{TOKEN.rpartition('.')[2]}")


@pytest.mark.parametrize("payload", [b"[]", b'"a"', b"1", b"", b" ", b"null", b'{"a":1,"a":2}', b'{"a":NaN}'])
def test_j25_a_signed_payload_that_is_no_strict_object_is_malformed(payload: bytes) -> None:
    verified = verify_signature(parse_compact(forge.sign(forge.header(), payload)), KEY)
    assert verified is not None
    with pytest.raises(MalformedToken):
        verified_claims(verified)


@pytest.mark.parametrize("char", [" ", "\n", "\r", "\t", "=", "+", "/", "\0", "%", "é", "ａ", "\ud800", "."])
def test_j27_foreign_characters_are_malformed_wherever_they_stand(char: str) -> None:
    head, payload, signature = TOKEN.split(".")
    for at in (
        0,
        1,
        len(head),
        len(head) + 1,
        len(head) + len(payload) + 1,
        len(TOKEN) - len(signature) // 2,
        len(TOKEN),
    ):
        with pytest.raises(MalformedToken):
            parse_compact(TOKEN[:at] + char + TOKEN[at:])


def test_j27_padding_in_any_segment_is_malformed() -> None:
    for segments in ("{0}=.{1}.{2}", "{0}.{1}=.{2}", "{0}.{1}.{2}==", "{0}.{1}.{2}="):
        with pytest.raises(MalformedToken):
            parse_compact(segments.format(*TOKEN.split(".")))


def test_j28_json_serialization_is_malformed() -> None:
    head, payload, signature = TOKEN.split(".")
    flattened = json.dumps({"protected": head, "payload": payload, "signature": signature})
    general = json.dumps({"payload": payload, "signatures": [{"protected": head, "signature": signature}]})
    for text in (flattened, general, TOKEN + flattened, "{}", "[]"):
        with pytest.raises(MalformedToken):
            parse_compact(text)


@pytest.mark.parametrize("size", [8_192, 65_536, 1_048_576])
def test_j30_oversized_tokens_are_malformed_before_they_are_read(size: int) -> None:
    head, payload, signature = TOKEN.split(".")
    for token in (
        f"{'A' * size}.{payload}.{signature}",
        f"{head}.{'A' * size}.{signature}",
        f"{head}.{payload}.{'A' * size}",
    ):
        assert refused(token)
    with pytest.raises(MalformedToken, match="header too long"):
        parse_compact(forge.sign(forge.header(padding="x" * 3_000), forge.claims()))


@pytest.mark.parametrize("depth", [17, 1_000, 5_000])
def test_j31_deep_nesting_is_malformed_in_header_and_payload(depth: int) -> None:
    nested = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    assert refused(forge.sign(nested, forge.claims()))
    assert refused(forge.sign(forge.header(), nested))


@pytest.mark.parametrize(
    "token", ["a.b.c.d.e", "", ".", "..", "...", "a.b", "a", "a..b", ".a.b", "a.b.", None, b"a.b.c", 1]
)
def test_j36_everything_but_three_segments_is_malformed(token: Any) -> None:
    with pytest.raises(MalformedToken):
        parse_compact(token)


def test_j36_a_jwe_header_is_malformed() -> None:
    with pytest.raises(MalformedToken):
        parse_compact(forge.sign(forge.header(alg="RSA-OAEP", enc="A256GCM"), forge.claims()))
    with pytest.raises(MalformedToken):
        parse_compact(forge.sign(forge.header(zip="DEF"), forge.claims()))


def test_j40_ecdsa_signatures_of_another_shape_are_refused() -> None:
    key = key_of(forge.public_keys(forge.EC_KEY), str(forge.EC_KEY.kid))
    token = forge.sign(forge.header(alg="ES256", kid=key.kid), forge.claims(), forge.EC_KEY)
    assert verify_signature(parse_compact(token), key) is not None
    body = token.rpartition(".")[0]
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    raw = parse_compact(token).signature
    for signature in (
        bytes(64),
        bytes(32) + raw[32:],
        raw[:32] + bytes(32),
        order.to_bytes(32) + raw[32:],
        raw + b"\0",
        b"\0" + raw,
        raw[:63],
        b"0D\x02 " + raw[:32] + b"\x02 " + raw[32:],
    ):
        assert verify_signature(parse_compact(f"{body}.{forge.b64(signature)}"), key) is None


def test_a_signature_of_another_key_is_refused() -> None:
    assert refused(forge.sign(forge.header(), forge.claims(), forge.OTHER_KEY))


def test_a_repeated_header_member_is_malformed() -> None:
    head = json.dumps(forge.header()).encode()[:-1] + b',"alg":"RS256"}'
    with pytest.raises(MalformedToken, match="repeated"):
        parse_compact(forge.sign(head, forge.claims()))


def test_a_parsed_header_cannot_be_changed_for_the_next_token() -> None:
    with pytest.raises(TypeError):
        parse_compact(TOKEN).unverified_header["alg"] = "none"  # type: ignore[index]


def test_the_error_never_carries_the_token() -> None:
    with pytest.raises(MalformedToken) as caught:
        parse_compact(TOKEN + "=")
    assert TOKEN[:20] not in repr(caught.value)
    assert caught.value.__cause__ is None


ALPHABET = ascii_letters + digits + "-_."


@given(st.text(max_size=300) | st.text(ALPHABET, max_size=300) | st.binary(max_size=300))
def test_arbitrary_input_is_malformed_and_nothing_else(text: Any) -> None:
    with pytest.raises(MalformedToken):
        parse_compact(text)


@given(st.binary(max_size=120), st.binary(max_size=120), st.binary(max_size=60))
def test_arbitrary_bytes_in_segments_end_in_a_clean_refusal(
    head: bytes, payload: bytes, signature: bytes
) -> None:
    assert refused(f"{forge.b64(head)}.{forge.b64(payload)}.{forge.b64(signature)}")


@given(st.data())
def test_a_mutated_token_ends_in_a_clean_refusal(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TOKEN)))
    removed = data.draw(st.integers(0, 8))
    inserted = data.draw(st.text(max_size=8) | st.text(ALPHABET, max_size=8))
    mutated = TOKEN[:at] + inserted + TOKEN[at + removed :]
    assert mutated == TOKEN or refused(mutated)


def wycheproof() -> list[Any]:
    path = VECTORS / "wycheproof" / "json_web_signature_test.json"
    if not path.exists():
        return [
            pytest.param(
                None, None, marks=pytest.mark.skip(reason="no Wycheproof vectors beside the checkout")
            )
        ]
    groups = json.loads(path.read_text())["testGroups"]
    return [pytest.param(group, test, id=str(test["tcId"])) for group in groups for test in group["tests"]]


# Valid by RFC 7515, refused here on purpose: HMAC keys; the RFC 7520 keys whose `alg` is another one's or misspelt.
REFUSED_ON_PURPOSE = {1, 346, 347, 348, 350, 351, 352, 357, 358, 359, 372, 373, 376, 377}


def accepted_by(jwk: dict[str, Any], token: Any) -> bool:
    key = PublicKey.from_jwk(jwk)
    try:
        parsed = parse_compact(token)
    except MalformedToken:
        return False
    return key is not None and verify_signature(parsed, key) is not None


@pytest.mark.parametrize(("group", "vector"), wycheproof())
def test_j41_wycheproof_vectors_accept_nothing_invalid(group: Any, vector: Any) -> None:
    wanted = vector["result"] == "valid" and vector["tcId"] not in REFUSED_ON_PURPOSE
    assert accepted_by(group.get("public") or group["private"], vector["jws"]) is wanted


@pytest.mark.parametrize(
    ("name", "jwk_name"),
    [
        ("4_1.rsa_v15_signature", "3_3.rsa_public_key"),
        ("4_2.rsa-pss_signature", "3_3.rsa_public_key"),
        ("4_3.ecdsa_signature", "3_1.ec_public_key"),
    ],
)
def test_rfc_7520_signatures_verify(name: str, jwk_name: str) -> None:
    cookbook = VECTORS / "rfc7520-cookbook"
    if not cookbook.exists():
        pytest.skip("no RFC 7520 cookbook beside the checkout")
    example = json.loads((cookbook / "jws" / f"{name}.json").read_text())
    jwk = json.loads((cookbook / "jwk" / f"{jwk_name}.json").read_text())
    key = PublicKey.from_jwk(jwk | {"alg": example["input"]["alg"]})
    assert key is not None
    payload = verify_signature(parse_compact(example["output"]["compact"]), key)
    assert payload == example["input"]["payload"].encode()


def test_rfc_7520_hmac_is_malformed() -> None:
    cookbook = VECTORS / "rfc7520-cookbook"
    if not cookbook.exists():
        pytest.skip("no RFC 7520 cookbook beside the checkout")
    example = json.loads((cookbook / "jws" / "4_4.hmac-sha2_integrity_protection.json").read_text())
    with pytest.raises(MalformedToken, match="algorithm"):
        parse_compact(example["output"]["compact"])


def test_headers_are_parsed_once_per_issuer_not_per_token() -> None:
    jws._parse_header.cache_clear()
    for number in range(5):
        parse_compact(forge.sign(forge.header(), forge.claims(jti=str(number))))
    assert jws._parse_header.cache_info().misses == 1
