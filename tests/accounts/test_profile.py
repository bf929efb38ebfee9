"""What may be said of a person, in which shape; and that it is stored on both databases."""

from datetime import UTC, datetime
from typing import Any

import pytest

from authserver.accounts import store
from authserver.accounts.profile import (
    BY_SCOPE,
    RULES,
    BadClaim,
    Profile,
    changed,
    checked,
    checked_groups,
)
from authserver.accounts.usernames import canonical
from authserver.database import Database

NOW = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)
STAMP = int(NOW.timestamp())

GOOD: list[tuple[str, Any, Any]] = [
    ("name", " 홍길동 ", "홍길동"),
    ("name", "Ame\u0301lie", "Am\u00e9lie"),
    ("given_name", "O'Neil-Smith", "O'Neil-Smith"),
    ("picture", "https://cdn.example.com/a?b=c%20d", "https://cdn.example.com/a?b=c%20d"),
    ("website", "http://[::1]:8000/x", "http://[::1]:8000/x"),
    ("birthdate", "2000-02-29", "2000-02-29"),
    ("birthdate", "0000-02-29", "0000-02-29"),
    ("birthdate", "1987", "1987"),
    ("zoneinfo", "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ("zoneinfo", "UTC", "UTC"),
    ("locale", "en_US", "en-US"),
    ("locale", "zh-Hant-TW", "zh-Hant-TW"),
    ("email", " Alice.B+x@Example.COM ", "Alice.B+x@example.com"),
    ("email", "root@localhost", "root@localhost"),
    ("email_verified", True, True),
    ("phone_number", "+82 (2) 312-3456", "+8223123456"),
    ("phone_number", "+1 604 555 1234;ext=5678", "+16045551234;ext=5678"),
    (
        "address",
        {"formatted": "1 Road\nSeoul", "country": " KR "},
        {"formatted": "1 Road\nSeoul", "country": "KR"},
    ),
]
BAD: list[tuple[str, Any]] = [
    ("name", ""),
    ("name", "   "),
    ("name", "a" * 256),
    ("name", "a\nb"),
    ("name", "a\x00b"),
    ("name", "a\u202eb"),
    ("name", 5),
    ("name", ["Alice"]),
    ("picture", "javascript:alert(1)"),
    ("picture", "JAVASCRIPT:alert(1)"),
    ("picture", "//evil.example/a"),
    ("picture", "data:image/svg+xml,<svg/>"),
    ("website", 'https://example.com/"onload="x'),
    ("website", "https://example.com/<x>"),
    ("website", "https://example.com/a b"),
    ("website", "https://example.com/a\\b"),
    ("website", "https://" + "a" * 2_001),
    ("birthdate", "2001-02-29"),
    ("birthdate", "1987-1-1"),
    ("birthdate", "19870101"),
    ("birthdate", "1987-W01"),
    ("birthdate", "１９８７"),
    ("zoneinfo", "../../etc/passwd"),
    ("zoneinfo", "Asia/Seoul; rm"),
    ("locale", "korean language"),
    ("email", "alice"),
    ("email", "alice@"),
    ("email", "a@b@example.com"),
    ("email", "alice@example.com\nBcc: x@example.com"),
    ("email", "Alice <alice@example.com>"),
    ("email", "alice@exam ple.com"),
    ("email", "alice@-example.com"),
    ("email", "a" * 65 + "@example.com"),
    ("email", "a@" + "b" * 63 + ".c" * 100),
    ("email", True),
    ("email_verified", "true"),
    ("email_verified", 1),
    ("phone_number", "02 312 3456"),
    ("phone_number", "+0123456789"),
    ("phone_number", "+8223123456789012"),
    ("phone_number", "+82231234x"),
    ("address", {}),
    ("address", "Seoul"),
    ("address", {"planet": "Earth"}),
    ("address", {"country": "K\nR"}),
    ("address", {"formatted": 5}),
    ("address", {"formatted": "a" * 501}),
    ("updated_at", 1),
    ("sub", "x"),
    ("roles", ["admin"]),
    ("iss", "https://evil.example"),
    ("name#ko", "홍길동"),
]


@pytest.mark.parametrize(("name", "given", "stored"), GOOD)
def test_good_claim_is_stored_in_its_one_form(name: str, given: Any, stored: Any) -> None:
    assert checked(name, given) == stored


@pytest.mark.parametrize(("name", "given"), BAD)
def test_bad_claim_is_refused_without_repeating_it(name: str, given: Any) -> None:
    with pytest.raises(BadClaim) as refused:
        checked(name, given)
    assert str(refused.value).startswith((name, f"{name!a} is no claim"))
    if isinstance(given, str) and len(given) > 10:
        assert given not in str(refused.value)


def test_every_claim_that_can_be_set_belongs_to_a_scope() -> None:
    known = {name for names in BY_SCOPE.values() for name in names}
    assert set(RULES) == known - {"updated_at", "roles", "groups"}


def test_new_address_is_unverified_until_somebody_says_otherwise() -> None:
    held = {"email": "a@example.com", "email_verified": True, "nickname": "Al"}
    assert changed(held, {"email": "b@example.com"}, NOW) == {
        "email": "b@example.com",
        "nickname": "Al",
        "updated_at": STAMP,
    }
    both = {"email": "b@example.com", "email_verified": True}
    assert changed(held, both, NOW)["email_verified"] is True
    assert changed(held, {"email": "a@EXAMPLE.com"}, NOW)["email_verified"] is True
    assert set(changed(held, {"email": None}, NOW)) == {"nickname", "updated_at"}


def test_nothing_cannot_be_verified() -> None:
    with pytest.raises(BadClaim, match="phone_number_verified says something of phone_number"):
        changed({}, {"phone_number_verified": True}, NOW)


def test_groups_are_ordered_and_each_once() -> None:
    assert checked_groups(["press", "editors", "press"]) == ("editors", "press")


@pytest.mark.parametrize("group", ["", "a b", "a,b", "a\nb", "a" * 65, "\u202ea"])
def test_group_that_would_be_misread_is_refused(group: str) -> None:
    with pytest.raises(BadClaim):
        checked_groups([group])


def test_too_many_groups_are_refused() -> None:
    with pytest.raises(BadClaim):
        checked_groups(f"group{number}" for number in range(201))


def test_profile_is_empty_at_first_and_stored_apart_from_the_account(database: Database) -> None:
    def step(db: Any) -> None:
        made = store.create(
            db, canonical("alice"), display_name="Alice", password_hash=None, roles=(), now=NOW
        )
        assert store.profile(db, made.id) == Profile()
        wanted = Profile({"email": "a@example.com", "address": {"locality": "서울"}}, ("editors",))
        store.set_profile(db, made.id, wanted)
        assert store.profile(db, made.id) == wanted
        assert store.by_id(db, made.id) == made
        assert store.profile(db, "nobody") == Profile()

    database.write(step)


def test_no_sign_in_reads_the_profile() -> None:
    """Kilobytes that a refresh, a sign-in and every page would carry for nothing."""
    assert not {"claims", "groups"} & {column.name for column in store.COLUMNS}
