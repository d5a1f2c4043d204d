"""Home: what needs attention, the counters, the pipeline, the latest models and benchmarks."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from atlas.results import BenchmarkResult, MetricValue
from atlas.states import ComponentState
from storage import records
from tests import stage
from tests.atlas_web.conftest import Count, Read
from tests.samples import result

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


def test_failures_invalid_files_and_troubled_datasets_need_attention(read: Read, now: datetime) -> None:
    benchmark = stage.fail(stage.add_model(), stage.add_version(), "A file is missing.", now=now)
    invalid = stage.add_invalid_file("broken.atlas", "It is not a zip file.", arrived=now)
    records.record_tag_problem("impacts", "There is no such tag.")
    shown = attention(read("/").html)
    assert "Forest-1.0.0-1 failed on impacts v1" in shown
    assert "Load error: A file is missing." in shown
    assert f'href="/benchmarks/{benchmark}/"' in shown
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
    fill(3)
    few = queries_of("/")
    fill(12)
    assert queries_of("/") == few


def of(f1: float, *, name: str = "f1", greater_is_better: bool = True) -> BenchmarkResult:
    """A result with one metric that is known to a hundredth."""
    value = MetricValue(name=name, value=f1, low=f1 - 0.01, high=f1 + 0.01, greater_is_better=greater_is_better)
    return result(metrics=(value,))


def test_a_fall_by_more_than_noise_needs_attention_before_all_else(read: Read, now: datetime) -> None:
    model, failing = stage.add_model(), stage.add_model("Linear-1.0.0-2")
    stage.finish(model, stage.add_version(1), of(0.9), now=now)
    fell = stage.finish(model, stage.add_version(2), of(0.8), now=now)
    stage.fail(failing, stage.add_version(3), now=now)
    shown = attention(read("/").html)
    assert "F1 of Forest-1.0.0-1 fell by 0.100 on impacts v2" in shown
    assert "0.900 [0.890, 0.910] on the version before, 0.800 [0.790, 0.810] now: more than noise." in shown
    assert f'href="/benchmarks/{fell}/why/"' in shown
    assert shown.index("fell by") < shown.index("Linear-1.0.0-2 failed")


def test_what_rose_or_fell_within_noise_needs_none(read: Read, now: datetime) -> None:
    model = stage.add_model()
    for number, f1 in enumerate((0.8, 0.9, 0.885), start=1):
        stage.finish(model, stage.add_version(number), of(f1), now=now)
    assert "Nothing needs attention" in read("/").text


def test_of_an_error_a_rise_needs_attention(read: Read, now: datetime) -> None:
    model = stage.add_model(
        task="regression", classes=(), metrics=("max_error", "r2"), primary_metric="max_error", target="speed"
    )
    for number, error in enumerate((0.5, 0.7), start=1):
        outcome = of(error, name="max_error", greater_is_better=False)
        stage.finish(model, stage.add_version(number), outcome, now=now)
    assert "Largest error of Forest-1.0.0-1 rose by 0.200 on impacts v2" in attention(read("/").html)


def test_a_fall_of_more_than_a_week_ago_is_none_of_today(read: Read, now: datetime) -> None:
    model = stage.add_model()
    for number, f1 in enumerate((0.9, 0.8), start=1):
        stage.finish(model, stage.add_version(number), of(f1), now=now - timedelta(days=8))
    assert "Nothing needs attention" in read("/").text
