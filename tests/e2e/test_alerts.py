"""An alert is told exactly once to a real SMTP server and a real HTTP receiver, whatever happens in between."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import atlas
from atlas.watching import News
from atlas.webhooks import DELIVERY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, dated, is_signed
from tests.e2e.installation import Installation
from tests.receivers import Hook, Mailbox, http_server, smtp_server
from tests.samples import NOON
from tests.servers import free_port

pytestmark = pytest.mark.system

MONDAY, TUESDAY, WEDNESDAY = range(300), range(300, 700), range(700, 7_000)
BENCHMARKS = "SELECT state FROM storage_benchmark"
DELIVERIES = "SELECT news, state, attempts FROM storage_delivery"
WATCH = """
from django.utils import timezone
from atlas.watching import AlertKind, ChannelKind
from storage.models import AlertRule, Channel
now = timezone.now()
mail = Channel.objects.create(name="mail", kind=ChannelKind.EMAIL, address="team@example.org", created=now, by="eva")
hook = Channel.objects.create(
    name="hook", kind=ChannelKind.WEBHOOK, address="{url}", secret="hush", created=now, by="eva"
)
AlertRule.objects.filter(name="A score fell").update(threshold=0.2)
AlertRule.objects.create(name="Low", kind=AlertKind.METRIC, threshold=0.8, created=now, by="eva")
for rule in AlertRule.objects.filter(name__in=["A score fell", "Low"]):
    rule.channels.set([mail, hook])
"""


def label(number: int) -> str:
    return "damaged" if number % 100 >= 50 else "intact"


def wrong(number: int) -> str:
    return "intact" if label(number) == "damaged" else "damaged"


def send_data(installation: Installation, name: str, numbers: range, label: Callable[[int], str]) -> None:
    path = installation.folder / f"{name}.csv"
    peak = [float(number % 100) for number in numbers]
    pd.DataFrame({"peak": peak, "label": [label(number) for number in numbers]}).to_csv(path, index=False)
    installation.ingestion.upload_recording(path)


def send_model(installation: Installation) -> None:
    peak = pd.DataFrame({"peak": [float(number) for number in range(100)]})
    sent = atlas.pack(
        LogisticRegression().fit(peak, [label(number) for number in range(100)]),
        installation.folder,
        name="Forest",
        version="1.0.0",
        use_case="damage detector",
        task="binary",
        author=("Ines Prado", "ines@example.org"),
        tags=["impacts"],
        metrics=["accuracy"],
        example=peak.head(),
        created=NOON,
    )
    installation.objects.put(f"models/{sent.name}", sent)


def deliveries(installation: Installation) -> dict[tuple[str, str], int]:
    """How many messages of which news stand where."""
    return Counter((news, state) for news, state, _ in installation.rows(DELIVERIES))


def are_tried_again(installation: Installation, messages: int) -> bool:
    attempts = [tries for *_, tries in installation.rows(DELIVERIES)]
    return len(attempts) == messages and min(attempts) > 1


def benchmarked(installation: Installation, versions: int) -> Callable[[], bool]:
    return lambda: installation.rows(BENCHMARKS) == [("done",)] * versions


def test_a_fall_and_its_end_are_told_once_though_receivers_were_away_and_the_engine_was_killed(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    smtp_port, hook_port = free_port(), free_port()
    installation = install(
        object_store=str(tmp_path / "objects"),
        smtp_url=f"smtp://127.0.0.1:{smtp_port}",
        mail_from="atlas@example.org",
        retry_seconds=0.2,
        lease_seconds=5,
        explained_rows=0,
        workers=1,
    )
    installation.start_ingestion()
    send_data(installation, "monday", MONDAY, label)
    installation.ingestion.create_tag("impacts")
    send_model(installation)
    installation.manage("shell", "-c", WATCH.format(url=f"http://127.0.0.1:{hook_port}/"))
    engine = installation.start("run_engine")
    installation.wait_for(benchmarked(installation, 1), "a good result")

    send_data(installation, "tuesday", TUESDAY, wrong)
    installation.wait_for(lambda: are_tried_again(installation, 4), "attempts in vain to send four messages")
    os.killpg(engine.pid, signal.SIGKILL)
    engine.wait()

    mailbox, hook = Mailbox(), Hook()
    with ExitStack() as receivers:
        receivers.enter_context(smtp_server(mailbox, smtp_port))
        receivers.enter_context(http_server(hook, hook_port))
        installation.start("run_engine", deliver=False)
        installation.start("send_alerts")
        told = {(News.OPENED, "sent"): 4}
        installation.wait_for(lambda: deliveries(installation) == told, "the messages to arrive")
        send_data(installation, "wednesday", WEDNESDAY, label)
        installation.wait_for(benchmarked(installation, 3), "a good result again")
        told[News.RECOVERED, "sent"] = 4
        installation.wait_for(lambda: deliveries(installation) == told, "the messages that it is over")

    subjects = sorted(mail["Subject"].strip() for mail in mailbox.mails)
    begun = ["[Atlas] Accuracy of Forest-1.0.0-1772452800 fell", "[Atlas] Accuracy of Forest-1.0.0-1772452800 is"]
    over = [subject.replace("[Atlas]", "[Atlas] Over:") for subject in begun]
    assert [subject.rpartition(" by ")[0] or subject.partition(" 0.")[0] for subject in subjects] == [*begun, *over]
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 4
    assert Counter((news.kind, news.news) for news in hook.news) == {
        (kind, news): 1 for kind in ("metric", "drop") for news in (News.OPENED, News.RECOVERED)
    }
    assert {(news.dataset, news.version) for news in hook.news} == {("impacts", 2)}
    for headers, body in hook.requests:
        timestamp = int(headers[TIMESTAMP_HEADER.lower()])
        assert is_signed(dated(body, timestamp), "hush", headers[SIGNATURE_HEADER.lower()])
        assert headers[DELIVERY_HEADER.lower()] in {news.id for news in hook.news}
