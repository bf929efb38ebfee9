"""Which addresses a request of ours may go to: what is public, and nothing that leads back inside.

A name is whatever its owner's DNS says at this moment, so it is not the name that is checked but the address, and the
connection goes to that very address (DNS rebinding). Refused is all that is not global unicast, and all that carries
another address within it: `::ffff:10.0.0.1`, 6to4, Teredo and NAT64 end where the inner address says.

`ipaddress.is_global` is the start and not the answer: it calls multicast, NAT64 and the 6to4 relays global, and how
much else depends on the Python that runs this.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

GLOBAL_UNICAST: Final = IPv6Network("2000::/3")  # RFC 4291 §2.4: of the rest nothing is given out
REFUSED: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared with a provider's customers
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local: the metadata of every cloud lies there
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",  # broadcast too
        "2001::/23",  # Teredo, ORCHID, and more that is no host
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)


def may_be_reached(address: Address, *, loopback: bool = False, also: Sequence[Network] = ()) -> bool:
    """Say whether a connection may go there.

    :param loopback: this machine may be reached: in development only.
    :param also: networks that the operator trusts, however private.
    """
    if loopback and is_loopback(address):
        return True
    if any(address in network for network in also if network.version == address.version):
        return True
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    known = (network for network in REFUSED if network.version == address.version)
    return address.is_global and not any(address in network for network in known)


def is_loopback(address: Address) -> bool:
    """Only what says so plainly: `::ffff:127.0.0.1` is somebody's trick."""
    return address.is_loopback and not (isinstance(address, IPv6Address) and address.ipv4_mapped)
