"""Notes to people by SMTP.

What a server refuses for now (4xx, no connection, no sign-in) is tried again later by whoever keeps the notes; what it
refuses for good is given up. Addresses and the server's answers, which may repeat them, stay out of errors and logs.
"""

import logging
import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime

from callgrade.db.types import now
from callgrade.domain.errors import InputError, NotReadyError
from callgrade.ports import Note
from callgrade.settings import MailSettings

TIMEOUT_S = 10.0
"""Of each answer of the server."""
_LOG = logging.getLogger(__name__)


class Mailbox:
    """A Notifier. `context` is how the server proves who it is; None: by the authorities this machine trusts."""

    def __init__(self, settings: MailSettings, *, context: ssl.SSLContext | None = None, timeout_s: float = TIMEOUT_S):
        self._settings, self._timeout_s = settings, timeout_s
        self._context = context or ssl.create_default_context()

    def send(self, note: Note) -> tuple[str, ...]:
        message = self._message(note)
        try:
            refused = self._sent(message, note)
        except smtplib.SMTPRecipientsRefused as error:
            refused = error.recipients
            if not _later(refused):
                raise InputError("the mail server takes nothing for any of the addresses") from None
        except smtplib.SMTPDataError as error:
            if error.smtp_code >= 500:
                raise InputError(f"the mail server refused the mail ({error.smtp_code})") from None
            raise NotReadyError(f"the mail server took no mail ({error.smtp_code})") from None
        except (smtplib.SMTPException, OSError) as error:
            code = getattr(error, "smtp_code", None)
            raise NotReadyError(f"no mail could be sent ({code or type(error).__name__})") from None
        later = _later(refused)
        if len(refused) > len(later):
            _LOG.warning("mail", extra={"note": note.id, "refused": len(refused) - len(later)})
        return later

    def _sent(self, message: EmailMessage, note: Note) -> dict[str, tuple[int, bytes]]:
        server = self._connected()
        try:
            return server.send_message(message, self._settings.sender, list(note.to))
        finally:
            # a mail that was taken stays taken, however the server says goodbye
            with suppress(smtplib.SMTPException, OSError):
                server.quit()

    def _connected(self) -> smtplib.SMTP:
        told = self._settings
        if told.tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                told.host, told.port, timeout=self._timeout_s, context=self._context
            )
        else:
            server = smtplib.SMTP(told.host, told.port, timeout=self._timeout_s)
        try:
            if told.tls == "starttls":
                server.starttls(context=self._context)
            if told.username:
                server.login(told.username, told.password.get_secret_value() if told.password else "")
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, note: Note) -> EmailMessage:
        message = EmailMessage(policy=POLICY)
        message["From"], message["To"] = self._settings.sender, ", ".join(note.to)
        message["Subject"] = note.subject
        message["Date"] = format_datetime(now())
        # sent twice, it can still be shown once
        message["Message-ID"] = f"<{note.id}@{self._settings.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(note.text)
        return message


def _later(refused: dict[str, tuple[int, bytes]]) -> tuple[str, ...]:
    return tuple(address for address, (code, _) in refused.items() if code < 500)
