"""What is old goes if the settings say so, and nothing newer does."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session

from atlas.access import Verb, Via
from atlas.watching import DeliveryState, News
from storage import records, retention
from storage.models import Action, Alert, Benchmark, Channel, Delivery, LogEntry, Metric
from storage.objects import DirectoryStore
from storage.retention import RetentionSettings
from tests import stage
from tests.samples import NOON, result

NOW = NOON + timedelta(days=100)
SHORT = RetentionSettings(predictions_days=30, log_days=30, messages_days=30, audit_days=30, inferences_days=30)
pytestmark = pytest.mark.django_db


def policies(settings: RetentionSettings = SHORT) -> list[retention.Policy]:
    return [*retention.of_the_engine(settings), *retention.of_people(settings)]


def benchmarked(model: int, number: int, *, days: int) -> int:
    """A benchmark on a version of its own, which ended so many days ago."""
    version = stage.add_version(number)
    key = f"predictions/{model}-{number}.parquet"
    return stage.finish(model, version, result(predictions_key=key), now=NOW - timedelta(days=days))


def with_predictions() -> set[int]:
    return set(Benchmark.objects.exclude(predictions_key="").values_list("pk", flat=True))


def test_predictions_go_when_they_are_old_and_there_are_newer_ones() -> None:
    model = stage.add_model()
    old, young, newest = (benchmarked(model, n, days=days) for n, days in ((1, 31), (2, 29), (3, 28)))
    alone = stage.add_model("Forest-2.0.0-1")
    lonely = stage.finish(
        alone, stage.add_version(1, tag="winter"), result(predictions_key="predictions/b.parquet"), now=NOON
    )
    metrics = Metric.objects.count()
    assert records.remove_old(policies(), NOW) == {"predictions of benchmarks": 1}
    assert with_predictions() == {young, newest, lonely}
    assert Metric.objects.filter(benchmark=old).exists()
    assert Metric.objects.count() == metrics


def test_lines_and_messages_go_when_they_are_old() -> None:
    channel = Channel.objects.create(name="mail", kind="e-mail", address="a@example.org", created=NOON, by="ada")
    over, still = (
        Alert.objects.create(kind="drift", cause=cause, text=cause, opened=NOON, recovered=recovered)
        for cause, recovered in (("over", NOW), ("open", None))
    )
    for days in (29, 31):
        moment = NOW - timedelta(days=days)
        records.log("engine", f"{days} days ago", now=moment)
        records.record_actions("ada", Verb.CHANGED, "thing", [f"{days} days ago"], via=Via.PAGE, now=moment)
    for alert, news in ((over, News.OPENED), (still, News.OPENED)):
        Delivery.objects.create(
            alert=alert, channel=channel, news=news, not_before=NOON, state=DeliveryState.SENT, sent=NOON
        )
    Delivery.objects.create(alert=over, channel=channel, news=News.RECOVERED, not_before=NOON)
    removed = records.remove_old(policies(), NOW)
    assert removed == {"lines of the log": 1, "messages of alerts": 1, "lines of the audit log": 1}
    assert LogEntry.objects.get().message == Action.objects.get().thing == "29 days ago"
    assert set(Delivery.objects.values_list("alert__cause", "state")) == {("open", "sent"), ("over", "waiting")}


def test_without_settings_nothing_goes_but_sessions_that_have_expired() -> None:
    benchmarked(stage.add_model(), 1, days=90)
    records.log("engine", "hello", now=NOON)
    for name, expires in (("gone", NOW - timedelta(seconds=1)), ("here", NOW + timedelta(days=1))):
        Session.objects.create(session_key=name, session_data="", expire_date=expires)
    assert records.remove_old(policies(RetentionSettings()), NOW) == {}
    assert retention.remove_expired_sessions(NOW) == 1
    assert Session.objects.get().session_key == "here"


def test_looking_tells_what_would_go_and_changes_nothing(tmp_path: Path) -> None:
    model, objects = stage.add_model(), DirectoryStore(tmp_path)
    old, newest = (benchmarked(model, number, days=days) for number, days in ((1, 40), (2, 35)))
    for key in Benchmark.objects.values_list("predictions_key", flat=True):
        objects.put(key, b"12345")
    found, *_ = retention.look(policies(), objects, NOW)
    assert (found.what, found.count, found.size_bytes) == ("predictions of benchmarks", 1, 5)
    assert found.oldest_kept == NOW - timedelta(days=35)
    assert with_predictions() == {old, newest}


def test_what_was_removed_stands_in_the_log_and_once_in_the_audit_log() -> None:
    removed = {"lines of the log": 1234, "messages of alerts": 1}
    records.log_removed(removed, NOW)
    records.record_retention("root", removed, NOW)
    records.log_removed({}, NOW)
    assert LogEntry.objects.get().message == "Old, and removed: 1,234 lines of the log, 1 messages of alerts."
    assert (Action.objects.get().person, Action.objects.get().verb) == ("root", Verb.CLEANED_UP)
