"""PyJWT, joserfc and Authlib verify our tokens unchanged: over HTTP, by the metadata and the public keys alone."""

import base64
import json
from dataclasses import replace

import jwt
import pytest

from tests.clients.conftest import MakeVerifier, Person
from tests.clients.verifiers import Authlib, Joserfc, PyJwt, Refused, Service, Verifier
from tests.clocks import HandClock
from tests.processes import LoginService, until


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def sub_of(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["sub"])


def rotated(login: LoginService, person: Person) -> str:
    """Rotate, and answer the first token of the new key."""
    return first_token_of(person, login.keyring.rotate())


def first_token_of(person: Person, kid: str) -> str:
    tokens: list[str] = []

    def signed_by_it() -> bool:
        tokens.append(person.token())
        return kid_of(tokens[-1]) == kid

    until(signed_by_it)
    return tokens[-1]


def altered(token: str) -> str:
    """Another person's name under the old signature."""
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "someone-else"}).encode())
    return ".".join((header, forged.rstrip(b"=").decode(), signature))


def test_each_library_verifies_a_token_with_the_published_keys(person: Person, verifier: Verifier) -> None:
    token = person.token()
    assert verifier.subject(token) == sub_of(token)
    assert verifier.fetches == 1


def test_each_library_keeps_the_keys_it_has(person: Person, verifier: Verifier) -> None:
    for _ in range(3):
        verifier.subject(person.token())
    assert verifier.fetches == 1


def test_no_library_notices_a_rotation(login: LoginService, person: Person, verifier: Verifier) -> None:
    old = person.token()
    verifier.subject(old)
    new = rotated(login, person)
    assert kid_of(new) != kid_of(old)
    assert verifier.subject(new) == verifier.subject(old) == sub_of(old)
    assert verifier.fetches == 1  # the next key had been published long before it signed


def test_a_service_that_starts_after_a_rotation_takes_the_tokens_from_before(
    login: LoginService, person: Person, verifier: Verifier
) -> None:
    old = person.token()
    rotated(login, person)
    assert verifier.subject(old) == sub_of(old)


def test_pyjwt_asks_again_for_a_key_that_it_never_saw(
    login: LoginService, person: Person, service: Service
) -> None:
    verifier = PyJwt(service, cooldown=0)
    verifier.subject(person.token())
    rotated(login, person)
    assert verifier.subject(rotated(login, person)) == sub_of(person.token())
    assert verifier.fetches == 2


def test_joserfc_asks_again_for_a_key_that_it_never_saw(
    login: LoginService, person: Person, service: Service
) -> None:
    verifier = Joserfc(service)
    verifier.subject(person.token())
    rotated(login, person)
    assert verifier.subject(rotated(login, person)) == sub_of(person.token())
    assert verifier.fetches == 2


def test_authlib_that_obeys_max_age_has_each_key_in_time(
    login: LoginService, person: Person, service: Service, clock: HandClock
) -> None:
    verifier = Authlib(service, clock.monotonic)
    verifier.subject(person.token())
    for fetches in (2, 3):
        clock.advance(60)
        verifier.subject(person.token())
        assert verifier.subject(rotated(login, person)) == sub_of(person.token())
        assert verifier.fetches == fetches


def test_a_compromised_key_is_replaced_without_a_gap_and_unknown_from_then_on(
    login: LoginService, person: Person, service: Service, make_verifier: MakeVerifier
) -> None:
    stolen = person.token()
    running = make_verifier(service)
    running.subject(stolen)
    new = first_token_of(person, login.keyring.compromise(kid_of(stolen)))
    assert running.subject(new) == sub_of(stolen)
    assert running.fetches == 1
    with pytest.raises(Refused):
        make_verifier(service).subject(stolen)


def test_a_token_for_another_audience_is_refused(
    person: Person, service: Service, make_verifier: MakeVerifier
) -> None:
    elsewhere = make_verifier(replace(service, audience="https://other.example"))
    token = person.token()
    assert make_verifier(service).subject(token) == sub_of(token)
    with pytest.raises(Refused):
        elsewhere.subject(token)


def test_an_altered_token_is_refused(person: Person, verifier: Verifier) -> None:
    with pytest.raises(Refused):
        verifier.subject(altered(person.token()))
