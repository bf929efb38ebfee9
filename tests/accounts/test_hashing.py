"""L02, L06: the same work whoever is asked for, the whole password, and no exception for what is in the table."""

import pytest
from argon2.exceptions import VerificationError, VerifyMismatchError
from argon2.low_level import Type, hash_secret, verify_secret

from authserver.accounts.hashing import Parameters, PasswordHasher, Verdict
from authserver.accounts.passwords import Password, prepare

CHEAP = Parameters(memory_kib=8, iterations=1, lanes=1)
RIGHT = prepare("turnip velocity mandolin")
WRONG = prepare("turnip velocity mandolim")


class Meter:
    """Argon2 itself, and a note of the parameters of each hash that it really computed."""

    def __init__(self) -> None:
        self.computed: list[str] = []

    def __call__(self, encoded: bytes, secret: bytes, kind: Type) -> bool:
        cost = encoded.decode().split("$")[3]
        try:
            answer = verify_secret(encoded, secret, kind)
        except VerifyMismatchError:
            self.computed.append(cost)
            raise
        self.computed.append(cost)
        return answer


def test_a_password_matches_its_own_hash_only() -> None:
    hasher = PasswordHasher(CHEAP)
    stored = hasher.hash(RIGHT)
    assert hasher.verify(RIGHT, stored) == Verdict(match=True, upgrade=False)
    assert hasher.verify(WRONG, stored) == Verdict(match=False, upgrade=False)


def test_each_hash_has_a_salt_of_its_own() -> None:
    hasher = PasswordHasher(CHEAP)
    assert hasher.hash(RIGHT) != hasher.hash(RIGHT)


def test_the_default_is_argon2id_with_the_figures_of_owasp() -> None:
    assert Parameters() == Parameters(memory_kib=19_456, iterations=2, lanes=1)
    assert PasswordHasher(CHEAP).hash(RIGHT).startswith("$argon2id$v=19$m=8,t=1,p=1$")


def stored_hashes() -> dict[str, str | None]:
    good = PasswordHasher(CHEAP).hash(RIGHT)
    return {
        "an unknown account": None,
        "a known account": good,
        "an empty hash": "",
        "another scheme": "$2b$12$abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234",
        "another argon2": hash_secret(RIGHT.encode(), b"0123456789abcdef", 1, 8, 1, 32, Type.D).decode(),
        "half a hash": good[:-20],
        "base64 that ends wrong": good[:-1] + "/",
        "a tail after a NUL": good + "\0tail",
        "a line feed at the end": good + "\n",
        "letters beyond ASCII": good.replace("$m", "$\u217f"),
        "half a character": "\ud800",
        "more memory than there is": good.replace("m=8,", "m=4194304,"),
        "years of iterations": good.replace("t=1,", "t=99,"),
        "too little memory for its lanes": good.replace("p=1", "p=9"),
        "nonsense": "x" * 255,
    }


@pytest.mark.parametrize("what", stored_hashes())
def test_every_verification_computes_one_hash_of_the_current_parameters(what: str) -> None:
    meter = Meter()
    verdict = PasswordHasher(CHEAP, verify=meter).verify(WRONG, stored_hashes()[what])
    assert verdict == Verdict(match=False)
    assert meter.computed == ["m=8,t=1,p=1"]


@pytest.mark.parametrize("what", [what for what in stored_hashes() if what != "a known account"])
def test_the_right_password_does_not_match_what_is_no_hash_of_ours(what: str) -> None:
    assert PasswordHasher(CHEAP).verify(RIGHT, stored_hashes()[what]) == Verdict(match=False)


def test_a_decoy_that_matches_opens_nothing() -> None:
    def agreeable(encoded: bytes, secret: bytes, kind: Type) -> bool:
        return True

    assert PasswordHasher(CHEAP, verify=agreeable).verify(RIGHT, None) == Verdict(match=False)


def test_making_a_hasher_computes_no_hash() -> None:
    meter = Meter()
    PasswordHasher(Parameters(memory_kib=1_048_576, iterations=32), verify=meter)
    assert meter.computed == []


@pytest.mark.parametrize("costlier", [Parameters(16, 1, 1), Parameters(8, 2, 1)])
def test_a_hash_that_was_cheaper_is_to_be_made_anew(costlier: Parameters) -> None:
    cheap = PasswordHasher(CHEAP).hash(RIGHT)
    dear = PasswordHasher(costlier).hash(RIGHT)
    assert PasswordHasher(costlier).verify(RIGHT, cheap) == Verdict(match=True, upgrade=True)
    assert PasswordHasher(costlier).verify(WRONG, cheap) == Verdict(match=False, upgrade=False)
    assert PasswordHasher(CHEAP).verify(RIGHT, dear) == Verdict(match=True, upgrade=False)


def test_no_byte_of_a_long_password_is_cut_off() -> None:
    hasher = PasswordHasher(CHEAP)
    for length in (72, 73, 1_024):  # bcrypt stops at 72
        stored = hasher.hash(Password("x" * (length - 1) + "a"))
        assert not hasher.verify(Password("x" * (length - 1) + "b"), stored).match


def test_a_machine_without_memory_is_not_a_wrong_password() -> None:
    def exhausted(encoded: bytes, secret: bytes, kind: Type) -> bool:
        raise VerificationError("Memory allocation error")

    with pytest.raises(VerificationError):
        PasswordHasher(CHEAP, verify=exhausted).verify(RIGHT, None)


@pytest.mark.parametrize(
    "bad", [(7, 1, 1), (8, 0, 1), (8, 1, 0), (8, 1, 2), (2_000_000, 1, 1), (8, 99, 1), (800, 1, 17)]
)
def test_impossible_parameters_are_refused_when_they_are_made(bad: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="Argon2"):
        Parameters(*bad)
