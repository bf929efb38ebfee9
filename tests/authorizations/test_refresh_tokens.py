"""The form of refresh tokens: what knows one, and what does not."""

import pytest

from authserver.authorizations.refresh_tokens import Family, Unverified, hashed, is_hash_of, parse


@pytest.fixture
def family() -> Family:
    return Family.begin("grant")[0]


def shown(family: Family, secret: str = "secret") -> Unverified:
    found = parse(family.token(secret))
    assert found is not None
    return found


def test_token_names_its_family_and_is_known_to_it(family: Family) -> None:
    token = shown(family)
    assert (token.grant_id, token.secret) == ("grant", "secret")
    assert family.made(token)


def test_successor_is_the_same_on_every_server(family: Family) -> None:
    elsewhere = Family("grant", bytes(family.key))
    assert elsewhere.next_secret("secret") == family.next_secret("secret") != "secret"
    assert elsewhere.made(shown(family, family.next_secret("secret")))


def test_another_family_knows_neither_token_nor_successor(family: Family) -> None:
    other, _ = Family.begin("grant")
    assert not other.made(shown(family))
    assert other.next_secret("secret") != family.next_secret("secret")


def test_seal_is_not_the_beginning_of_the_successor(family: Family) -> None:
    """The seal is shown with each token: it must not tell what comes next."""
    assert not family.next_secret("secret").startswith(shown(family).seal[:8])


def test_changed_token_is_not_known(family: Family) -> None:
    token = shown(family)
    assert not family.made(Unverified(token.grant_id, "other", token.seal))
    assert not family.made(Unverified(token.grant_id, token.secret, token.seal[:-1]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b",
        "a..c",
        ".b.c",
        "a.b.",
        "a.b.c.d",
        "a.b.ç",
        "주.문.함",
        f"a.b.{'c' * 200}",
        "a.b.\ud800",
    ],
)
def test_text_of_another_form_is_no_token(text: str) -> None:
    assert parse(text) is None


def test_nothing_is_the_secret_of_no_hash() -> None:
    assert not is_hash_of(None, "")
    assert is_hash_of(hashed("a"), "a")
    assert not is_hash_of(hashed("a"), "b")
