"""Addresses that may be connected to: none inside our own networks, unless a person said so.

Whoever may name a destination could else have the hub ask whatever only the hub can reach. A name
is resolved once, all that it resolves to is looked at, and the connection goes to exactly that.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

__all__ = ["Forbidden", "Resolve", "permitted", "resolved", "vetted"]

Resolve = Callable[[str, int], list[str]]
Place = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where clouds tell a machine its own secrets, beside 169.254.169.254, which is link-local.
_METADATA = frozenset(
    {ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")}
)
# Ways to write an IPv4 address as one of IPv6, which a gateway may follow.
_TRANSLATED = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "::/96")
)


class Forbidden(Exception):
    """A name leads to where the hub does not go."""


def resolved(host: str, port: int) -> list[str]:
    """What a name resolves to. Raises ``OSError``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def vetted(host: str, port: int, *, private: bool, resolve: Resolve = resolved) -> list[str]:
    """The addresses of a host, each fit to be connected to.

    Raises ``Forbidden`` if one of them is not, and ``OSError`` where it has none.
    """
    found = resolve(host, port)
    if not all(permitted(each, private=private) for each in found):
        raise Forbidden
    return found


def permitted(text: str, *, private: bool) -> bool:
    """Whether this address may be connected to; ``private`` permits those of our own networks."""
    place: Place = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(place, ipaddress.IPv6Address) and place.ipv4_mapped is not None:
        place = place.ipv4_mapped
    if place.is_unspecified or place.is_multicast or place.is_link_local or place in _METADATA:
        return False
    if private:
        return True
    translated = any(
        place in network for network in _TRANSLATED if network.version == place.version
    )
    return place.is_global and not translated
