"""`authserver token explain`: exactly why a service takes a token or refuses it."""

import json
from typing import Any

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


def explained(cli: Cli, token: str, *words: str, code: int = 1) -> dict[str, Any]:
    """The answer, with its findings by name; the same is said in words."""
    told = cli("token", "explain", *words, stdin=token)
    assert told.exit_code == code
    assert told.stdout.startswith("ACCEPTED" if code == 0 else "REFUSED")
    assert "Next: " in told.stdout
    facts = cli.facts("token", "explain", *words, stdin=token, code=code)
    facts["by_check"] = {one["check"]: one for one in facts["findings"]}
    return dict(facts)


def test_good_token_is_accepted_and_says_until_when(cli: Cli, token: str, alice: Account) -> None:
    facts = explained(cli, token, code=0)
    found = facts["by_check"]
    assert (facts["accepted"], facts["reason"], facts["verified"]) == (True, None, True)
    assert found["key"]["state"] == "active"
    assert found["claims"]["audience"] == [ISSUER]
    assert found["claims"]["expires_at"] == "2026-11-23T10:00:00Z"
    assert (found["account"]["state"], found["session"]["state"]) == ("enabled", "alive")
    assert "revocation" not in found


def test_signed_out_session_is_named_with_its_time_its_sequence_and_its_cause(
    cli: Cli, token: str, visitor: Visitor, clock: HandClock
) -> None:
    clock.advance(60)
    visitor.post("/logout", json={})
    clock.advance(60)
    facts = explained(cli, token)
    found = facts["by_check"]
    assert (facts["reason"], facts["verified"]) == ("signed_out", True)
    assert found["revocation"] | {"says": ""} == {
        "check": "revocation",
        "good": False,
        "says": "",
        "kind": "sid",
        "sequence": 1,
        "since": "2026-11-23T09:01:00Z",
        "before": None,
        "cause": "session.signed_out by account",
    }
    assert "(1 min ago), sequence 1: session.signed_out by account" in found["revocation"]["says"]
    assert (found["session"]["state"], found["session"]["since"]) == ("ended", "2026-11-23T09:01:00Z")


def test_disabled_account_is_named(cli: Cli, token: str) -> None:
    cli("account", "disable", "alice")
    found = explained(cli, token)["by_check"]
    assert (found["revocation"]["kind"], found["revocation"]["before"]) == ("sub", "2026-11-23T09:00:01Z")
    assert found["revocation"]["cause"] == "account.disabled by operator"
    assert found["account"]["state"] == "disabled"


@on_sqlite
def test_entries_of_every_kind_are_found(cli: Cli, token: str) -> None:
    claims = cli.facts("token", "inspect", stdin=token)["claims"]
    for kind in ("jti", "sid", "sub", "client_id"):
        cli("revocation", "add", kind, claims[kind])
    facts = explained(cli, token)
    found = [one for one in facts["findings"] if one["check"] == "revocation"]
    assert [(one["kind"], one["sequence"]) for one in found] == [
        ("jti", 1),
        ("sid", 2),
        ("sub", 3),
        ("client_id", 4),
    ]
    assert all(one["cause"] for one in found)


@on_sqlite
def test_cut_off_does_not_meet_a_token_that_is_younger(cli: Cli, token: str, clock: HandClock) -> None:
    claims = cli.facts("token", "inspect", stdin=token)["claims"]
    cli("revocation", "add", "client_id", claims["client_id"], "--before", "2026-11-23T08:59:59Z")
    assert explained(cli, token, code=0)["accepted"] is True


def test_compromised_key_vouches_for_nothing(cli: Cli, token: str) -> None:
    kid = cli.facts("token", "inspect", stdin=token)["header"]["kid"]
    assert cli("keys", "revoke", kid, "--compromised", "--yes").exit_code == 0
    facts = explained(cli, token)
    found = facts["by_check"]
    assert (facts["reason"], facts["verified"]) == ("signed_out", False)
    assert (found["key"]["state"], found["key"]["since"]) == ("compromised", "2026-11-23T09:00:00Z")
    assert (found["revocation"]["kind"], found["revocation"]["sequence"]) == ("kid", 1)
    assert not {"account", "session", "claims"} & found.keys()
    assert "its session lives" in facts["next"]
    assert "unverified_claims" in cli.facts("token", "inspect", stdin=token, code=1)


@on_sqlite
def test_retired_key_is_still_good_and_a_removed_one_is_not(cli: Cli, token: str, clock: HandClock) -> None:
    clock.advance(1_200)
    cli("keys", "rotate")
    found = explained(cli, token, code=0)["by_check"]
    assert (found["key"]["state"], found["key"]["since"]) == ("retired", "2026-11-23T09:20:00Z")
    clock.advance(86_400)
    cli("maintenance", "run")
    facts = explained(cli, token)
    found = facts["by_check"]
    assert (found["key"]["state"], found["key"]["since"]) == ("removed", "2026-11-24T09:20:00Z")
    assert (facts["reason"], found["claims"]["good"]) == ("unknown_key", False)


@on_sqlite
def test_unknown_key_is_said_to_be_unknown_and_nothing_else_is_believed(cli: Cli, token: str) -> None:
    foreign = load_rsa_keys()[-1]
    header = {"alg": "RS256", "kid": str(foreign.kid), "typ": "at+jwt"}
    forged = jwt.encode(header, {"iss": ISSUER, "sub": "root"}, foreign, algorithms=["RS256"])
    facts = explained(cli, forged)
    assert (facts["reason"], facts["verified"]) == ("unknown_key", False)
    assert [one["check"] for one in facts["findings"]] == ["key", "issuer"]
    assert facts["by_check"]["issuer"]["unverified_iss"] == ISSUER
    assert "which is not verified: anybody can write that" in facts["by_check"]["issuer"]["says"]
    assert "root" not in json.dumps(facts)


@on_sqlite
def test_changed_token_has_a_wrong_signature(cli: Cli, token: str) -> None:
    header, payload, signature = token.split(".")
    facts = explained(cli, f"{header}.{payload[:-4]}AAAA.{signature}")
    assert (facts["reason"], facts["verified"]) == ("bad_signature", False)


@on_sqlite
def test_audience_of_the_service_is_compared(cli: Cli, token: str) -> None:
    assert explained(cli, token, "--audience", ISSUER, code=0)["accepted"] is True
    facts = explained(cli, token, "--audience", "https://other.example.com")
    assert facts["reason"] == "wrong_audience"
    assert facts["by_check"]["claims"]["aud"] == [ISSUER]
    said = cli("token", "explain", "--audience", "https://other.example.com", stdin=token).stdout
    assert f"the token is for {ISSUER}, the service is https://other.example.com." in said


@on_sqlite
def test_expired_token_says_by_how_much_and_what_to_do(cli: Cli, token: str, clock: HandClock) -> None:
    clock.advance(3_675)
    facts = explained(cli, token)
    assert (facts["reason"], facts["by_check"]["claims"]["ago"]) == ("expired", 75)
    assert "POST /session/refresh" in facts["next"]


@on_sqlite
def test_clock_that_is_behind_is_named(cli: Cli, token: str, clock: HandClock) -> None:
    clock.advance(-75)
    facts = explained(cli, token)
    assert facts["reason"] == "not_yet_valid"
    assert "iat is 75 s ahead of our clock; 60 s" in facts["by_check"]["claims"]["says"]
    assert "clocks" in facts["next"]


@on_sqlite
def test_session_that_is_over_without_a_sign_out_leaves_its_token_good(
    cli: Cli, server: Server, clock: HandClock
) -> None:
    claims = {"iss": ISSUER, "aud": ISSUER, "sub": "nobody", "sid": "gone", "client_id": "c", "jti": "j"}
    now = int(clock.now().timestamp())
    own = server.keyring.signer("RS256").sign("at+jwt", {**claims, "iat": now, "exp": now + 60})
    found = explained(cli, own, code=0)["by_check"]
    assert (found["session"]["good"], found["session"]["state"]) == (None, None)
    assert (found["account"]["good"], found["account"]["state"]) == (None, None)


@on_sqlite
@pytest.mark.parametrize("text", ["abc", "a.b.c", "é.é.é", "x" * 100_000])
def test_what_is_no_token_is_refused_as_malformed(cli: Cli, text: str) -> None:
    assert explained(cli, text)["reason"] == "malformed"


@on_sqlite
def test_a_dash_means_standard_input(cli: Cli, token: str) -> None:
    assert explained(cli, token, "-", code=0)["accepted"] is True
    assert cli.facts("token", "explain", token)["accepted"] is True


@on_sqlite
def test_person_at_a_terminal_has_to_pipe_the_token_in(cli: Cli) -> None:
    cli.person = True
    said = cli.refusal("token", "explain", code=2)
    assert said == "pipe the token in: authserver token explain < token.txt"
    assert cli("token", "explain", "--no-such-option").exit_code == 2


@on_sqlite
def test_explanation_never_prints_the_token(cli: Cli, token: str) -> None:
    cli("token", "explain", stdin=token)
    cli("token", "explain", "--json", stdin=token[:-8])
    printed = "".join(cli.printed)
    assert token.rpartition(".")[2][:20] not in printed
    assert token.split(".")[1][:20] not in printed


@on_sqlite
def test_claims_cannot_command_the_terminal_of_who_asks_why(cli: Cli, server: Server) -> None:
    forged = server.keyring.signer("RS256").sign("at+jwt", {"iss": ISSUER, "sub": "\x9b2J \u202egnp"})
    printed = cli("token", "explain", stdin=forged).stdout
    assert "\x9b" not in printed
    assert "\u202e" not in printed


def signed(server: Server, clock: HandClock, typ: str = "at+jwt", **other: Any) -> str:
    """A token of this server's, with whatever claims a test wants."""
    now = int(clock.now().timestamp())
    usual = {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": "s",
        "client_id": "c",
        "jti": "j",
        "iat": now,
        "exp": now + 60,
    }
    claims = {name: value for name, value in (usual | other).items() if value is not None}
    return server.keyring.signer("RS256").sign(typ, claims)


@on_sqlite
def test_what_the_token_has_is_said_beside_what_was_expected(
    cli: Cli, server: Server, clock: HandClock
) -> None:
    issued = explained(cli, signed(server, clock, iss="https://other.example.com"))
    assert (issued["reason"], issued["by_check"]["claims"]["says"]) == (
        "wrong_issuer",
        f"the token comes from https://other.example.com, the service trusts {ISSUER}",
    )
    typed = explained(cli, signed(server, clock, "JWT"))
    assert typed["by_check"]["claims"]["says"] == "its typ is JWT, an access token's is at+jwt"


@on_sqlite
def test_reason_is_said_once(cli: Cli, token: str, clock: HandClock) -> None:
    assert "malformed: malformed" not in cli("token", "explain", stdin="abc").stdout
    clock.advance(3_675)
    assert cli("token", "explain", stdin=token).stdout.startswith("REFUSED (expired): expired 75 s ago")


@on_sqlite
def test_well_signed_token_without_a_claim_is_not_to_be_copied_again(
    cli: Cli, server: Server, clock: HandClock
) -> None:
    facts = explained(cli, signed(server, clock, jti=None))
    assert facts["reason"] == "malformed"
    assert "RFC 9068" in facts["next"]
    assert "copy" not in facts["next"]


@on_sqlite
def test_token_that_was_ended_alone_needs_no_sign_in(cli: Cli, token: str) -> None:
    claims = cli.facts("token", "inspect", stdin=token)["claims"]
    cli("revocation", "add", "jti", claims["jti"])
    assert "its session did not" in explained(cli, token)["next"]
    cli("revocation", "add", "sid", claims["sid"])


@on_sqlite
@pytest.mark.parametrize("around", ["Bearer {}", "Authorization: bearer {}\n", ' "{}" \n', "'Bearer {}'"])
def test_what_stands_around_a_copied_token_is_taken_off(cli: Cli, token: str, around: str) -> None:
    copied = around.format(token)
    assert explained(cli, copied, code=0)["accepted"] is True
    assert cli.facts("token", "explain", copied)["accepted"] is True


@on_sqlite
@pytest.mark.parametrize("nothing", ["", "\n", '""'])
def test_nothing_on_standard_input_is_said(cli: Cli, nothing: str) -> None:
    for verb in ("explain", "inspect"):
        said = cli.refusal("token", verb, stdin=nothing, code=2)
        assert said.startswith("nothing came on standard input")
        assert verb in said


@on_sqlite
def test_session_that_was_not_used_is_told_from_one_that_was_ended(
    cli: Cli, token: str, visitor: Visitor, clock: HandClock
) -> None:
    clock.advance(8 * 86_400)
    found = explained(cli, token)["by_check"]["session"]
    assert (found["state"], found["since"]) == ("unused", "2026-11-23T09:00:00Z")
    clock.advance(-8 * 86_400)
    visitor.post("/logout", json={})
    assert explained(cli, token)["by_check"]["session"]["state"] == "ended"


@on_sqlite
def test_session_at_the_end_of_its_lifetime_is_told_as_such(
    cli: Cli, token: str, visitor: Visitor, clock: HandClock
) -> None:
    for _ in range(6):
        clock.advance(5 * 86_400 - 1)
        visitor.post("/session/refresh", json={})
    clock.advance(60)
    found = explained(cli, token)["by_check"]["session"]
    assert (found["state"], found["since"]) == ("expired", "2026-12-23T09:00:00Z")
