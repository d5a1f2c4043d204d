"""Alerts as e-mail: the server that takes it, and the message."""

import smtplib
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from atlas.errors import DeliveryError, DeliveryRefusedError
from atlas.watching import News
from atlas.webhooks import AlertNews

TIMEOUT_SECONDS = 10.0
MOST_SUBJECT = 200
_PORTS = {"smtp": 25, "smtps": 465}
_SUBMISSION_PORT = 587
_PERMANENT = 500
_TIME = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where e-mail is handed in, encrypted from the start (`is_encrypted`), after a greeting (`starts_tls`) or not."""

    host: str
    port: int
    is_encrypted: bool
    starts_tls: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def at(cls, url: str) -> "MailServer":
        """The server of a URL such as `smtp://user:password@host:587?starttls=true` or `smtps://host`.

        Raises:
            ValueError: it is no such URL.
        """
        parts = urlsplit(url)
        options = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        starts_tls = options.pop("starttls", ["false"])[-1]
        if parts.scheme not in _PORTS or not parts.hostname or options or starts_tls not in ("true", "false"):
            raise ValueError("it must be smtp://host:port, smtp://host:port?starttls=true or smtps://host:port")
        usual = _SUBMISSION_PORT if starts_tls == "true" else _PORTS[parts.scheme]
        return cls(
            host=parts.hostname,
            port=parts.port or usual,
            is_encrypted=parts.scheme == "smtps",
            starts_tls=starts_tls == "true",
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )

    def send(self, mail: EmailMessage) -> str:
        """Hand a message in.

        Returns:
            Which of its addresses were refused and why; empty if it was taken for all.

        Raises:
            DeliveryRefusedError: the server refuses it, for good.
            DeliveryError: it could not be handed in this time. That the server refuses user or password counts as
                such, since it is the settings that are to be mended.
        """
        try:
            with closing(self._connected()) as connection:
                refused = connection.send_message(mail)
                with suppress(smtplib.SMTPException, OSError):  # the message is taken, whatever is said now
                    connection.quit()
        except smtplib.SMTPRecipientsRefused as error:
            raise _refusal(_refused(error.recipients), max(code for code, _ in error.recipients.values())) from error
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise _refusal(f"{error.smtp_code} {_text(error.smtp_error)}", error.smtp_code) from error
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryError(f"{self.host}:{self.port} took no e-mail: {error}") from error
        return _refused(refused)

    def greet(self) -> None:
        """Connect, sign in and leave.

        Raises:
            DeliveryError: the server cannot be reached, or refuses the name or the password.
        """
        try:
            with closing(self._connected()) as connection:
                connection.noop()
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryError(f"{self.host}:{self.port} takes no e-mail: {error}") from error

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.is_encrypted:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            connection = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        try:
            if self.starts_tls:
                connection.starttls(context=context)
            if self.user:
                connection.login(self.user, self.password)
        except BaseException:
            connection.close()
            raise
        return connection


def _refusal(problem: str, code: int) -> DeliveryError:
    return (DeliveryRefusedError if code >= _PERMANENT else DeliveryError)(f"The mail server refused it: {problem}")


def _refused(recipients: dict[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{address}: {code} {_text(said)}" for address, (code, said) in sorted(recipients.items()))


def _text(said: bytes | str) -> str:
    return said if isinstance(said, str) else said.decode(errors="replace")


def mail_of(news: AlertNews, *, sender: str, addresses: str, now: datetime) -> EmailMessage:
    """The e-mail that says what an alert says. No part of it can add a header or a recipient.

    Args:
        news: the alert.
        sender: who it is from, as `atlas@example.org` or `Atlas <atlas@example.org>`.
        addresses: where it goes to, with commas or blanks between them.
        now: the time.

    Raises:
        DeliveryRefusedError: there is no address, or one is none.
    """
    mail = EmailMessage()
    to = addresses.replace(",", " ").replace(";", " ").split()
    if not to or not all("@" in address for address in to):
        raise DeliveryRefusedError(f"{addresses!r} is no list of e-mail addresses.")
    mail["Subject"] = headline(news)[:MOST_SUBJECT]
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{news.id}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text_of(news))
    return mail


def headline(news: AlertNews) -> str:
    """What an alert says in one line."""
    over = "Over: " if news.news is News.RECOVERED else ""
    return f"[Atlas] {over}" + " ".join(news.text.split())


def text_of(news: AlertNews) -> str:
    """What an alert says, without its first line, as plain text."""
    since = f"Since {news.opened:{_TIME}}" if news.opened else ""
    until = f" until {news.recovered:{_TIME}}" if news.recovered else ""
    return "\n\n".join(filter(None, [news.why, since + until, news.link])) + "\n"
