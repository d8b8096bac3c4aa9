import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.calls.addresses import refusal

PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "223.5.5.5", "172.15.255.255", "172.32.0.0", "100.63.255.255"]
PUBLIC_6 = ["2606:4700:4700::1111", "2001:4860:4860::8888", "2400:3200::1"]
PRIVATE = ["10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "127.0.0.1", "127.255.255.254", "100.64.0.1"]
PRIVATE_6 = ["::1", "fc00::1", "fd12:3456:789a::1"]
METADATA = ["169.254.169.254", "169.254.0.23", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192"]
METADATA_6 = ["fd00:ec2::254", "fd20:ce::254", "fe80::1", "fe80::1%eth0"]
NOBODYS = ["0.0.0.0", "0.1.2.3", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1"]
NOBODYS += ["240.0.0.1", "255.255.255.255", "192.88.99.1"]
DISGUISED = [
    "::",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "3fff::1",
    "ff02::1",
    "fec0::1",
    "100::1",
    "5f00::1",
    "2606:4700::1%eth0",
]


@pytest.mark.parametrize("address", PUBLIC + PUBLIC_6)
def test_public_ones_are_connected_to(address: str) -> None:
    assert refusal(ipaddress.ip_address(address)) is None


@pytest.mark.parametrize("address", PRIVATE + PRIVATE_6)
def test_private_ones_only_where_they_are_allowed(address: str) -> None:
    assert refusal(ipaddress.ip_address(address)) == "a private or loopback address"
    assert refusal(ipaddress.ip_address(address), allow_private=True) is None


@pytest.mark.parametrize("address", METADATA + METADATA_6 + NOBODYS + DISGUISED)
def test_the_others_never(address: str) -> None:
    assert refusal(ipaddress.ip_address(address)) is not None
    assert refusal(ipaddress.ip_address(address), allow_private=True) is not None


@given(st.ip_addresses(v=4))
def test_no_version_4_address_gets_through_inside_a_version_6_one(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    for outer in (number, 0xFFFF << 32 | number, 0x64_FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert refusal(ipaddress.IPv6Address(outer), allow_private=False) is not None


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_public_here(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address.is_private or address.is_loopback or address.is_multicast or address.is_link_local:
        assert refusal(address) is not None
