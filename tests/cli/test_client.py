"""`authserver client`."""

import json
from pathlib import Path
from typing import Any

import pytest

from authserver.cli.client_options import OPTIONS
from authserver.clients import store
from authserver.clients.metadata import OURS, STANDARD
from authserver.clients.models import client_secret
from authserver.clients.registration import Registration
from authserver.clients.secrets import is_one_of
from authserver.database import Database
from authserver.opaque import hash_secret
from tests.cli.conftest import Cli, everything, on_sqlite
from tests.clocks import HandClock
from tests.signing_keys import ec_key_pairs, rsa_key_pairs

CALLBACK = "https://shop.example/cb"
WEB = ("client", "create", "Shop", "--id", "shop", "--kind", "web", "--redirect-uri", CALLBACK)
CREATE = {
    "web": ("--redirect-uri", CALLBACK),
    "browser": ("--redirect-uri", CALLBACK),
    "native": ("--redirect-uri", "http://127.0.0.1/cb", "--redirect-uri", "com.example.shop:/cb"),
    "service": ("--scope", "orders:read", "--audience", "https://api.example"),
    "device": (),
}


@pytest.fixture
def secret(cli: Cli) -> str:
    """The secret of a client called `shop`."""
    return str(cli.facts(*WEB)["client_secret"])


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    public = {name: value for name, value in rsa_key_pairs()[0].items() if name in {"kty", "n", "e", "kid"}}
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [public]}))
    return file


def good(database: Database, secret: str, clock: HandClock) -> bool:
    registered = database.read(lambda db: store.by_id(db, "shop"))
    return registered is not None and is_one_of(secret, registered.secrets, clock.now())


def client(cli: Cli, client_id: str = "shop") -> Any:
    return cli.facts("client", "show", client_id)["client"]


def newest_entry(cli: Cli) -> Any:
    [entry] = cli.facts("audit", "list", "--limit", "1")["entries"]
    return entry


def test_created_client_proves_itself_by_the_secret_that_was_printed(
    cli: Cli, secret: str, database: Database, clock: HandClock
) -> None:
    assert good(database, secret, clock)
    shown = client(cli)
    assert (shown["client_name"], shown["redirect_uris"]) == ("Shop", [CALLBACK])
    assert shown["secrets"] == [{"created_at": "2026-11-23T09:00:00Z", "expires_at": None}]


@on_sqlite
@pytest.mark.parametrize(
    ("kind", "method", "grants"),
    [
        ("web", "client_secret_basic", ["authorization_code", "refresh_token"]),
        ("browser", "none", ["authorization_code", "refresh_token"]),
        ("native", "none", ["authorization_code", "refresh_token"]),
        ("service", "client_secret_basic", ["client_credentials"]),
        ("device", "none", ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]),
    ],
)
def test_each_kind_of_app_is_one_short_command(cli: Cli, kind: str, method: str, grants: list[str]) -> None:
    facts = cli.facts("client", "create", "Shop", "--kind", kind, *CREATE[kind])
    made = facts["client"]
    assert (made["token_endpoint_auth_method"], made["grant_types"]) == (method, grants)
    assert made["require_pkce"] is True
    assert ("client_secret" in facts) is (method != "none")
    assert facts["issuer"] == "https://login.example.com"
    assert len(made["client_id"]) == 22


@on_sqlite
def test_person_is_told_id_and_secret_and_that_it_is_for_this_once(cli: Cli) -> None:
    told = cli(*WEB).stdout
    assert "Client id:     shop\nClient secret: " in told
    assert "not shown again" in told
    assert "Issuer:        https://login.example.com" in told
    public = cli("client", "create", "App", "--kind", "browser", "--redirect-uri", CALLBACK).stdout
    assert "It has no secret: PKCE (S256) protects its sign-ins." in public


def test_every_field_of_a_registration_has_an_option() -> None:
    fields = {*STANDARD, *OURS}
    assert fields - {option.field for option in OPTIONS} == {
        "client_name",
        "application_type",  # the kind says it
        "response_types",  # the grants say it
        "backchannel_logout_session_required",
        "frontchannel_logout_session_required",
    }
    assert {option.field for option in OPTIONS} <= set(Registration.__dataclass_fields__)


@on_sqlite
def test_every_option_is_kept_and_shown(cli: Cli, jwks: Path) -> None:
    cli(
        *WEB,
        *("--post-logout-redirect-uri", "https://shop.example/bye"),
        *("--scope", "openid orders:read"),
        *("--audience", "https://api.example", "--audience", "orders"),
        "--first-party",
        *("--grant-type", "authorization_code", "--grant-type", "token_exchange"),
        *("--auth-method", "private_key_jwt", "--jwks", str(jwks), "--auth-alg", "PS256"),
        "--assertion-for-token-endpoint",
        "--no-pkce",
        "--require-par",
        "--dpop",
        "--no-rotate-refresh",
        *("--backchannel-logout-uri", "https://shop.example/back"),
        *("--frontchannel-logout-uri", "https://shop.example/front"),
        *("--id-token-alg", "RS256", "--userinfo-alg", "RS256"),
        "--pairwise",
        *("--default-max-age", "1h", "--access-token-lifetime", "5m", "--refresh-token-lifetime", "30d"),
        "--auth-time",
        *("--logo-uri", "https://shop.example/logo.png", "--contact", "ops@shop.example"),
    )
    shown = client(cli)
    expected = {
        "post_logout_redirect_uris": ["https://shop.example/bye"],
        "scope": "openid orders:read",
        "audiences": ["https://api.example", "orders"],
        "first_party": True,
        "grant_types": ["authorization_code", "urn:ietf:params:oauth:grant-type:token-exchange"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "PS256",
        "assertion_for_token_endpoint": True,
        "require_pkce": False,
        "require_pushed_authorization_requests": True,
        "dpop_bound_access_tokens": True,
        "rotate_refresh_tokens": False,
        "backchannel_logout_uri": "https://shop.example/back",
        "frontchannel_logout_uri": "https://shop.example/front",
        "userinfo_signed_response_alg": "RS256",
        "subject_type": "pairwise",
        "default_max_age": 3600,
        "access_token_lifetime": 300,
        "refresh_token_lifetime": 2_592_000,
        "require_auth_time": True,
        "logo_uri": "https://shop.example/logo.png",
        "contacts": ["ops@shop.example"],
        "secrets": [],
    }
    assert {name: shown[name] for name in expected} == expected
    assert [key["kid"] for key in shown["jwks"]["keys"]] == [rsa_key_pairs()[0]["kid"]]
    assert rsa_key_pairs()[0]["kid"] in cli("client", "show", "shop").stdout


@on_sqlite
def test_person_is_shown_what_is_set_and_what_is_unusual(cli: Cli, secret: str) -> None:
    cli("client", "update", "shop", "--no-pkce", "--dpop", "--default-max-age", "0")
    rows = dict(line.split("  ", 1) for line in cli("client", "show", "shop").stdout.splitlines())
    shown = {
        name: rows[name].strip() for name in ("require pkce", "dpop bound access tokens", "default max age")
    }
    assert shown == {"require pkce": "no", "dpop bound access tokens": "yes", "default max age": "0"}
    assert "require auth time" not in rows
    assert rows["secret"].strip() == "since 2026-11-23T09:00:00Z (now)"


@on_sqlite
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--kind", "web"), "--redirect-uri: name at least one"),
        (
            ("--kind", "web", "--redirect-uri", "http://a.example/cb"),
            "--redirect-uri: 'http://a.example/cb' cannot",
        ),
        (("--kind", "web", "--redirect-uri", "https://*.a.example/"), "there are no wildcards"),
        (("--kind", "web", "--redirect-uri", "\x1b[2J"), r"--redirect-uri: '\x1b[2J' cannot be registered"),
        (
            ("--kind", "native", "--redirect-uri", "http://localhost/cb"),
            "write 127.0.0.1 or [::1] in place of",
        ),
        (("--kind", "service", "--redirect-uri", CALLBACK), "--redirect-uri: leave them out"),
        (
            ("--kind", "service", "--auth-method", "none"),
            "--auth-method: client_credentials is for clients that",
        ),
        (("--kind", "service", "--auth-method", "private_key_jwt"), "--jwks: private_key_jwt needs"),
        (("--kind", "service", "--scope", 'a"b'), "--scope: write scopes of visible ASCII"),
        (("--kind", "service", "--audience", "a b"), "--audience: 'a b' cannot"),
        (
            ("--kind", "service", "--id-token-alg", "PS256"),
            "--id-token-alg: this server has no key for PS256",
        ),
        (
            ("--kind", "service", "--access-token-lifetime", "2h"),
            "--access-token-lifetime: at most 3600 seconds",
        ),
        (("--kind", "service", "--access-token-lifetime", "soon"), "'soon' is no length of time"),
        (("--kind", "service", "--grant-type", "password"), "--grant-type: write one of:"),
        (("--kind", "service", "--jwks", "/nowhere/jwks.json"), "/nowhere/jwks.json cannot be read"),
        (("--kind", "service", "--id", "first-party"), "--id: first-party is the server's own"),
        (("--kind", "service", "--id", "a" * 22), "--id: a chosen id may not have 22 characters"),
        (("--kind", "service", "--id", "Shop"), "--id: a chosen id has 3 to 63 small letters"),
    ],
)
def test_what_does_not_hold_together_is_refused_under_the_options_name(
    cli: Cli, words: tuple[str, ...], sentence: str
) -> None:
    assert sentence in cli.refusal("client", "create", "Shop", *words, code=2)
    assert cli.facts("client", "list")["clients"] == []


@on_sqlite
@pytest.mark.parametrize("name", ["", " ", "x" * 256, "a\x1b[2J", "a\u202eb"])
def test_name_that_people_could_not_read_is_refused(cli: Cli, name: str) -> None:
    assert "the name: write 1 to 255 visible" in cli.refusal(
        "client", "create", name, "--kind", "device", code=2
    )


@on_sqlite
def test_file_with_a_private_key_is_refused_and_not_repeated(cli: Cli, tmp_path: Path) -> None:
    pair, file = ec_key_pairs()[0], tmp_path / "pair.json"
    words = ("client", "create", "Reports", "--kind", "service", "--auth-method", "private_key_jwt")
    for text in (json.dumps({"keys": [pair]}), json.dumps({"keys": [pair]})[:-1], "[" * 100_000):
        file.write_text(text)
        assert cli(*words, "--jwks", str(file)).exit_code == 2
    file.write_text(" " * 300_000)
    assert "too large" in cli.refusal(*words, "--jwks", str(file), code=2)
    assert pair["d"] not in "".join(cli.printed)


def test_second_client_of_an_id_is_refused(cli: Cli, secret: str) -> None:
    assert cli.refusal(*WEB) == "there is a client shop already: choose another --id"


@on_sqlite
def test_clients_are_listed_in_pages(cli: Cli) -> None:
    assert "There are no clients" in cli("client", "list").stdout
    for name in ("carol", "alice", "bob"):
        cli("client", "create", name, "--kind", "device", "--id", name)
    first = cli.facts("client", "list", "--limit", "2")
    assert [one["client_id"] for one in first["clients"]] == ["alice", "bob"]
    assert first["more"] is True
    assert "--after bob" in cli("client", "list", "--limit", "2").stdout
    rest = cli.facts("client", "list", "--after", "bob")
    assert ([one["client_id"] for one in rest["clients"]], rest["more"]) == (["carol"], False)


def test_update_changes_what_is_named_and_nothing_else(
    cli: Cli, secret: str, database: Database, clock: HandClock
) -> None:
    before = client(cli)
    other = "https://shop.example/other"
    told = cli("client", "update", "shop", "--redirect-uri", other, "--name", "가게", "--require-par").stdout
    assert told == "Changed shop: client_name, redirect_uris, require_pushed_authorization_requests.\n"
    changes = {"redirect_uris": [other], "client_name": "가게", "require_pushed_authorization_requests": True}
    assert client(cli) == {**before, **changes}
    assert good(database, secret, clock)


@on_sqlite
def test_cleared_option_is_as_if_it_had_never_been_said(cli: Cli, secret: str) -> None:
    before = client(cli)
    cli("client", "update", "shop", "--backchannel-logout-uri", "https://shop.example/out", "--no-pkce")
    assert client(cli) != before
    cli("client", "update", "shop", "--clear", "backchannel-logout-uri", "--clear", "--pkce")
    assert client(cli) == before


@on_sqlite
def test_update_that_would_not_hold_together_changes_nothing(
    cli: Cli, secret: str, database: Database, tmp_path: Path
) -> None:
    before = everything(database, tmp_path)
    for words, sentence in (
        ((), "name what is to change"),
        (("--clear", "redirect-uri"), "--redirect-uri: name at least one"),
        (("--clear", "nonsense"), "there is no option --nonsense"),
        (("--no-pkce", "--scope", "orders:read"), "--pkce: only a client with the scope openid"),
        (("--auth-method", "none", "--no-pkce"), "--pkce: a client without a secret must use PKCE"),
    ):
        assert sentence in cli.refusal("client", "update", "shop", *words, code=2)
    assert everything(database, tmp_path) == before


def test_client_that_becomes_public_has_no_secret_left(
    cli: Cli, secret: str, database: Database, clock: HandClock
) -> None:
    cli("client", "update", "shop", "--auth-method", "none")
    assert not good(database, secret, clock)
    assert client(cli)["secrets"] == []
    anew = cli.facts("client", "update", "shop", "--auth-method", "client_secret_post")["client_secret"]
    assert good(database, anew, clock)
    assert not good(database, secret, clock)


@on_sqlite
def test_keys_are_in_one_place_so_one_place_replaces_the_other(cli: Cli, secret: str, jwks: Path) -> None:
    cli("client", "update", "shop", "--auth-method", "private_key_jwt", "--jwks", str(jwks))
    cli("client", "update", "shop", "--jwks-uri", "https://shop.example/jwks")
    assert "jwks" not in client(cli)
    cli("client", "update", "shop", "--jwks", str(jwks))
    assert "jwks_uri" not in client(cli)


def test_rotated_secret_leaves_the_old_one_good_for_the_overlap(
    cli: Cli, secret: str, database: Database, clock: HandClock
) -> None:
    anew = cli.facts("client", "rotate-secret", "shop", "--overlap", "2h")["client_secret"]
    assert good(database, secret, clock)
    assert good(database, anew, clock)
    assert [one["expires_at"] for one in client(cli)["secrets"]].count("2026-11-23T11:00:00Z") == 1
    clock.advance(7_200)
    assert not good(database, secret, clock)
    assert good(database, anew, clock)
    assert cli.facts("revocation", "list")["revocations"] == []


def test_compromised_secret_ends_at_once_and_takes_every_token_with_it(
    cli: Cli, secret: str, database: Database, clock: HandClock
) -> None:
    anew = cli.facts("client", "rotate-secret", "shop", "--compromised")["client_secret"]
    assert [good(database, one, clock) for one in (secret, anew)] == [False, True]
    [entry] = cli.facts("revocation", "list")["revocations"]
    assert (entry["kind"], entry["value"], entry["before"]) == ("client_id", "shop", "2026-11-23T09:00:01Z")
    assert client(cli)["tokens_not_before"] == "2026-11-23T09:00:01Z"


@on_sqlite
def test_client_without_a_secret_has_none_to_rotate(cli: Cli) -> None:
    cli("client", "create", "TV", "--id", "living-room", "--kind", "device")
    said = cli.refusal("client", "rotate-secret", "living-room")
    assert said == "living-room has no secret: it proves itself by none"


@on_sqlite
def test_overlap_that_is_no_length_of_time_is_refused(cli: Cli, secret: str) -> None:
    assert "is no length of time" in cli.refusal(
        "client", "rotate-secret", "shop", "--overlap", "soon", code=2
    )


def test_disabled_client_has_its_tokens_ended_and_can_be_enabled_again(cli: Cli, secret: str) -> None:
    assert cli.facts("client", "disable", "shop")["client"]["disabled_at"] == "2026-11-23T09:00:00Z"
    [entry] = cli.facts("revocation", "list")["revocations"]
    assert (entry["kind"], entry["value"], entry["before"]) == ("client_id", "shop", "2026-11-23T09:00:01Z")
    assert "disabled" in cli("client", "list").stdout
    enabled = cli.facts("client", "enable", "shop")["client"]
    assert enabled["disabled_at"] is None
    assert enabled["tokens_not_before"] == "2026-11-23T09:00:01Z"


def test_deleted_client_has_its_tokens_ended_and_leaves_nothing_behind(
    cli: Cli, secret: str, database: Database
) -> None:
    assert cli("client", "delete", "shop", "--yes").exit_code == 0
    [entry] = cli.facts("revocation", "list")["revocations"]
    assert (entry["kind"], entry["value"]) == ("client_id", "shop")
    assert database.read(lambda db: list(db.execute(client_secret.select()))) == []
    assert cli.refusal("client", "show", "shop").startswith("there is no client shop")


@on_sqlite
def test_nothing_is_deleted_where_nobody_agreed(cli: Cli, secret: str) -> None:
    assert "add --yes" in cli.refusal("client", "delete", "shop")
    cli.person = True
    assert cli("client", "delete", "shop", stdin="n\n").exit_code == 1
    assert client(cli)["client_id"] == "shop"
    assert cli("client", "delete", "shop", stdin="y\n").exit_code == 0


@on_sqlite
def test_change_that_is_none_says_so_and_writes_nothing(
    cli: Cli, secret: str, database: Database, tmp_path: Path
) -> None:
    cli("client", "create", "TV", "--id", "living-room", "--kind", "device")
    cli("client", "disable", "living-room")
    before = everything(database, tmp_path)
    for words in (
        ("disable", "living-room"),
        ("enable", "shop"),
        ("update", "shop", "--pkce", "--name", "Shop"),
    ):
        assert "nothing was changed" in cli("client", *words).stdout
    assert everything(database, tmp_path) == before


@on_sqlite
@pytest.mark.parametrize("client_id", ["nobody", "SHOP", "shop ", "한글", "first-party", "x" * 300])
def test_client_that_does_not_exist_is_not_found(cli: Cli, secret: str, client_id: str) -> None:
    for verb in ("show", "update", "rotate-secret", "disable", "enable", "delete"):
        more = ("--pkce",) if verb == "update" else ()
        assert cli.refusal("client", verb, client_id, *more).startswith("there is no client ")


@on_sqlite
def test_id_that_begins_with_a_dash_is_no_option(cli: Cli) -> None:
    assert cli.refusal("client", "show", "-" + "x" * 21).startswith("there is no client -xxx")


def test_each_change_leaves_an_audit_entry_of_the_operator_without_the_secret(
    cli: Cli, secret: str, jwks: Path
) -> None:
    assert newest_entry(cli)["event"] == "client.created"
    for words, event in {
        ("update", "shop", "--audience", "orders"): "client.updated",
        ("rotate-secret", "shop"): "client.secret_rotated",
        ("rotate-secret", "shop", "--compromised"): "client.secret_rotated",
        ("disable", "shop"): "client.disabled",
        ("enable", "shop"): "client.enabled",
        ("delete", "shop", "--yes"): "client.deleted",
    }.items():
        facts = cli.facts("client", *words)
        entry = newest_entry(cli)
        assert (entry["event"], entry["actor"], entry["detail"]["client"]) == (event, "operator", "shop")
        assert facts.get("client_secret", secret) not in json.dumps(entry)
    assert cli("audit", "verify").exit_code == 0


@on_sqlite
def test_audit_entry_of_an_update_says_what_was_changed_to_what(cli: Cli, secret: str) -> None:
    cli("client", "update", "shop", "--audience", "orders", "--no-pkce")
    assert newest_entry(cli)["detail"]["changed"] == {"audiences": ["orders"], "require_pkce": False}


def test_dry_run_changes_nothing_and_prints_no_secret(
    cli: Cli, secret: str, database: Database, tmp_path: Path
) -> None:
    before = everything(database, tmp_path)
    for words in (
        ("create", "Other", "--kind", "web", "--redirect-uri", CALLBACK),
        ("update", "shop", "--auth-method", "none"),
        ("rotate-secret", "shop"),
        ("rotate-secret", "shop", "--compromised"),
        ("disable", "shop"),
        ("delete", "shop"),
    ):
        facts = cli.facts("client", *words, "--dry-run")
        assert facts["dry_run"] is True
        assert "client_secret" not in facts
        assert "ecret: " not in cli("client", *words, "--dry-run").stdout
    assert everything(database, tmp_path) == before


def test_no_output_but_the_first_holds_a_secret_and_none_its_hash(
    cli: Cli, secret: str, database: Database
) -> None:
    cli.printed.clear()
    cli("client", "list")
    cli.facts("client", "show", "shop")
    cli("client", "update", "shop", "--pkce")
    cli("client", "disable", "shop")
    cli.facts("audit", "list")
    printed = "".join(cli.printed)
    assert secret not in printed
    assert hash_secret(secret).hex() not in printed
    stored = everything(database, Path("/nowhere"))
    assert secret not in repr(stored)
