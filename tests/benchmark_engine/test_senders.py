"""What receivers get, and what becomes of a message that they refuse: real SMTP and HTTP servers."""

import logging
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atlas.errors import DeliveryError, DeliveryRefusedError, SettingsError
from atlas.watching import AlertKind, ChannelKind, News
from atlas.webhooks import DELIVERY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, AlertNews
from benchmark_engine.mail import MailServer, mail_of
from benchmark_engine.senders import send
from benchmark_engine.settings import EngineSettings
from storage.alerting import About, Message
from tests.receivers import Hook, Mailbox, http_server, smtp_server
from tests.samples import NOON
from tests.servers import free_port

SECRET = "hush"
HOW_TO = Path(__file__).parents[2] / "docs/how-to/get-alerts.md"
ABOUT = About(
    alert=7,
    kind=AlertKind.DROP,
    text="Accuracy of Forest-1 fell by 0.060 on crash v7",
    why="0.930 on v6, and 0.870 now.",
    model="Forest-1",
    dataset="crash",
    version=7,
    metric="accuracy",
    component="",
    opened=NOON,
    recovered=None,
)


def message(kind: ChannelKind, address: str, **changes: Any) -> Message:
    fields: dict[str, Any] = {
        "delivery": uuid.UUID(int=1),
        "attempts": 0,
        "news": News.OPENED,
        "channel": "team",
        "channel_kind": kind,
        "address": address,
        "secret": SECRET if kind is ChannelKind.WEBHOOK else "",
        "about": ABOUT,
    }
    return Message(**(fields | changes))


@pytest.fixture
def mailbox() -> Mailbox:
    """What the SMTP server takes."""
    return Mailbox()


@pytest.fixture
def smtp(mailbox: Mailbox) -> Iterator[EngineSettings]:
    """The settings of an engine that sends e-mail through a server."""
    with smtp_server(mailbox, free_port()) as url:
        yield EngineSettings(
            smtp_url=url, mail_from="Atlas <atlas@example.org>", dashboard_url="https://atlas.example.org/"
        )


@pytest.fixture
def hook() -> Hook:
    """What the HTTP server is sent."""
    return Hook()


@pytest.fixture
def hook_url(hook: Hook) -> Iterator[str]:
    """Where it is sent."""
    with http_server(hook) as url:
        yield f"{url}/atlas"


# E-mail -------------------------------------------------------------------------------------------------------------


def test_an_e_mail_says_what_happened_why_and_where_to_read_on(smtp: EngineSettings, mailbox: Mailbox) -> None:
    assert send(smtp, message(ChannelKind.EMAIL, "ines@example.org, max@example.org"), NOON) == ""
    (mail,) = mailbox.mails
    assert mail["Subject"] == "[Atlas] Accuracy of Forest-1 fell by 0.060 on crash v7"
    assert (mail["From"], mail["To"]) == ("Atlas <atlas@example.org>", "ines@example.org, max@example.org")
    assert mail["Message-ID"] == f"<{uuid.UUID(int=1)}@example.org>"
    assert mail.get_content().splitlines() == [
        "0.930 on v6, and 0.870 now.",
        "",
        "Since 2026-03-02 12:00 UTC",
        "",
        "https://atlas.example.org/alerts/7/",
    ]
    assert mailbox.recipients == [["ines@example.org", "max@example.org"]]


def test_a_message_about_no_alert_says_that_it_is_a_test(smtp: EngineSettings, mailbox: Mailbox) -> None:
    send(smtp, message(ChannelKind.EMAIL, "ines@example.org", news=News.TEST, about=None), NOON)
    assert mailbox.mails[0]["Subject"] == "[Atlas] This is a test"


def test_no_text_adds_a_header_or_a_recipient() -> None:
    text = "Forest\r\nBcc: eve@example.org\n\nfell"
    news = AlertNews(id="1", news=News.RECOVERED, text=text, why="\r\n.\r\nDATA", link="http://x")
    mail = mail_of(news, sender="atlas@example.org", addresses="a@example.org\r\nBcc:b@example.org", now=NOON)
    assert mail["Subject"] == "[Atlas] Over: Forest Bcc: eve@example.org fell"
    assert mail["Bcc"] is None


@pytest.mark.parametrize("addresses", ["", "  ", "nobody", "ines@example.org, max"])
def test_what_is_no_address_is_refused_at_once(smtp: EngineSettings, addresses: str) -> None:
    with pytest.raises(DeliveryRefusedError, match="no list of e-mail addresses"):
        send(smtp, message(ChannelKind.EMAIL, addresses), NOON)


def test_who_is_unknown_does_not_keep_others_from_their_e_mail(smtp: EngineSettings, mailbox: Mailbox) -> None:
    mailbox.refused = "max"
    remark = send(smtp, message(ChannelKind.EMAIL, "ines@example.org max@example.org"), NOON)
    assert remark == "max@example.org: 550 no such person"
    assert mailbox.recipients == [["ines@example.org"]]
    mailbox.refused = "example.org"
    with pytest.raises(DeliveryRefusedError, match="550 no such person"):
        send(smtp, message(ChannelKind.EMAIL, "ines@example.org"), NOON)


@pytest.mark.parametrize(("answer", "permanent"), [("554 this is spam", True), ("451 come back later", False)])
def test_a_mail_server_says_whether_another_try_helps(
    smtp: EngineSettings, mailbox: Mailbox, answer: str, permanent: bool
) -> None:
    mailbox.answer = answer
    with pytest.raises(DeliveryError, match=answer) as raised:
        send(smtp, message(ChannelKind.EMAIL, "ines@example.org"), NOON)
    assert raised.value.retry_helps is not permanent


def test_a_mail_server_that_is_away_or_not_set_may_be_there_later() -> None:
    away = EngineSettings(smtp_url=f"smtp://127.0.0.1:{free_port()}", mail_from="atlas@example.org")
    for settings, problem in ((away, "refused"), (EngineSettings(smtp_url=""), "set ATLAS_SMTP_URL")):
        with pytest.raises(DeliveryError, match=problem) as raised:
            send(settings, message(ChannelKind.EMAIL, "ines@example.org"), NOON)
        assert raised.value.retry_helps


def test_a_server_that_does_not_encrypt_gets_no_password(mailbox: Mailbox) -> None:
    with smtp_server(mailbox, free_port()) as url:
        secret = url.replace("smtp://", "smtp://ines:secret@") + "?starttls=true"
        with pytest.raises(DeliveryError, match="STARTTLS") as raised:
            send(
                EngineSettings(smtp_url=secret, mail_from="atlas@example.org"),
                message(ChannelKind.EMAIL, "ines@example.org"),
                NOON,
            )
    assert raised.value.retry_helps
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "port", "is_encrypted", "starts_tls"),
    [
        ("smtp://mail", 25, False, False),
        ("smtp://mail:2525", 2525, False, False),
        ("smtp://mail?starttls=true", 587, False, True),
        ("smtps://mail", 465, True, False),
    ],
)
def test_a_url_names_a_mail_server(url: str, port: int, is_encrypted: bool, starts_tls: bool) -> None:
    server = MailServer.at(url)
    assert (server.port, server.is_encrypted, server.starts_tls) == (port, is_encrypted, starts_tls)


def test_user_and_password_may_hold_any_character() -> None:
    server = MailServer.at("smtp://ines%40example.org:p%2Fss@mail")
    assert (server.user, server.password) == ("ines@example.org", "p/ss")


@pytest.mark.parametrize("url", ["http://mail", "smtp://", "smtp://mail?starttls=yes", "smtp://mail?tls=true", "mail"])
def test_a_wrong_url_stops_the_engine_without_saying_the_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ATLAS_SMTP_URL", url)
    with pytest.raises(SettingsError, match=r"ATLAS_SMTP_URL: .*smtps://host:port") as raised:
        EngineSettings.from_environment()
    assert "got" not in str(raised.value)


def test_who_sends_e_mail_needs_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_SMTP_URL", "smtp://mail")
    with pytest.raises(SettingsError, match="ATLAS_MAIL_FROM"):
        EngineSettings.from_environment()


# Webhooks -----------------------------------------------------------------------------------------------------------


def documented_check() -> Any:
    """The function with which the documentation checks a signature."""
    code = re.search(r"```python\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)
    return names["is_from_atlas"]


def test_a_webhook_gets_a_document_that_its_receiver_can_check(hook: Hook, hook_url: str) -> None:
    send(EngineSettings(), message(ChannelKind.WEBHOOK, hook_url), NOON)
    ((headers, body),) = hook.requests
    assert headers[DELIVERY_HEADER.lower()] == str(uuid.UUID(int=1))
    (news,) = hook.news
    assert (news.schema_version, news.id, news.news, news.kind) == (1, str(uuid.UUID(int=1)), "opened", "drop")
    assert (news.model, news.dataset, news.version, news.metric) == ("Forest-1", "crash", 7, "accuracy")
    assert news.link == "http://127.0.0.1:8000/alerts/7/"
    timestamp, signature = headers[TIMESTAMP_HEADER.lower()], headers[SIGNATURE_HEADER.lower()]
    is_from_atlas = documented_check()
    now = NOON.timestamp()
    assert is_from_atlas(body, timestamp, signature, SECRET, now)
    assert not is_from_atlas(body + b" ", timestamp, signature, SECRET, now)
    assert not is_from_atlas(body, timestamp, signature, "other", now)
    assert not is_from_atlas(body, str(int(timestamp) + 1), signature, SECRET, now)
    assert not is_from_atlas(body, timestamp, signature, SECRET, now + 301)


def test_without_a_secret_nothing_is_signed(hook: Hook, hook_url: str) -> None:
    send(EngineSettings(), message(ChannelKind.WEBHOOK, hook_url, secret=""), NOON)
    assert SIGNATURE_HEADER.lower() not in hook.requests[0][0]


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(410, True), (401, True), (404, True), (408, False), (429, False), (500, False), (503, False)],
)
def test_a_webhook_s_status_says_whether_another_try_helps(
    hook: Hook, hook_url: str, status: int, permanent: bool
) -> None:
    hook.status, hook.body = status, b"no, " + b"x" * 5_000
    with pytest.raises(DeliveryError, match=f"{status} .*: no, x") as raised:
        send(EngineSettings(), message(ChannelKind.WEBHOOK, hook_url), NOON)
    assert raised.value.retry_helps is not permanent
    assert len(str(raised.value)) < 600


def test_a_redirect_is_not_followed(hook: Hook, hook_url: str) -> None:
    hook.status, hook.location = 302, f"{hook_url}/elsewhere"
    with pytest.raises(DeliveryError, match="redirects are not followed"):
        send(EngineSettings(), message(ChannelKind.WEBHOOK, hook_url), NOON)
    assert len(hook.requests) == 1


def test_a_receiver_that_is_away_may_be_there_later() -> None:
    with pytest.raises(DeliveryError, match="refused") as raised:
        send(EngineSettings(), message(ChannelKind.WEBHOOK, f"http://127.0.0.1:{free_port()}/"), NOON)
    assert raised.value.retry_helps


def test_a_receiver_that_does_not_answer_is_not_waited_for(
    hook: Hook, hook_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark_engine.senders.TIMEOUT_SECONDS", 0.1)
    hook.held.clear()
    with pytest.raises(DeliveryError, match="did not answer") as raised:
        send(EngineSettings(), message(ChannelKind.WEBHOOK, hook_url), NOON)
    hook.held.set()
    assert raised.value.retry_helps


@pytest.mark.parametrize("address", ["ftp://example.org", "example.org", "http://host:port", ""])
def test_what_is_no_address_of_a_webhook_is_refused_at_once(address: str) -> None:
    with pytest.raises(DeliveryRefusedError, match="no URL of a webhook"):
        send(EngineSettings(), message(ChannelKind.WEBHOOK, address), NOON)


# Chat ---------------------------------------------------------------------------------------------------------------


def test_a_chat_service_is_told_in_plain_text(hook: Hook, hook_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    address = hook_url.replace("http://", "json://ines:password@")
    send(EngineSettings(), message(ChannelKind.CHAT, address), NOON)
    ((_, body),) = hook.requests
    assert b"[Atlas] Accuracy of Forest-1 fell by 0.060 on crash v7" in body
    assert b"0.930 on v6, and 0.870 now." in body
    hook.status = 500
    with pytest.raises(DeliveryError, match="did not take") as raised:
        send(EngineSettings(), message(ChannelKind.CHAT, address), NOON)
    assert raised.value.retry_helps
    assert "password" not in caplog.text


def test_an_address_that_apprise_does_not_know_is_refused_at_once() -> None:
    with pytest.raises(DeliveryRefusedError, match="none that apprise knows"):
        send(EngineSettings(), message(ChannelKind.CHAT, "pigeon://roof"), NOON)
