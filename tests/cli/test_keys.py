"""`authserver keys`."""

import json
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from authserver.app import Server
from authserver.database import Database
from tests.cli.conftest import Cli, everything, on_sqlite
from tests.clocks import HandClock
from tests.conftest import KEK, PASSWORD
from tests.visitor import Visitor

OTHER_KEK = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="
SAFE_AFTER = timedelta(minutes=6)  # jwks_max_age + clock_skew


def states(cli: Cli) -> list[str]:
    return sorted(key["state"] for key in cli.facts("keys", "list", "--all")["keys"])


def test_first_rotation_makes_an_active_and_a_next_key(cli: Cli) -> None:
    facts = cli.facts("keys", "rotate")
    assert facts["outcome"] == "created"
    assert states(cli) == ["active", "next"]


def test_rotation_where_every_verifier_has_the_next_key_promotes_it_now(
    cli: Cli, first: str, clock: HandClock
) -> None:
    [next_kid] = [key["kid"] for key in cli.facts("keys", "list")["keys"] if key["state"] == "next"]
    clock.advance(SAFE_AFTER)
    facts = cli.facts("keys", "rotate")
    assert (facts["outcome"], facts["previous"], facts["active"]) == ("promoted", first, next_kid)
    assert states(cli) == ["active", "next", "retired"]


@on_sqlite
def test_rotation_says_which_key_follows_which(cli: Cli, first: str, clock: HandClock) -> None:
    clock.advance(SAFE_AFTER)
    said = cli("keys", "rotate").stdout
    assert f"promoted now: {first} → " in said
    assert f"{first} stays published until 2026-11-23T10:07:00Z (in 1 h)" in said


def test_rotation_that_would_be_too_early_is_scheduled(cli: Cli, first: str, clock: HandClock) -> None:
    clock.advance(60)
    facts = cli.facts("keys", "rotate")
    assert (facts["outcome"], facts["active"]) == ("scheduled", first)
    assert facts["rotates_at"] == "2026-11-23T09:06:00Z"
    assert cli.facts("keys", "rotate")["outcome"] == "unchanged"
    said = cli("keys", "rotate").stdout
    assert (
        "already scheduled for 2026-11-23T09:06:00Z (in 5 min) because a verifier may hold a JWKS without"
        in said
    )


def test_scheduled_rotation_is_done_by_maintenance(cli: Cli, first: str, clock: HandClock) -> None:
    cli("keys", "rotate")
    clock.advance(SAFE_AFTER)
    assert len(cli.facts("maintenance", "run")["keys_changed"]) == 3
    assert states(cli) == ["active", "next", "retired"]


def test_running_server_signs_with_the_promoted_key(cli: Cli, server: Server, clock: HandClock) -> None:
    clock.advance(SAFE_AFTER)
    kid = cli.facts("keys", "rotate")["active"]
    server.follow()
    assert server.keyring.signer("RS256").kid == kid


@on_sqlite
def test_ring_is_chosen_by_its_algorithm(cli: Cli) -> None:
    cli.env["AUTHSERVER_SIGNING_ALGORITHMS"] = '["RS256", "ES256"]'
    assert cli.facts("keys", "rotate", "--algorithm", "ES256")["algorithm"] == "ES256"
    assert {key["algorithm"] for key in cli.facts("keys", "list")["keys"]} == {"ES256"}


@on_sqlite
def test_algorithm_that_is_not_configured_is_wrong_usage(cli: Cli) -> None:
    assert "none of signing_algorithms (RS256)" in cli.refusal(
        "keys", "rotate", "--algorithm", "ES256", code=2
    )


@on_sqlite
def test_list_shows_the_date_that_matters(cli: Cli, first: str, clock: HandClock) -> None:
    assert "may sign from 2026-11-23T09:06:00Z (in 6 min)" in cli("keys", "list").stdout
    clock.advance(SAFE_AFTER)
    cli("keys", "rotate")
    [retired] = [key for key in cli.facts("keys", "list")["keys"] if key["state"] == "retired"]
    assert retired["kid"] == first
    assert retired["removed_from"] == "2026-11-23T10:07:00Z"


@on_sqlite
def test_removed_keys_are_listed_on_demand(cli: Cli, first: str, clock: HandClock) -> None:
    clock.advance(SAFE_AFTER)
    cli("keys", "rotate")
    clock.advance(timedelta(hours=2))
    cli("maintenance", "run")
    assert first not in cli("keys", "list").stdout
    assert first in cli("keys", "list", "--all").stdout
    assert f"revocation add kid {first}" in cli.refusal("keys", "revoke", first, "--compromised", "--yes")
    assert cli("revocation", "add", "kid", first).exit_code == 0


@on_sqlite
def test_lists_of_no_keys_say_how_to_make_some(cli: Cli) -> None:
    assert "authserver keys rotate" in cli("keys", "list").stdout
    assert "authserver keys rotate" in cli("keys", "plan").stdout


@on_sqlite
def test_plan_shows_the_arithmetic_of_each_date(cli: Cli, first: str) -> None:
    plan = cli.facts("keys", "plan")["plan"]
    assert [(row["event"], row["at"]) for row in plan] == [
        ("may sign", "2026-11-23T09:06:00Z"),
        ("signs", "2026-12-23T09:00:00Z"),
        ("is removed", "2026-12-23T10:01:00Z"),
    ]
    may_sign, signs, removed = (row["because"] for row in plan)
    assert "2026-11-23T09:00:00Z + 5m jwks_max_age + 1m clock_skew" in may_sign
    assert "2026-11-23T09:00:00Z + 30d rotation_period" in signs
    assert "2026-12-23T09:00:00Z + 1h access_token_lifetime + 1m clock_skew" in removed


@on_sqlite
def test_plan_shows_a_rotation_that_was_asked_for(cli: Cli, first: str) -> None:
    cli("keys", "rotate")
    signs = cli.facts("keys", "plan")["plan"][1]
    assert (signs["at"], signs["because"]) == (
        "2026-11-23T09:06:00Z",
        "a rotation was asked for, and this is its first safe moment",
    )


@on_sqlite
def test_plan_fits_a_terminal(cli: Cli, first: str) -> None:
    said = cli("keys", "plan").stdout.splitlines()
    assert max(map(len, said)) <= 100
    assert said[0].startswith("2026-11-23T09:06:00Z (in 6 min)  RS256  ")
    assert said[1].startswith("    published 2026-11-23T09:00:00Z + 5m jwks_max_age")


@on_sqlite
def test_list_shows_a_rotation_that_is_scheduled(cli: Cli, first: str, clock: HandClock) -> None:
    assert cli.facts("keys", "list")["scheduled"] == []
    cli("keys", "rotate")
    [scheduled] = cli.facts("keys", "list")["scheduled"]
    assert scheduled["at"] == "2026-11-23T09:06:00Z"
    said = cli("keys", "list").stdout.splitlines()[-1]
    assert said == (
        f"RS256: a rotation is scheduled for 2026-11-23T09:06:00Z (in 6 min): {scheduled['kid']} signs from then on."
    )
    clock.advance(SAFE_AFTER)
    cli("maintenance", "run")
    assert cli.facts("keys", "list")["scheduled"] == []


def test_compromised_key_leaves_the_jwks_and_its_tokens_are_refused(
    cli: Cli, server: Server, visitor: Visitor
) -> None:
    cli("account", "create", "alice", "--password-stdin", stdin=PASSWORD)
    visitor.sign_in("alice", PASSWORD)
    token = str(visitor.cookie("__Host-access_token"))
    kid = server.keyring.signer("RS256").kid
    facts = cli.facts("keys", "revoke", kid, "--compromised", "--yes")
    server.follow()
    assert server.keyring.signer("RS256").kid == facts["active"] != kid
    assert kid not in {key["kid"] for key in server.keyring.snapshot.jwks["keys"]}
    assert cli.facts("token", "inspect", stdin=token, code=1)["revoked"] is True


def test_compromise_is_on_the_list_for_longer_than_any_cache_and_in_the_audit_log(
    cli: Cli, first: str
) -> None:
    cli("keys", "revoke", first, "--compromised", "--yes")
    [entry] = cli.facts("revocation", "list")["revocations"]
    assert (entry["kind"], entry["value"]) == ("kid", first)
    assert entry["expires_at"] == "2027-11-23T09:00:00Z"
    [noted] = cli.facts("audit", "list", "--event", "key.compromised")["entries"]
    assert (noted["actor"], noted["detail"]["kid"]) == ("operator", first)


@on_sqlite
def test_emergency_says_how_long_verifiers_that_do_not_follow_the_list_may_accept_the_key(
    cli: Cli, first: str, clock: HandClock
) -> None:
    clock.advance(SAFE_AFTER)
    words = ("keys", "revoke", first, "--compromised", "--yes")
    for more in (("--dry-run",), ()):
        said = cli(*words, *more).stdout
        assert "Others may accept them until their JWKS is older than max-age" in said
        assert "2026-11-23T09:12:00Z (in 6 min) at the latest" in said
        assert "caches strictly" not in said, "the next key is old enough"


@on_sqlite
def test_emergency_with_a_successor_that_is_too_young_says_who_may_refuse_it_and_until_when(
    cli: Cli, first: str, clock: HandClock
) -> None:
    clock.advance(120)
    words = ("keys", "revoke", first, "--compromised", "--yes")
    for more in (("--dry-run",), ()):
        said = cli(*words, *more).stdout
        assert (
            "caches strictly by max-age may refuse its tokens until 2026-11-23T09:06:00Z (in 4 min)" in said
        )
    [signing] = [key["kid"] for key in cli.facts("keys", "list")["keys"] if key["state"] == "active"]
    facts = cli.facts("keys", "revoke", signing, "--compromised", "--yes")
    assert facts["successor_known_from"] == "2026-11-23T09:08:00Z", "made by the emergency before"


@on_sqlite
def test_compromised_keys_private_half_is_deleted_at_once(cli: Cli, first: str, tmp_path: Path) -> None:
    assert (tmp_path / "keys" / f"{first}.jwe").exists()
    cli("keys", "revoke", first, "--compromised", "--yes")
    assert not (tmp_path / "keys" / f"{first}.jwe").exists()


@on_sqlite
def test_retired_keys_private_half_is_deleted_at_once(
    cli: Cli, first: str, tmp_path: Path, clock: HandClock
) -> None:
    clock.advance(SAFE_AFTER)
    cli("keys", "rotate")
    assert not (tmp_path / "keys" / f"{first}.jwe").exists()


@on_sqlite
def test_revoking_needs_a_reason(cli: Cli, first: str) -> None:
    assert "use `authserver keys rotate`" in cli.refusal("keys", "revoke", first, "--yes", code=2)
    assert states(cli) == ["active", "next"]


@on_sqlite
def test_revoking_asks_nobody_where_there_is_no_terminal(cli: Cli, first: str) -> None:
    assert "add --yes" in cli.refusal("keys", "revoke", first, "--compromised", stdin="y\n")
    assert states(cli) == ["active", "next"]


@on_sqlite
def test_person_at_a_terminal_is_asked_before_a_key_is_revoked(cli: Cli, first: str) -> None:
    cli.person = True
    declined = cli("keys", "revoke", first, "--compromised", stdin="n\n")
    assert (declined.exit_code, declined.stdout.startswith("Refuse every token")) == (1, False)
    assert states(cli) == ["active", "next"]
    assert cli("keys", "revoke", first, "--compromised", stdin="y\n").exit_code == 0
    assert states(cli) == ["active", "compromised", "next"]


@on_sqlite
def test_key_is_revoked_once(cli: Cli, first: str) -> None:
    cli("keys", "revoke", first, "--compromised", "--yes")
    assert "revoked already" in cli.refusal("keys", "revoke", first, "--compromised", "--yes")


@on_sqlite
def test_unknown_key_is_not_found(cli: Cli, first: str) -> None:
    for words in (("revoke", "nope", "--compromised", "--yes"), ("export", "nope", "--public")):
        assert cli.refusal("keys", *words) == "there is no key nope: `authserver keys list --all` shows them"


@on_sqlite
def test_public_key_is_exported_as_pem_and_jwk(cli: Cli, first: str) -> None:
    pem = cli("keys", "export", first, "--public").stdout
    assert isinstance(load_pem_public_key(pem.encode()), RSAPublicKey)
    jwk = json.loads(cli("keys", "export", first, "--public", "--jwk").stdout)
    assert (jwk["kid"], jwk["alg"], jwk["use"]) == (first, "RS256", "sig")
    assert cli.facts("keys", "export", first, "--public", "--jwk")["jwk"] == jwk
    assert not {"d", "p", "q", "dp", "dq", "qi"} & jwk.keys()


@on_sqlite
def test_private_key_is_not_exported(cli: Cli, first: str) -> None:
    assert "private keys are not exported" in cli.refusal("keys", "export", first, code=2)


@on_sqlite
def test_key_folder_that_others_can_read_is_refused(cli: Cli, first: str, tmp_path: Path) -> None:
    (tmp_path / "keys").chmod(0o755)
    assert "chmod 700" in cli.refusal("keys", "rotate")


def test_dry_run_changes_nothing(
    cli: Cli, first: str, database: Database, tmp_path: Path, clock: HandClock
) -> None:
    cli.env["AUTHSERVER_KEY_ENCRYPTION_KEY"] = OTHER_KEK
    cli.env["AUTHSERVER_PREVIOUS_KEY_ENCRYPTION_KEYS"] = json.dumps([KEK])
    before = everything(database, tmp_path)
    assert cli.facts("keys", "rotate", "--dry-run")["outcome"] == "scheduled"
    clock.advance(SAFE_AFTER)
    assert cli.facts("keys", "rotate", "--dry-run")["outcome"] == "promoted"
    assert cli.facts("keys", "revoke", first, "--compromised", "--dry-run")["outcome"] == "compromised"
    assert cli.facts("keys", "rewrap", "--dry-run")["dry_run"] is True
    clock.advance(timedelta(days=40))
    assert cli.facts("maintenance", "run", "--dry-run")["keys_changed"]
    assert everything(database, tmp_path) == before


@on_sqlite
def test_dry_run_in_an_empty_folder_makes_no_keys(cli: Cli, tmp_path: Path) -> None:
    assert cli.facts("keys", "rotate", "--dry-run")["outcome"] == "created"
    assert not (tmp_path / "keys").exists()


@on_sqlite
def test_no_output_holds_a_private_key_or_the_key_that_encrypts_it(
    cli: Cli, first: str, clock: HandClock
) -> None:
    cli("keys", "list")
    cli("keys", "plan")
    cli("keys", "export", first, "--public", "--jwk")
    clock.advance(SAFE_AFTER)
    cli("keys", "rotate")
    cli("keys", "rewrap")
    cli("keys", "revoke", first, "--compromised", "--yes")
    cli("config", "show")
    cli("audit", "list")
    printed = "".join(cli.printed)
    assert KEK not in printed
    assert '"d"' not in printed
    assert "PRIVATE" not in printed
