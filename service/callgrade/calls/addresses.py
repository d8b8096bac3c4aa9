"""Which addresses we connect to when a client says where. Pure: who connects asks `refusal` for the very address that
it connects to, after names were resolved and after every redirect.

Recordings are fetched, and webhooks sent, from inside our network. Without these rules a client could read through us
what only we can reach: databases, the neighbours' services, and the metadata hosts that hand out a machine's keys.
"""

import ipaddress

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*written: str) -> tuple[_Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in written)


# Where clouds hand out a machine's keys; some of these addresses look public. Refused whatever is allowed.
METADATA = _networks(
    "169.254.0.0/16",  # all link-local: most clouds'
    "100.100.100.200/32",  # Alibaba Cloud
    "168.63.129.16/32",  # Azure's wire server
    "192.0.0.192/32",  # Oracle Cloud
    "fd00:ec2::/32",  # AWS
    "fd20:ce::/32",  # Google Cloud
    "fd00:c1::/32",  # Oracle Cloud
    "fe80::/10",
)
# The IANA registries of special-purpose addresses, written out: what `ipaddress` calls private has changed between
# patch releases of Python.
PRIVATE = _networks(
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "fc00::/7", "::1/128"
)  # fmt: skip
NOBODYS = _networks(
    "0.0.0.0/8",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "2001::/23",  # Teredo and other tunnels
    "2001:db8::/32",
    "2002::/16",  # 6to4: an IPv4 address in disguise
    "2620:4f:8000::/48",
    "3fff::/20",
)
GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
"""Only these are handed out; IPv4-mapped, NAT64, site-local and multicast addresses all lie outside."""


def refusal(address: IPAddress, *, allow_private: bool = False) -> str | None:
    """What kind of address it is, where we do not connect to it; None where we may.

    `allow_private` opens private and loopback addresses, and nothing else. IPv4 addresses inside IPv6 ones are refused
    in every form that the standards name; a network with a NAT64 prefix of its own must keep it from this host.
    """
    if _in(address, METADATA):
        return "a link-local or metadata address"
    if _in(address, PRIVATE):
        return None if allow_private else "a private or loopback address"
    if _in(address, NOBODYS):
        return "an address that is nobody's host"
    if isinstance(address, ipaddress.IPv6Address) and (address not in GLOBAL_IPV6 or address.scope_id):
        return "an address that is nobody's host"
    return None


def _in(address: IPAddress, networks: tuple[_Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
