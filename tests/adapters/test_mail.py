"""Mails through a real SMTP server on loopback."""

import email
import email.policy
import socket
import ssl
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from callgrade.adapters.mail import Mailbox
from callgrade.domain.errors import InputError, NotReadyError
from callgrade.ports import Note
from callgrade.settings import MailSettings

NOTE = Note(
    id="0" * 31 + "a", to=("li@example.com", "wang@example.com"), subject="红线：2 条提醒", text="见 https://x\n"
)


class Letterbox:
    """Keeps what it is sent. `refusing`: address → answer; `answer` to the data."""

    def __init__(self, answer="250 OK", refusing=()):
        self.answer, self.refusing, self.got = answer, dict(refusing), []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address in self.refusing:
            return self.refusing[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.answer.startswith("250"):
            self.got.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return self.answer


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def listening(box, **more):
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), **more)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def mailbox(port, *, context=None, timeout_s=5.0, **more):
    told = {"host": "127.0.0.1", "port": port, "from": "callgrade@example.com", "tls": "none", **more}
    return Mailbox(MailSettings.model_validate(told), context=context, timeout_s=timeout_s)


def test_a_note_arrives_whole():
    box = Letterbox()
    with listening(box) as port:
        assert mailbox(port).send(NOTE) == ()
    ((sender, to, content),) = box.got
    assert (sender, to) == ("callgrade@example.com", list(NOTE.to))
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert (message["Subject"], message["To"]) == (NOTE.subject, "li@example.com, wang@example.com")
    assert message["Message-ID"] == f"<{NOTE.id}@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().replace("\r\n", "\n") == NOTE.text


def test_an_address_that_is_refused_keeps_nobody_else_from_being_told():
    box = Letterbox(refusing={"li@example.com": "450 busy"})
    with listening(box) as port:
        assert mailbox(port).send(NOTE) == ("li@example.com",)
    assert box.got[0][1] == ["wang@example.com"]
    box = Letterbox(refusing={"li@example.com": "550 nobody li@example.com"})
    with listening(box) as port:
        assert mailbox(port).send(NOTE) == ()  # for good: nothing to try again
    box = Letterbox(refusing=dict.fromkeys(NOTE.to, "550 nobody li@example.com"))
    with listening(box) as port, pytest.raises(InputError) as refused:
        mailbox(port).send(NOTE)
    assert "li@" not in str(refused.value)
    box = Letterbox(refusing=dict.fromkeys(NOTE.to, "451 later"))
    with listening(box) as port:
        assert set(mailbox(port).send(NOTE)) == set(NOTE.to)


@pytest.mark.parametrize(("answer", "error"), [("451 later", NotReadyError), ("554 spam from li@x", InputError)])
def test_a_mail_that_is_refused(answer, error):
    with listening(Letterbox(answer)) as port, pytest.raises(error) as refused:
        mailbox(port).send(NOTE)
    assert answer[:3] in str(refused.value)
    assert "li@x" not in str(refused.value)


def test_no_server_and_one_that_says_nothing():
    with pytest.raises(NotReadyError, match="ConnectionRefusedError"):
        mailbox(free_port()).send(NOTE)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(NotReadyError, match="SMTPServerDisconnected"):
            mailbox(silent.getsockname()[1], timeout_s=0.2).send(NOTE)


@pytest.mark.parametrize(
    "text", ["红线\r\nBcc: eve@example.com", "红线\nBcc: eve@example.com", "a\x00b", "a\u2028b", ""]
)
def test_what_could_begin_another_header_is_refused(text):
    with pytest.raises(ValidationError):
        Note(id="0" * 32, to=NOTE.to, subject=text, text="x")


@pytest.mark.parametrize(
    "address",
    [
        "li@example.com\r\nBcc: eve@example.com",
        "li@example.com, eve@example.com",
        "li",
        "@x",
        "<li@x>",
        "li @x",
        "李@x",
    ],
)
def test_an_address_that_is_none(address):
    with pytest.raises(ValidationError):
        Note(id="0" * 32, to=(address,), subject="x", text="x")


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """(the server's context, the client's)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    day = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(day - timedelta(days=1))
        .not_valid_after(day + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    plain = serialization.NoEncryption()
    (folder / "key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    (folder / "made").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(folder / "made", folder / "key")
    return server, ssl.create_default_context(cafile=folder / "made")


def test_starttls_with_a_password(certified):
    server, client = certified
    presented = []

    def authenticator(server, session, envelope, mechanism, told):
        presented.append((told.login, told.password))
        return AuthResult(success=told.password == b"right", handled=False)

    box = Letterbox()
    more = {"tls_context": server, "require_starttls": True, "auth_required": True, "authenticator": authenticator}
    told = {"host": "localhost", "tls": "starttls", "username": "us", "context": client}
    with listening(box, **more) as port:
        assert mailbox(port, password="right", **told).send(NOTE) == ()
        with pytest.raises(NotReadyError, match="535") as refused:
            mailbox(port, password="wrong-one", **told).send(NOTE)
        # a server that this machine has no reason to believe is told nothing
        with pytest.raises(NotReadyError, match="SSLCertVerificationError"):
            mailbox(port, password="right", **{**told, "context": None}).send(NOTE)
    assert "wrong-one" not in str(refused.value)
    assert (len(box.got), presented[0]) == (1, (b"us", b"right"))
    assert presented.count((b"us", b"right")) == 1


def test_tls_from_the_first_byte(certified):
    server, client = certified
    box = Letterbox()
    # the controller looks whether it came up by a plain connection of its own, to its own name
    with listening(box, ssl_context=server, ready_timeout=5) as port:
        assert mailbox(port, host="localhost", tls="tls", context=client).send(NOTE) == ()
    assert len(box.got) == 1
