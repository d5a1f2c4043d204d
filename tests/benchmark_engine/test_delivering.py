"""Messages reach their receivers once, however these behave: real SMTP and HTTP servers, and engines that die."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection

from atlas.alerts import Cause, Verdict
from atlas.states import Level
from atlas.watching import AlertKind, ChannelKind, DeliveryState, News
from benchmark_engine.connector import Connector
from benchmark_engine.delivering import Deliverer
from benchmark_engine.senders import send
from benchmark_engine.settings import EngineSettings
from storage import alerting, records
from storage.alerting import Message
from storage.models import Delivery, LogEntry
from tests.alerts import add_channel, add_rule
from tests.receivers import Hook, Mailbox, http_server, smtp_server
from tests.samples import NOON
from tests.servers import free_port

pytestmark = pytest.mark.django_db

LEASE, WAIT = timedelta(seconds=30), timedelta(seconds=10)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Noon, until a test says otherwise."""
    return Clock()


@pytest.fixture
def engine(connector: Connector, clock: Clock) -> Callable[..., Deliverer]:
    """Makes what sends an engine's messages, with some settings."""

    def made(sends: Callable[[Message, datetime], str] | None = None, **settings: str) -> Deliverer:
        sends = sends or partial(send, EngineSettings(**settings))  # type: ignore[arg-type]
        return Deliverer(replace(connector, clock=clock), sends, lease=LEASE, first_wait=WAIT)

    return made


@pytest.fixture
def hook() -> Hook:
    """What the webhook is sent."""
    return Hook()


@pytest.fixture
def hook_url(hook: Hook) -> Iterator[str]:
    """Where it is sent."""
    with http_server(hook) as url:
        yield url


def webhook(url: str, name: str = "hook") -> int:
    return add_channel(name, ChannelKind.WEBHOOK, url).pk


def watched(*channels: int) -> int:
    """A rule with one open alert, which the channels are to be told of."""
    pk = add_rule("falls", channels=frozenset(channels))
    cause = Cause(kind=AlertKind.DROP, key="a", text="F1 of Forest fell", why="0.9, and 0.8 now.")
    records.settle(pk, Verdict(causes=[cause]), now=NOON)
    return pk


def states() -> list[DeliveryState]:
    return [DeliveryState(state) for state in Delivery.objects.values_list("state", flat=True)]


def test_an_alert_and_its_end_are_sent_in_this_order(
    engine: Callable[..., Deliverer], hook: Hook, hook_url: str
) -> None:
    channel = webhook(hook_url)
    records.settle(watched(channel), Verdict(), now=NOON)
    for _ in range(2):
        engine().send_all(channel)
    assert [news.news for news in hook.news] == [News.OPENED, News.RECOVERED]
    assert [news.recovered for news in hook.news] == [None, NOON]
    assert states() == [DeliveryState.SENT] * 2


def test_what_a_receiver_did_not_take_is_sent_once_it_does(engine: Callable[..., Deliverer], clock: Clock) -> None:
    port, mailbox = free_port(), Mailbox()
    settings = {"smtp_url": f"smtp://127.0.0.1:{port}", "mail_from": "atlas@example.org"}
    channel = add_channel().pk
    watched(channel)
    engine(**settings).send_all(channel)
    (waiting,) = Delivery.objects.all()
    assert (waiting.state, waiting.not_before) == (DeliveryState.WAITING, NOON + WAIT)
    assert "refused" in waiting.problem
    with smtp_server(mailbox, port):
        engine(**settings).send_all(channel)
        assert mailbox.mails == []
        clock.now = NOON + WAIT
        for _ in range(2):
            engine(**settings).send_all(channel)
    (mail,) = mailbox.mails
    assert mail["Message-ID"] == f"<{waiting.pk}@example.org>"
    assert states() == [DeliveryState.SENT]


def test_who_is_gone_for_good_is_given_up_at_once_and_the_log_says_so(
    engine: Callable[..., Deliverer], hook: Hook, hook_url: str
) -> None:
    hook.status, hook.body = 410, b"I\0left\nfor good"
    channel = webhook(hook_url)
    watched(channel)
    for _ in range(2):
        engine().send_all(channel)
    assert len(hook.requests) == 1
    (given_up,) = Delivery.objects.all()
    assert (given_up.state, given_up.attempts) == (DeliveryState.GIVEN_UP, 1)
    (line,) = LogEntry.objects.all()
    assert (line.level, line.message) == (Level.ERROR, "hook was not told: F1 of Forest fell")
    assert line.detail == given_up.problem == "The webhook answered 410 Gone: I left for good"


def test_who_is_away_for_a_day_is_given_up(engine: Callable[..., Deliverer], hook: Hook, hook_url: str) -> None:
    hook.status = 503
    channel = webhook(hook_url)
    watched(channel)
    Delivery.objects.update(attempts=31)
    engine().send_all(channel)
    assert states() == [DeliveryState.GIVEN_UP]
    assert LogEntry.objects.get().detail == "The webhook answered 503 Service Unavailable"


def test_a_test_is_sent_like_any_message(engine: Callable[..., Deliverer], hook: Hook, hook_url: str) -> None:
    channel = webhook(hook_url)
    records.send_test(channel, by="eva", via="page", now=NOON)  # type: ignore[arg-type]
    engine().send_all(channel)
    (news,) = hook.news
    assert (news.news, news.kind, news.text) == (News.TEST, None, "This is a test")


def test_what_an_engine_was_sending_when_it_died_is_sent_under_the_same_id(
    engine: Callable[..., Deliverer], hook: Hook, hook_url: str, clock: Clock
) -> None:
    channel = webhook(hook_url)
    watched(channel)

    def dies(message: Message, now: datetime) -> str:
        send(EngineSettings(), message, now)
        raise SystemExit

    with pytest.raises(SystemExit):
        engine(dies).send_all(channel)
    engine().send_all(channel)
    assert len(hook.requests) == 1
    clock.now = NOON + LEASE + timedelta(seconds=1)
    engine().send_all(channel)
    first, second = hook.news
    assert first.id == second.id
    assert states() == [DeliveryState.SENT]


def test_what_was_sent_is_not_sent_again_because_the_database_is_away_for_a_moment(
    engine: Callable[..., Deliverer], hook: Hook, hook_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = webhook(hook_url)
    watched(channel)
    keep, away = records.has_sent, iter([OperationalError, InterfaceError])

    def has_sent(*arguments: Any, **more: Any) -> bool:
        for error in away:
            raise error
        return keep(*arguments, **more)

    monkeypatch.setattr(records, "has_sent", has_sent)
    monkeypatch.setattr("benchmark_engine.delivering.close_old_connections", lambda: None)  # the test's own is needed
    engine().send_all(channel)
    assert len(hook.requests) == 1
    assert states() == [DeliveryState.SENT]


def test_what_goes_wrong_in_the_engine_itself_is_tried_again(engine: Callable[..., Deliverer]) -> None:
    channel = webhook("http://127.0.0.1")
    watched(channel)

    def broken(message: Message, now: datetime) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        engine(broken).send_all(channel)
    assert states() == [DeliveryState.WAITING]


@pytest.mark.django_db(transaction=True)
def test_a_slow_receiver_keeps_no_other_waiting_and_is_sent_nothing_twice(
    engine: Callable[..., Deliverer], hook: Hook, hook_url: str
) -> None:
    several_threads_may_write()
    quick = Hook()
    with http_server(quick) as quick_url:
        watched(webhook(hook_url, "slow"), webhook(quick_url, "quick"))
        hook.held.clear()
        deliverer = engine()
        try:
            deliverer.deliver()
            wait_until(lambda: quick.requests and hook.requests)
            wait_until(lambda: DeliveryState.SENT in states())
            deliverer.deliver()
        finally:
            hook.held.set()
            deliverer.close()
    assert (len(quick.requests), len(hook.requests)) == (1, 1)
    assert states() == [DeliveryState.SENT] * 2


@pytest.mark.django_db(transaction=True)
def test_the_lease_of_what_takes_long_is_renewed(
    engine: Callable[..., Deliverer], hook: Hook, hook_url: str, clock: Clock
) -> None:
    several_threads_may_write()
    channel = webhook(hook_url)
    watched(channel)
    hook.held.clear()
    deliverer = engine()
    try:
        deliverer.deliver()
        wait_until(lambda: hook.requests)
        clock.now = NOON + LEASE
        deliverer.deliver()
        assert alerting.channels_to_serve(NOON + LEASE * 1.5) == []
        assert alerting.channels_to_serve(NOON + LEASE * 2.5) == [channel]
    finally:
        hook.held.set()
        deliverer.close()
    assert states() == [DeliveryState.SENT]


def several_threads_may_write() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time, and in these tests one connection for all threads")


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
