"""The keys of a client as they are used: each with one name and one algorithm."""

from typing import Any

import pytest
from joserfc.jwk import thumbprint

from authserver.clients.public_keys import fits, usable
from authserver.resource.keys import InvalidKeySet
from tests.registrations.test_metadata import EC, ED25519, RSA

NAMELESS = {member: RSA[member] for member in ("kty", "n", "e")}


def algorithms(jwks: dict[str, Any], signing_alg: str | None = None) -> dict[str, str]:
    opened = usable(jwks, signing_alg)
    return {kid: key.alg for kid in opened.kids if (key := opened.get(kid))}


def test_key_with_a_name_and_an_algorithm_keeps_both() -> None:
    found = algorithms({"keys": [RSA, EC]}, "PS256")
    assert found == {RSA["kid"]: "RS256", EC["kid"]: "ES256"}


def test_key_without_a_name_is_called_by_its_thumbprint() -> None:
    assert set(algorithms({"keys": [NAMELESS]})) == {thumbprint(NAMELESS)}
    assert set(algorithms({"keys": [ED25519]})) == {thumbprint(ED25519)}


@pytest.mark.parametrize(("registered", "alg"), [(None, "RS256"), ("PS256", "PS256"), ("ES256", "RS256")])
def test_key_without_an_algorithm_takes_the_registered_one_if_it_can(
    registered: str | None, alg: str
) -> None:
    assert list(algorithms({"keys": [NAMELESS]}, registered).values()) == [alg]


def test_what_is_not_good_for_signing_is_left_out_of_a_fetched_set() -> None:
    broken = [{"kty": "oct", "k": "c2VjcmV0"}, {"kty": ["RSA"]}, {"kty": "RSA"}, {**NAMELESS, "n": 7}, {}]
    assert algorithms({"keys": [*broken, {**RSA, "use": "enc"}, EC]}) == {EC["kid"]: "ES256"}


@pytest.mark.parametrize(
    "document", [{}, {"keys": None}, {"keys": {}}, {"keys": ["x"]}, {"keys": [RSA, RSA]}]
)
def test_document_that_is_no_key_set_is_said_to_be_none(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidKeySet):
        usable(document)


def test_one_of_the_keys_must_be_for_the_algorithm() -> None:
    assert fits({"keys": [RSA, EC]}, "ES256")
    assert not fits({"keys": [RSA, EC]}, "PS256")


@pytest.mark.parametrize("written", ["EdDSA", "Ed25519"])
@pytest.mark.parametrize("used", ["EdDSA", "Ed25519"])
def test_two_names_of_one_algorithm_are_one(written: str, used: str) -> None:
    """RFC 9864: a library signs by the new name with a key that was registered by the old one."""
    assert set(algorithms({"keys": [{**ED25519, "alg": written}]}, used).values()) == {used}
    assert set(algorithms({"keys": [{**ED25519, "alg": written}]}, "RS256").values()) == {written}
