from typing import Any

import pytest
from joserfc.jwk import OKPKey

from authserver.resource.keys import InvalidKeySet, PublicKey, PublicKeys
from tests.resource import forge

ED25519 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}  # RFC 8037 A.2


def test_a_set_gives_keys_by_kid() -> None:
    keys = forge.public_keys(forge.KEY, forge.EC_KEY)
    assert keys.kids == {forge.KID, forge.EC_KEY.kid}
    key = keys.get(forge.KID)
    assert key is not None
    assert key.alg == "RS256"
    assert keys.get("unknown") is None


@pytest.mark.parametrize(
    "members", [{"alg": None}, {"alg": "HS256"}, {"alg": "none"}, {"alg": "ES256"}, {"alg": 1}]
)
def test_a_key_without_its_one_asymmetric_algorithm_is_skipped(members: dict[str, Any]) -> None:
    assert PublicKey.from_jwk(forge.public_jwk(**members)) is None


@pytest.mark.parametrize("name", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_key_with_a_private_member_is_skipped_whole(name: str) -> None:
    assert PublicKey.from_jwk(forge.public_jwk() | {name: "AQAB"}) is None


@pytest.mark.parametrize(
    "members",
    [
        {"use": "enc"},
        {"use": None, "key_ops": ["encrypt"]},
        {"use": None, "key_ops": "verify"},
        {"kid": None},
        {"kid": ""},
        {"kid": "a b"},
        {"kid": 7},
        {"kty": "oct"},
        {"kty": ["RSA"]},
        {"kty": None},
        {"n": None},
        {"n": 5},
        {"n": "AQAB"},
        {"n": "!" * 342},
        {"e": "AA"},
        {"e": None},
        {"n": "A" * 100_000},
    ],
)
def test_a_key_not_meant_or_not_fit_for_verifying_is_skipped(members: dict[str, Any]) -> None:
    jwk = {name: value for name, value in {**forge.public_jwk(), **members}.items() if value is not None}
    assert PublicKey.from_jwk(jwk) is None


def test_a_short_rsa_key_is_skipped() -> None:
    modulus = (1 << 2046) | 1  # 2047 bits: its base64url is as long as that of 2048
    jwk = forge.public_jwk(n=forge.b64(modulus.to_bytes(256)))
    assert PublicKey.from_jwk(jwk) is None


def test_use_may_be_absent_and_key_ops_may_say_verify() -> None:
    assert PublicKey.from_jwk(forge.public_jwk(use=None)) is not None
    assert PublicKey.from_jwk(forge.public_jwk(use=None, key_ops=["verify"])) is not None


@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519"])
def test_ed25519_keys_verify_under_either_name(alg: str) -> None:
    assert PublicKey.from_jwk(ED25519 | {"kid": "a", "alg": alg}) is not None


def test_other_okp_curves_are_skipped() -> None:
    x25519 = OKPKey.generate_key("X25519").as_dict(private=False)
    ed448 = OKPKey.generate_key("Ed448").as_dict(private=False)
    for jwk in (x25519, ed448):
        assert PublicKey.from_jwk({**jwk, "kid": "a", "alg": "EdDSA"}) is None


def test_an_ec_key_under_the_algorithm_of_another_curve_is_skipped() -> None:
    assert PublicKey.from_jwk(forge.public_jwk(forge.EC_KEY, alg="ES384")) is None
    assert PublicKey.from_jwk(forge.public_jwk(forge.EC_KEY, x="AA")) is None


def test_unusable_keys_do_not_spoil_the_set() -> None:
    odd = [{}, {"kty": "AKP", "kid": "pq", "alg": "ML-DSA-44"}, forge.public_jwk(forge.OTHER_KEY, use="enc")]
    keys = PublicKeys.from_jwks({"keys": [*odd, forge.public_jwk()]})
    assert keys.kids == {forge.KID}


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}, {"keys": [1]}, {"keys": "x"}])
def test_a_document_that_is_no_key_set_is_invalid(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidKeySet):
        PublicKeys.from_jwks(document)


def test_a_kid_used_twice_makes_the_set_invalid() -> None:
    twice = [forge.public_jwk(), forge.public_jwk(forge.OTHER_KEY, kid=forge.KID)]
    with pytest.raises(InvalidKeySet, match="one kid"):
        PublicKeys.from_jwks({"keys": twice})


def test_without_drops_keys_and_leaves_the_set_as_it_was() -> None:
    keys = forge.public_keys(forge.KEY, forge.OTHER_KEY)
    assert keys.without({forge.KID}).kids == {forge.OTHER_KEY.kid}
    assert len(keys) == 2
    assert keys.without({"unknown"}) is keys


def test_sets_with_the_same_keys_are_equal() -> None:
    assert forge.public_keys() == forge.public_keys()
    assert forge.public_keys() != forge.public_keys(forge.OTHER_KEY)
    renamed = PublicKeys.from_jwks({"keys": [forge.public_jwk(forge.OTHER_KEY, kid=forge.KID)]})
    assert forge.public_keys() != renamed
