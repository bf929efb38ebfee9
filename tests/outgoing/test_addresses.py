"""Which addresses may be reached: a table."""

from ipaddress import ip_address, ip_network

import pytest

from authserver.outgoing.addresses import may_be_reached

PUBLIC = (
    "93.184.215.14",
    "1.1.1.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "100.63.255.255",
    "172.32.0.1",
)
LOOPBACK = ("127.0.0.1", "127.9.9.9", "::1")
INSIDE = (
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "224.0.1.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::7f00:1",  # IPv4-compatible
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:1.1.1.1",  # public within, and still nobody's real address
    "::ffff:0:10.0.0.1",
    "64:ff9b::7f00:1",  # NAT64
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",  # Teredo
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",  # 6to4 of 127.0.0.1
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_may_be_reached(text: str) -> None:
    assert may_be_reached(ip_address(text))


@pytest.mark.parametrize("text", [*INSIDE, *LOOPBACK])
def test_whatever_leads_inside_may_not_be_reached(text: str) -> None:
    assert not may_be_reached(ip_address(text))


@pytest.mark.parametrize("text", LOOPBACK)
def test_this_machine_may_be_reached_in_development(text: str) -> None:
    assert may_be_reached(ip_address(text), loopback=True)


@pytest.mark.parametrize("text", INSIDE)
def test_development_opens_nothing_but_this_machine(text: str) -> None:
    assert not may_be_reached(ip_address(text), loopback=True)


def test_networks_of_the_operator_may_be_reached_and_no_others() -> None:
    also = (ip_network("10.1.0.0/16"), ip_network("fd12::/16"))
    assert may_be_reached(ip_address("10.1.2.3"), also=also)
    assert may_be_reached(ip_address("fd12::1"), also=also)
    assert not may_be_reached(ip_address("10.2.0.1"), also=also)
    assert not may_be_reached(ip_address("::ffff:10.1.2.3"), also=also)
