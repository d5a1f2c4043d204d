"""How an alert reaches a channel: as e-mail, as a signed request to a webhook, or through a chat service."""

import logging
from datetime import datetime
from importlib import import_module

import httpx

from atlas import webhooks
from atlas.errors import DeliveryError, DeliveryRefusedError
from atlas.watching import ChannelKind, News
from atlas.webhooks import AlertNews
from benchmark_engine.delivery_settings import DeliverySettings
from benchmark_engine.mail import TIMEOUT_SECONDS, MailServer, headline, mail_of, text_of
from storage.alerting import Message

MOST_OF_AN_ANSWER = 500
"""So many bytes of what a receiver says are kept."""
TEST, WHY_TEST = "This is a test", "Somebody asked for it on the dashboard, to see that messages arrive here."
_MAY_PASS = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS)


def send(settings: DeliverySettings, message: Message, now: datetime) -> str:
    """Send a message to its channel.

    Returns:
        What its receiver remarked, such as which addresses it refused.

    Raises:
        DeliveryRefusedError: it is refused, for good.
        DeliveryError: it could not be sent this time.
    """
    news = news_of(message, settings.dashboard_url)
    if message.channel_kind is ChannelKind.EMAIL:
        return mail(settings, news, message.address, now)
    if message.channel_kind is ChannelKind.WEBHOOK:
        post_to_webhook(news, message.address, message.secret, now)
    else:
        tell_chat(news, message.address)
    return ""


def mail(settings: DeliverySettings, news: AlertNews, addresses: str, now: datetime) -> str:
    """Mail an alert; what `MailServer.send` returns."""
    if not settings.smtp_url:
        raise DeliveryError("No e-mail is sent: set ATLAS_SMTP_URL and ATLAS_MAIL_FROM of what sends alerts.")
    return MailServer.at(settings.smtp_url).send(mail_of(news, sender=settings.mail_from, addresses=addresses, now=now))


def news_of(message: Message, dashboard: str) -> AlertNews:
    """What a message says, with a link to the dashboard at this address."""
    start, about = dashboard.rstrip("/"), message.about
    if about is None:
        return AlertNews(id=str(message.delivery), news=message.news, text=TEST, why=WHY_TEST, link=f"{start}/alerts/")
    return AlertNews(
        id=str(message.delivery),
        news=message.news,
        kind=about.kind,
        text=about.text,
        why=about.why,
        model=about.model,
        dataset=about.dataset,
        version=about.version,
        metric=about.metric,
        component=about.component,
        opened=about.opened,
        recovered=about.recovered if message.news is News.RECOVERED else None,
        link=f"{start}/alerts/{about.alert}/",
    )


def post_to_webhook(news: AlertNews, url: str, secret: str, now: datetime) -> None:
    """Send an alert to a webhook, signed if there is a secret; redirects are not followed."""
    body, timestamp = news.model_dump_json().encode(), int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        webhooks.DELIVERY_HEADER: news.id,
        webhooks.TIMESTAMP_HEADER: str(timestamp),
    }
    if secret:
        headers[webhooks.SIGNATURE_HEADER] = webhooks.signature(webhooks.dated(body, timestamp), secret)
    try:
        with httpx.stream("POST", url, content=body, headers=headers, timeout=TIMEOUT_SECONDS) as response:
            _look_at(response)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise DeliveryRefusedError(f"The channel's address is no URL of a webhook: {error}") from error
    except httpx.TransportError as error:
        raise DeliveryError(f"The webhook did not answer: {str(error) or type(error).__name__}") from error


def _look_at(response: httpx.Response) -> None:
    if response.is_success:
        return
    said = next(response.iter_bytes(MOST_OF_AN_ANSWER), b"").decode(errors="replace").strip()
    problem = f"The webhook answered {response.status_code} {response.reason_phrase}: {said}".rstrip(": ")
    if response.is_redirect:
        problem += "; redirects are not followed, give the channel its new address"
    if response.is_client_error and response.status_code not in _MAY_PASS:
        raise DeliveryRefusedError(problem)
    raise DeliveryError(problem)


def tell_chat(news: AlertNews, url: str) -> None:
    """Send an alert to a chat service, by its URL in the form of apprise. What it logs may hold secrets: nothing is."""
    apprise = import_module("apprise")  # brings many modules, which an engine without chat does without
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    service = apprise.Apprise()
    if not service.add(url):
        raise DeliveryRefusedError("The channel's address is none that apprise knows.")
    said = service.notify(title=headline(news), body=text_of(news), body_format=apprise.NotifyFormat.TEXT)
    if not said:
        raise DeliveryError("The chat service did not take the message.")
