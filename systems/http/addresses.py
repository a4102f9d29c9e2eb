"""Which addresses a project may reach over HTTP: those of the internet, unless the system allows others. No I/O.

The ranges are written out, as what Python's `is_global` says differs between its versions. Of an IPv6 address that has
an IPv4 address in it, that one is looked at too: a gateway would carry the request there.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

# The registries of special addresses of IANA (RFC 6890 and what came later).
_v4: Final = {
    IPv4Network("0.0.0.0/8"): "an address of this network",
    IPv4Network("10.0.0.0/8"): "a private address",
    IPv4Network("100.64.0.0/10"): "an address that a provider shares",
    IPv4Network("127.0.0.0/8"): "this machine",
    IPv4Network("169.254.0.0/16"): "a link-local address, where clouds keep secrets",
    IPv4Network("172.16.0.0/12"): "a private address",
    IPv4Network("192.0.0.0/24"): "a special address",
    IPv4Network("192.0.2.0/24"): "an address for documents",
    IPv4Network("192.88.99.0/24"): "a relay to IPv6",
    IPv4Network("192.168.0.0/16"): "a private address",
    IPv4Network("198.18.0.0/15"): "an address for measurements",
    IPv4Network("198.51.100.0/24"): "an address for documents",
    IPv4Network("203.0.113.0/24"): "an address for documents",
    IPv4Network("224.0.0.0/4"): "an address of groups",
    IPv4Network("240.0.0.0/4"): "a reserved address",
}
# Of IPv6 only 2000::/3 is in use on the internet.
_internet: Final = IPv6Network("2000::/3")
_v6: Final = {
    IPv6Network("2001::/23"): "a special address",
    IPv6Network("2001:db8::/32"): "an address for documents",
    IPv6Network("3fff::/20"): "an address for documents",
}
_nat64: Final = IPv6Network("64:ff9b::/96")
_six_to_four: Final = IPv6Network("2002::/16")
_isatap: Final = frozenset({0x00005EFE, 0x02005EFE})


def denied(text: str) -> str:
    """What an address is that may not be reached; `""` for one of the internet."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv4Address):
        return next((what for network, what in _v4.items() if address in network), "")
    for inner in _within(address):
        if what := denied(str(inner)):
            return f"{inner} in IPv6, {what}"
    if address in _nat64 or address.ipv4_mapped is not None:
        return ""
    if address not in _internet:
        return "this machine" if address.is_loopback else "no address of the internet"
    return next((what for network, what in _v6.items() if address in network), "")


def _within(address: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses to which a gateway or the machine itself would take it."""
    number = int(address)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address in _nat64 or (number >> 32 == 0 and number > 1):
        yield IPv4Address(number & 0xFFFFFFFF)
    if address in _six_to_four:
        yield IPv4Address((number >> 80) & 0xFFFFFFFF)
    if (number >> 32) & 0xFFFFFFFF in _isatap:
        yield IPv4Address(number & 0xFFFFFFFF)
