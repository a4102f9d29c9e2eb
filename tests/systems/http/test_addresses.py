"""Which addresses may be reached."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.http.addresses import denied

INSIDE = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.9.9.9"),
    *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1"),
    *("198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::a9fe:a9fe", "fe80::1", "fe80::1%eth0"),
    *("fec0::1", "fc00::1", "fd12::1", "ff02::1", "100::1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:0a00:0001::", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
    *("2001:db8::1", "3fff::1", "2606:4700::5efe:127.0.0.1", "2606:4700::200:5efe:10.0.0.1", "5f00::1", "4000::1"),
]
OUTSIDE = [
    *(
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "223.255.255.255",
    ),
    *("2606:4700::1111", "2001:4860:4860::8888", "2a00::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:0808:0808::1"),
]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_denied(address: str) -> None:
    """With a word for what it is."""
    assert denied(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_on_the_internet_is_not(address: str) -> None:
    """Also where it is written into IPv6."""
    assert denied(address) == ""


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_nothing_is_let_through_that_python_calls_private(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """Every address that the standard library knows as special in any way is denied."""
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert denied(str(address)) or getattr(address, "ipv4_mapped", None) is not None


@given(st.ip_addresses(v=4))
def test_an_address_in_ipv6_is_as_good_as_itself(address: ipaddress.IPv4Address) -> None:
    """By whatever way it is written into one."""
    number = int(address)
    plain = bool(denied(str(address)))
    assert bool(denied(str(ipaddress.IPv6Address(0xFFFF << 32 | number)))) == plain
    assert bool(denied(str(ipaddress.IPv6Address(0x64FF9B << 96 | number)))) == plain
    assert bool(denied(str(ipaddress.IPv6Address(0x2002 << 112 | number << 80)))) == plain
