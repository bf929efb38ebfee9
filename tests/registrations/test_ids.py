"""What an operator may call a client."""

import pytest

from authserver.clients.ids import RESERVED, refusal
from authserver.tokens.access import FIRST_PARTY


@pytest.mark.parametrize("chosen", ["web", "shop-2", "a" * 21, "a" * 23, "a" * 63])
def test_readable_id_may_be_chosen(chosen: str) -> None:
    assert refusal(chosen) is None


@pytest.mark.parametrize(
    "chosen", ["", "ab", "2shop", "-shop", "Shop", "sh op", "sh_op", "shöp", "shop\n", "a" * 64, "shop/../x"]
)
def test_id_that_could_be_misread_is_refused(chosen: str) -> None:
    assert "begins with a letter" in (refusal(chosen) or "")


def test_no_client_is_called_like_an_account() -> None:
    assert "as the ids of accounts do" in (refusal("a" * 22) or "")


def test_no_client_is_called_like_the_servers_own() -> None:
    assert {FIRST_PARTY} == RESERVED
    assert "the server's own" in (refusal(FIRST_PARTY) or "")
