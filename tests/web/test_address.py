"""Who shares room with whom."""

import pytest

from authserver.web.address import neighbourhood


def of(address: str) -> str:
    return neighbourhood({"client": (address, 40_000)})


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("203.0.113.5", "203.0.113.5", True),
        ("203.0.113.5", "203.0.113.6", False),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:203.0.113.5", "203.0.113.5", True),
        ("::ffff:203.0.113.5", "::ffff:203.0.113.6", False),
        ("no address", "nor is this", True),
    ],
)
def test_a_network_of_ipv6_is_one_neighbour_and_so_is_an_address_of_ipv4(
    one: str, other: str, share: bool
) -> None:
    assert (of(one) == of(other)) is share


def test_who_comes_without_an_address_has_neighbours_too() -> None:
    assert neighbourhood({}) == neighbourhood({"client": None}) == of("unknown")
