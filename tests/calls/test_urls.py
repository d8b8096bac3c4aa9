import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.calls.urls import UrlRefusedError, file_name_of, parse_target

GOOD = {
    "https://storage.example.com/a/C-1.wav": ("https", "storage.example.com", 443, "/a/C-1.wav"),
    "HTTPS://Storage.Example.COM.:8443/a?X-Sig=a%2Fb&t=1#f": (
        "https",
        "storage.example.com",
        8443,
        "/a?X-Sig=a%2Fb&t=1",
    ),
    "http://storage.example.com": ("http", "storage.example.com", 80, "/"),
    "https://例子.中国/录音.wav": ("https", "xn--fsqu00a.xn--fiqs8s", 443, "/%E5%BD%95%E9%9F%B3.wav"),
    "http://8.8.8.8/x": ("http", "8.8.8.8", 80, "/x"),
    "http://[2606:4700:4700::1111]:81/x": ("http", "2606:4700:4700::1111", 81, "/x"),
    "https://a.b/x@y:z": ("https", "a.b", 443, "/x@y:z"),
}
EVIL = [
    # other schemes
    "ftp://storage.example.com/a",
    "file:///etc/passwd",
    "gopher://storage.example.com/_x",
    "data:audio/wav;base64,AAAA",
    "//storage.example.com/a",
    "storage.example.com/a",
    "",
    # 127.0.0.1 in the writings of inet_aton
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://0x/",
    "http://127.0.0.1./",
    "http://127.0.0.01/",
    "http://１２７.0.0.1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    # and as it is
    "http://127.0.0.1/",
    "https://10.1.2.3:8443/a",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/latest/meta-data/",
    "http://168.63.129.16/",
    "http://0.0.0.0/",
    # user names that look like hosts
    "http://storage.example.com@127.0.0.1/",
    "http://storage.example.com:80@127.0.0.1/",
    "http://127.0.0.1#@storage.example.com/",
    "http://127.0.0.1\\@storage.example.com/",
    "http://storage.example.com\\@127.0.0.1/",
    "http://user:pass@storage.example.com/",
    "http://@storage.example.com/",
    # IPv6, scopes, addresses inside addresses
    "http://[::1]/",
    "http://[::]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[2606:4700::1%25eth0]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[fd00:ec2::254]/",
    "http://[::1/",
    "http://[2606:4700::1]x/",
    "http://x[2606:4700::1]/",
    "http://2606:4700::1/",
    # local names
    "http://localhost/",
    "http://LOCALHOST./",
    "http://app.localhost/",
    "http://redis:6379/",
    "http://printer.local/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://metadata.google.internal./",
    "http://METADATA.tencentyun.com/",
    "http://vault.corp.internal/",
    # what is no host or no port
    "http:///a",
    "http://a..b/",
    "http://-a.b/",
    "http://a%2eb.example.com/",
    "http://%31%32%37.0.0.1/",
    "http://a.b:0/",
    "http://a.b:99999/",
    "http://a.b:x/",
    f"http://{'a' * 64}.example.com/",
    # requests within requests
    "http://a.b/\r\nX-Evil: 1",
    "http://a.b/ HTTP/1.1\r\n",
    "http://a.b\t.c/",
    " http://a.b/",
    "http://a.b/\u2028",
    f"http://a.b/{'x' * 2000}",
]


@pytest.mark.parametrize("url", GOOD)
def test_is_taken_apart(url: str) -> None:
    assert parse_target(url) == GOOD[url]


@pytest.mark.parametrize("url", EVIL)
def test_is_refused_before_anything_is_looked_up(url: str) -> None:
    with pytest.raises(UrlRefusedError) as caught:
        parse_target(url)
    assert caught.value.status == 422
    assert caught.value.type == "url-refused"


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9000/a", "http://localhost:9000/a", "http://minio/a", "http://[::1]/", "http://x.internal/"],
)
def test_our_own_network_is_there_where_an_operator_allows_it(url: str) -> None:
    assert parse_target(url, allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://metadata.google.internal/",
        "http://[fe80::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "http://user@127.0.0.1/",
        "ftp://127.0.0.1/",
    ],
)
def test_allowing_private_ones_opens_nothing_else(url: str) -> None:
    with pytest.raises(UrlRefusedError):
        parse_target(url, allow_private=True)


def test_the_host_header_has_brackets_and_an_unusual_port() -> None:
    assert parse_target("http://[2606:4700:4700::1111]:81/x").authority == "[2606:4700:4700::1111]:81"
    assert parse_target("https://a.b:443/x").authority == "a.b"


def test_no_message_repeats_the_url() -> None:
    with pytest.raises(UrlRefusedError) as caught:
        parse_target("http://13800138000@10.0.0.7/secret?token=abc")
    assert not any(part in str(caught.value) for part in ("13800138000", "10.0.0.7", "secret", "abc"))


@given(st.text(max_size=80))
def test_any_text_is_taken_apart_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"https://a.b/{text}", f"http://{text}@a.b/"):
        try:
            target = parse_target(url)
        except UrlRefusedError:
            continue
        whole = target.url
        assert whole.isascii()
        assert whole.isprintable()
        assert " " not in whole
        assert parse_target(whole) == target


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.b/2026/C-00001.wav?sig=1", "C-00001.wav"),
        ("https://a.b/%E5%BD%95%E9%9F%B3.wav", "录音.wav"),
        ("https://a.b/x%2F..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("https://a.b/x/..%5Cy%00z", "..yz"),
        ("https://a.b/x/", "x"),
        ("https://a.b", "recording"),
    ],
)
def test_a_recording_is_called_as_in_the_url(url: str, name: str) -> None:
    assert file_name_of(url) == name
