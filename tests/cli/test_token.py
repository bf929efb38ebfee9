"""`authserver token inspect`."""

import json
from base64 import urlsafe_b64encode

import pytest
from joserfc import jwt

from authserver.accounts.store import Account
from authserver.app import Server
from tests.cli.conftest import Cli, on_sqlite
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD
from tests.signing_keys import load_rsa_keys
from tests.visitor import Visitor

TOKEN_COOKIE = "__Host-access_token"


@pytest.fixture
def token(cli: Cli, alice: Account, visitor: Visitor) -> str:
    """An access token of Alice's."""
    visitor.sign_in("alice", PASSWORD)
    return str(visitor.cookie(TOKEN_COOKIE))


def test_good_token_is_verified_with_the_published_keys(cli: Cli, token: str, alice: Account) -> None:
    facts = cli.facts("token", "inspect", stdin=f"{token}\n")
    assert (facts["valid"], facts["verified"], facts["revoked"]) == (True, True, False)
    assert facts["claims"]["sub"] == alice.id
    assert facts["header"]["typ"] == "at+jwt"
    assert cli("token", "inspect", stdin=token).stdout.startswith("VALID: signed by this server")


@on_sqlite
def test_token_may_be_an_argument(cli: Cli, token: str) -> None:
    assert cli.facts("token", "inspect", token)["valid"] is True


def test_signed_out_token_is_not_valid(cli: Cli, token: str) -> None:
    cli("account", "sign-out", "alice")
    facts = cli.facts("token", "inspect", stdin=token, code=1)
    assert (facts["verified"], facts["revoked"]) == (True, True)
    assert facts["reason"].startswith("its sub is revoked for tokens issued before 2026-11-23T09:00:01Z")


@on_sqlite
def test_expired_token_is_not_valid(cli: Cli, token: str, clock: HandClock) -> None:
    clock.advance(3_661)
    facts = cli.facts("token", "inspect", stdin=token, code=1)
    assert facts["verified"] is True
    assert facts["reason"] == "expired 61 s ago by our clock; 60 s of clock skew are accepted"
    assert cli("token", "inspect", stdin=token).stdout.startswith("NOT VALID: expired")


@on_sqlite
def test_token_of_another_server_looks_unverified(cli: Cli, token: str) -> None:
    foreign = load_rsa_keys()[-1]
    header = {"alg": "RS256", "kid": str(foreign.kid), "typ": "at+jwt"}
    forged = jwt.encode(header, {"iss": ISSUER, "sub": "root"}, foreign, algorithms=["RS256"])
    facts = cli.facts("token", "inspect", stdin=forged, code=1)
    assert facts["verified"] is False
    assert facts["unverified_claims"]["sub"] == "root"
    assert "claims" not in facts
    assert cli("token", "inspect", stdin=forged).stdout.startswith(
        f"UNVERIFIED: its key {foreign.kid} is none of this server's"
    )


@on_sqlite
def test_token_whose_claims_were_changed_looks_unverified(cli: Cli, token: str) -> None:
    header, _, signature = token.split(".")
    other = urlsafe_b64encode(json.dumps({"sub": "root"}).encode()).rstrip(b"=").decode()
    facts = cli.facts("token", "inspect", stdin=f"{header}.{other}.{signature}", code=1)
    assert (facts["verified"], facts["reason"]) == (False, "its signature is wrong")
    assert "claims" not in facts


@on_sqlite
def test_signed_document_that_is_no_access_token_is_not_valid(cli: Cli, server: Server) -> None:
    claims = {"iss": ISSUER, "aud": ISSUER, "iat": 1_795_424_400, "exp": 1_795_428_000}
    document = server.keyring.signer("RS256").sign("secevent+jwt", claims)
    facts = cli.facts("token", "inspect", stdin=document, code=1)
    assert (facts["verified"], facts["reason"]) == (
        True,
        "its typ is secevent+jwt, an access token's is at+jwt",
    )


@on_sqlite
@pytest.mark.parametrize("text", ["abc", "a.b.c", "é.é.é", "\x1b[2J", "x" * 100_000])
def test_what_is_no_token_is_not_valid(cli: Cli, text: str) -> None:
    facts = cli.facts("token", "inspect", stdin=text, code=1)
    assert facts["reason"].startswith("malformed: ")
    assert facts["verified"] is False


@on_sqlite
def test_signature_is_never_printed(cli: Cli, token: str) -> None:
    cli("token", "inspect", stdin=token)
    cli("token", "inspect", "--json", stdin=token)
    cli("token", "inspect", stdin=token[:-8])
    signature = token.rpartition(".")[2]
    assert signature[:20] not in "".join(cli.printed)


@on_sqlite
def test_claims_cannot_command_the_operators_terminal(cli: Cli, server: Server) -> None:
    forged = server.keyring.signer("RS256").sign("at+jwt", {"sub": "\x9b2J \u202egnp"})
    printed = cli("token", "inspect", stdin=forged).stdout
    assert "\x9b" not in printed
    assert "\u202e" not in printed


@on_sqlite
def test_person_at_a_terminal_is_told_to_pipe_the_token_in(cli: Cli) -> None:
    cli.person = True
    said = cli.refusal("token", "inspect", code=2)
    assert said == "pipe the token in: authserver token inspect < token.txt"
