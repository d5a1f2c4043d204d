"""Home: what needs attention, the counters, the pipeline, the latest models and benchmarks."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from atlas.access import Via
from atlas.states import ComponentState
from atlas.watching import AlertKind
from storage import queries, records
from tests import alerts, stage
from tests.atlas_web.conftest import Count, Read
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def attention(html: str) -> str:
    return html.partition("Needs attention")[2].partition("</section>")[0]


def pipeline(html: str) -> list[str]:
    strip = html.partition('aria-label="Pipeline status"')[2].partition("</section>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", part).split()) for part in strip.split("<div><div")[1:]]


def test_an_atlas_without_anything_says_what_to_do(read: Read) -> None:
    shown = read("/")
    assert "Nothing needs attention" in shown.text
    assert "No models yet" in shown.text
    assert "No benchmarks yet" in shown.text
    assert "Ingestion - no sign of life yet" in shown.text


def test_the_counters_count(read: Read) -> None:
    model, other = stage.add_model(), stage.add_model("Linear-1.0.0-2")
    first, second = stage.add_version(1), stage.add_version(2)
    stage.finish(model, first)
    stage.run(model, second)
    stage.queue(other, first)
    stage.fail(other, second)
    text = read("/").text
    assert "Models 2 Benchmarks 1 done Running 1 Queued 1 Failed 1 Datasets 1 2 versions Authors 1" in text


def test_invalid_files_and_troubled_datasets_need_attention(read: Read, now: datetime) -> None:
    stage.fail(stage.add_model(), stage.add_version(), "A file is missing.", now=now)
    invalid = stage.add_invalid_file("broken.atlas", "It is not a zip file.", arrived=now)
    records.record_tag_problem("impacts", "There is no such tag.")
    shown = attention(read("/").html)
    assert "broken.atlas is not a usable model file" in shown
    assert f'href="/models/{invalid}/"' in shown
    assert "There is no such tag." in shown
    assert 'href="/benchmarks/?state=failed">1 failed benchmark<' in shown


def test_what_is_a_week_old_is_only_linked(read: Read, now: datetime) -> None:
    stage.add_invalid_file("broken.atlas", "It is not a zip file.", arrived=now - timedelta(days=8))
    shown = read("/")
    assert "Nothing needs attention" in shown.text
    assert 'href="/models/?state=invalid">1 invalid file<' in shown.html


def test_a_component_that_is_silent_is_down_but_training_may_be_silent(read: Read, now: datetime) -> None:
    long_ago = now - timedelta(days=2)
    records.report_status("engine", ComponentState.HEALTHY, "1 running", now=long_ago)
    records.report_status("training", ComponentState.HEALTHY, "last model Forest", now=long_ago)
    records.report_status("storage", ComponentState.DEGRADED, "slow", now=now)
    shown = read("/")
    ingestion, training, storage, engine = pipeline(shown.html)
    assert ingestion.endswith("no sign of life yet")
    assert training.endswith("Healthy last model Forest")
    assert storage.endswith("Degraded slow")
    assert "Down silent since" in engine
    assert "Engine is down" in attention(shown.html)
    assert "It last said: 1 running" in attention(shown.html)
    assert "Training is" not in shown.html


def test_benchmarks_that_wait_for_an_engine_that_was_never_started_need_attention(read: Read) -> None:
    stage.queue(stage.add_model(), stage.add_version())
    shown = attention(read("/").html)
    assert "Engine is down" in shown
    assert "1 benchmark waits for it. It has never given a sign of life. Start it with manage.py run_engine." in shown


def test_benchmarks_that_wait_for_an_engine_that_went_silent_are_counted(read: Read, now: datetime) -> None:
    model = stage.add_model()
    stage.queue(model, stage.add_version(1))
    stage.queue(model, stage.add_version(2))
    records.report_status("engine", ComponentState.HEALTHY, "0 running", now=now - timedelta(hours=1))
    shown = attention(read("/").html)
    assert "2 benchmarks wait for it. No sign of life since" in shown


def test_the_latest_models_say_how_far_their_benchmarks_are(read: Read) -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1))
    stage.queue(model, stage.add_version(2))
    assert any("Forest-1.0.0 -1 damage detector, Ines Prado" in row and "1 of 2" in row for row in read("/").rows())


def test_the_latest_benchmarks_show_score_and_change(read: Read) -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1), result(f1=0.8))
    stage.finish(model, stage.add_version(2), result(f1=0.9))
    assert any("impacts v2, F1 0.900 +0.100 Done" in row for row in read("/").rows())


def test_the_page_asks_for_itself_sooner_while_something_waits(read: Read) -> None:
    assert 'hx-trigger="every 30s"' in read("/").html
    stage.queue(stage.add_model(), stage.add_version())
    assert 'hx-trigger="every 5s"' in read("/").html


def test_the_number_of_queries_does_not_grow(queries_of: Count, fill: Callable[[int], None], now: datetime) -> None:
    def alerts_of(models: int) -> None:
        fill(models)
        for benchmark in queries.benchmarks()[:models]:
            alerts.add_alert(benchmark_id=benchmark.pk, model_id=benchmark.model_id)

    alerts_of(3)
    few = queries_of("/")
    alerts_of(12)
    assert queries_of("/") == few


def test_open_alerts_come_first_and_acknowledged_ones_last(read: Read, now: datetime) -> None:
    fell = stage.finish(stage.add_model(), stage.add_version())
    stage.add_invalid_file("broken.atlas", "It is not a zip file.", arrived=now)
    known = alerts.add_alert("Columns have moved", kind=AlertKind.DRIFT, opened=now)
    records.acknowledge(known, "A new sensor.", by="jan", via=Via.PAGE, now=now)
    alerts.add_alert("F1 fell", metric="f1", benchmark_id=fell, opened=now - timedelta(hours=3))
    alerts.add_alert("Ingestion is down", kind=AlertKind.DOWN, component="ingestion", opened=now)
    alerts.add_alert("It failed", kind=AlertKind.FAILED, recovered=now)
    shown = attention(read("/").html)
    places = [shown.index(text) for text in ("Ingestion is down", "F1 fell", "broken.atlas is", "Columns have moved")]
    assert places == sorted(places)
    assert "It failed" not in shown
    assert "0.9 before, 0.8 now." in shown
    assert "3 h ago" in shown
    assert "Acknowledged by jan: A new sensor." in shown
    assert f'href="/benchmarks/{fell}/why/?metric=f1"' in shown
    assert 'href="/logs/?component=ingestion"' in shown


def test_those_who_may_write_acknowledge_on_the_page(writer: Client) -> None:
    alert = alerts.add_alert()
    assert f'hx-get="/alerts/{alert}/acknowledge/"' in writer.get("/").content.decode()
    form = writer.get(f"/alerts/{alert}/acknowledge/").content.decode()
    assert f'action="/alerts/{alert}/acknowledge/"' in form
    sent = writer.post(f"/alerts/{alert}/acknowledge/", {"note": "I look into it.", "page": "home"}, follow=True)
    assert sent.redirect_chain == [("/", 302)]
    assert "Acknowledged by ilse: I look into it." in attention(sent.content.decode())
    assert 'hx-get="/alerts/' not in sent.content.decode()


def test_a_viewer_has_no_button_to_acknowledge(read: Read) -> None:
    alerts.add_alert()
    assert "acknowledge/" not in read("/").html


def test_of_many_alerts_the_latest_are_shown_and_the_menu_counts_all(read: Read) -> None:
    for number in range(13):
        alerts.add_alert(f"fall {number:02}", opened=NOON + timedelta(minutes=number))
    shown = read("/").html
    assert "fall 12" in attention(shown)
    assert "fall 02" not in attention(shown)
    assert '<a href="/alerts/?state=open">All open alerts</a>' in shown
    assert 'Alerts<span class="menu-count">13<' in shown


def test_without_a_rule_nobody_is_told_of_anything(read: Read) -> None:
    alerts.without_rules()
    rule = alerts.add_rule()
    assert "No rule is enabled" not in read("/").text
    records.switch_rule(rule, enabled=False, by="jan", via=Via.PAGE, now=NOON)
    assert "No rule is enabled" in attention(read("/").html)
