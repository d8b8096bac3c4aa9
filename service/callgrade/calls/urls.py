"""What a client's URL for a recording or a webhook must look like, before anything is looked up."""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from callgrade.calls.addresses import IPAddress, refusal
from callgrade.domain.errors import InputError
from callgrade.settings import ServiceSettings

LONGEST_URL = 2_000
DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\\x80-\xa0\u2000-\u200f\u2028-\u202f\u2060\u3000\ufeff]")
_BRACKETS = re.compile(r"\[[^\[\]]*\](?::[0-9]*)?")
_KEPT_IN_TARGET = "/:@!$&'()*+,;=~-._%?[]"
LOCAL_ENDINGS = (".localhost", ".local", ".localdomain", ".internal", ".intranet", ".home.arpa")
METADATA_NAMES = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "metadata.tencentyun.com",
        "metadata.azure.internal",
        "instance-data",
        "instance-data.ec2.internal",
    }
)


class UrlRefusedError(InputError):
    """The URL is none that we fetch from or send to. Says nothing of what our resolver answered."""


class Target(NamedTuple):
    """A URL, taken apart once; whoever connects uses these parts and never the text.

    `host` is lower-case ASCII without a final dot, an IPv6 address without its brackets; `target` is path and query,
    percent-encoded.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """What stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


class Sources(NamedTuple):
    """Where recordings may be fetched from: with `hosts` from these alone, their private addresses included; without
    from every public one, and with `private` from private addresses too. See settings.ServiceSettings.audio_hosts.
    """

    private: bool = False
    hosts: tuple[str, ...] = ()

    @classmethod
    def of(cls, service: ServiceSettings) -> "Sources":
        return cls(service.allow_private_urls, service.audio_hosts)

    @property
    def allow_private(self) -> bool:
        return self.private or bool(self.hosts)

    def target(self, url: str) -> Target:
        """As parse_target does. Raises UrlRefusedError for a host that is none of these, too."""
        target = parse_target(url, allow_private=self.allow_private)
        if self.hosts and not any(_is_named(target.host, name) for name in self.hosts):
            raise UrlRefusedError("the URL's host is none of those that recordings are fetched from here")
        return target


def parse_target(url: str, *, allow_private: bool = False) -> Target:
    """The URL's parts. Looks nothing up, so a name that resolves to a private address passes here and is refused when
    it is connected to.

    Raises UrlRefusedError for all but http and https, for user names, for numbers in the place of an address
    (`2130706433`, `0177.0.0.1`), for addresses out of bounds and for hosts' local names.
    """
    if len(url) > LONGEST_URL:
        raise UrlRefusedError(f"the URL is longer than {LONGEST_URL} characters")
    if _UNSAFE.search(url):
        raise UrlRefusedError("the URL holds a blank, a control character or a backslash; percent-encode it")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UrlRefusedError("the URL cannot be read") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise UrlRefusedError("only http:// and https:// URLs are taken")
    if "@" in parts.netloc:
        raise UrlRefusedError("the URL holds a user name; sign it in its query instead")
    if "[" in parts.netloc and not _BRACKETS.fullmatch(parts.netloc):
        raise UrlRefusedError("the URL cannot be read")
    if port == 0:
        raise UrlRefusedError("the URL's port cannot be")
    host = _host(host, bracketed="[" in parts.netloc, allow_private=allow_private)
    path = quote(parts.path or "/", safe=_KEPT_IN_TARGET)
    query = f"?{quote(parts.query, safe=_KEPT_IN_TARGET)}" if parts.query else ""
    return Target(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme], path + query)


def file_name_of(url: str) -> str:
    """What the recording is called, by the last part of the URL's path: `C-00001.wav`. At most 200 characters.

    Raises UrlRefusedError for what is no URL.
    """
    path = parse_target(url, allow_private=True).target.partition("?")[0]
    name = unquote(path, errors="replace").rstrip("/").rpartition("/")[2]
    return "".join(c for c in name if c.isprintable() and c not in '\\/:*?"<>|')[-200:] or "recording"


def _host(written: str, *, bracketed: bool, allow_private: bool) -> str:
    address = _literal(written, bracketed=bracketed)
    if address is not None:
        if why := refusal(address, allow_private=allow_private):
            raise UrlRefusedError(f"the URL's host is {why}, which is refused")
        return str(address)
    try:
        # also for names that look like ASCII: full-width digits become digits here, before the checks
        name = written.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        raise UrlRefusedError("the URL's host is no host name") from None
    if not _NAME.fullmatch(name):
        raise UrlRefusedError("the URL's host is no host name")
    if _NUMERIC_LABEL.fullmatch(name.rpartition(".")[2]):
        # some resolvers read 2130706433, 0177.1 and 0x7f.1 as 127.0.0.1, others as names
        raise UrlRefusedError("the URL's host is a number and no address; write it as 192.0.2.1")
    if name in METADATA_NAMES or (not allow_private and _is_local(name)):
        raise UrlRefusedError("the URL's host is a local name, which is refused")
    return name


def _literal(written: str, *, bracketed: bool) -> IPAddress | None:
    if not bracketed:
        try:
            return ipaddress.IPv4Address(written)
        except ValueError:
            return None
    try:
        if "%" in written:
            raise ValueError
        return ipaddress.IPv6Address(written)
    except ValueError:
        raise UrlRefusedError("the URL's host is no IPv6 address; one with a scope (%eth0) is not taken") from None


def _is_named(host: str, name: str) -> bool:
    return host.endswith(name[1:]) if name.startswith("*.") else host == name


def _is_local(name: str) -> bool:
    """Names without a dot are completed by the resolver's search list, the others are meant for inside networks."""
    return "." not in name or name.endswith(LOCAL_ENDINGS)
