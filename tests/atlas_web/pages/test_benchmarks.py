"""The list of benchmarks, and the page of one."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from atlas.results import (
    BenchmarkResult,
    ClassMetrics,
    Estimate,
    Explanation,
    Failure,
    HyperparameterGroup,
    Importance,
    MetricValue,
    Progress,
    Residuals,
)
from atlas.states import FailureClass, Phase
from storage import records
from storage.models import Benchmark
from tests import stage
from tests.atlas_web.conftest import Count, Read
from tests.samples import NOON, result
from tests.streams import compare

pytestmark = pytest.mark.django_db


def chart(html: str, name: str) -> Any:
    found = re.search(rf'<script id="{name}-data"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_list_shows_score_change_rows_and_duration(read: Read) -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1), result(f1=0.8))
    stage.finish(model, stage.add_version(2), result(f1=0.75), now=NOON + timedelta(hours=1))
    newest, first = read("/benchmarks/").rows()
    assert newest == "Forest-1.0.0 -1 impacts v2, damage detector impacts v2 Done 0.750 F1 -0.050 30 02 Mar 13:00 2.0 s"
    assert first == "Forest-1.0.0 -1 impacts v1, damage detector impacts v1 Done 0.800 F1 - 30 02 Mar 12:00 2.0 s"


def test_the_list_shows_why_there_is_no_result(read: Read) -> None:
    model = stage.add_model()
    stage.fail(model, stage.add_version(1), "A file is missing.")
    stage.queue(model, stage.add_version(2), incompatible="The column rms is missing.")
    rows = " ".join(read("/benchmarks/").rows())
    assert "A file is missing. impacts v1 Failed" in rows
    assert "The column rms is missing. impacts v2 Not possible" in rows


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["impacts v3 Running", "winter v1 Failed", "impacts v1 Done", "impacts v2 Queued"]),
        ("state=queued", ["impacts v2 Queued"]),
        ("tag=winter", ["winter v1 Failed"]),
        (
            "use_case=damage+detector",
            ["impacts v3 Running", "winter v1 Failed", "impacts v1 Done", "impacts v2 Queued"],
        ),
        ("use_case=nonsense", []),
        ("q=forest+broken", ["winter v1 Failed"]),
        ("sort=dataset", ["impacts v1 Done", "impacts v2 Queued", "impacts v3 Running", "winter v1 Failed"]),
        ("sort=-dataset", ["winter v1 Failed", "impacts v3 Running", "impacts v2 Queued", "impacts v1 Done"]),
        ("sort=score&state=done", ["impacts v1 Done"]),
    ],
)
def test_the_list_is_searched_filtered_and_sorted(read: Read, query: str, found: list[str]) -> None:
    model = stage.add_model(tags=("impacts", "winter"))
    stage.finish(model, stage.add_version(1))
    stage.queue(model, stage.add_version(2))
    stage.run(model, stage.add_version(3))
    stage.fail(model, stage.add_version(1, tag="winter"), now=NOON + timedelta(hours=1))
    rows = read(f"/benchmarks/?{query}").rows()
    assert len(rows) == len(found)
    assert all(words in row for words, row in zip(found, rows, strict=True))


@pytest.mark.parametrize("column", ["model", "dataset", "state", "score", "rows", "finished", "took"])
def test_what_is_not_known_comes_last_in_either_direction(read: Read, column: str) -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1))
    stage.queue(model, stage.add_version(2))
    for direction in ("", "-"):
        rows = read(f"/benchmarks/?sort={direction}{column}").rows()
        assert len(rows) == 2
        if column in {"score", "finished", "took"}:
            assert "Queued" in rows[1]


def test_the_list_s_queries_do_not_grow(queries_of: Count, fill: Callable[[int], None]) -> None:
    fill(2)
    few = queries_of("/benchmarks/?sort=score&tag=impacts")
    fill(6)
    assert queries_of("/benchmarks/?sort=score&tag=impacts") == few


def test_a_result_is_said_in_words_first(read: Read) -> None:
    model, rival = stage.add_model(), stage.add_model("Linear-1.0.0-2")
    first, second = stage.add_version(1), stage.add_version(2)
    alone = stage.finish(model, first, result(f1=0.8))
    assert "F1 is 0.800. No other model for damage detector has a result on this version yet." in (
        read(f"/benchmarks/{alone}/").text
    )
    later = stage.finish(model, second, result(f1=0.75))
    stage.finish(rival, second, result(f1=0.9))
    assert "F1 is 0.750, 0.050 lower than on v1. That is the 2nd best of the 2 models for damage detector" in (
        read(f"/benchmarks/{later}/").text
    )


def test_models_with_the_same_score_share_a_place(read: Read) -> None:
    version = stage.add_version()
    benchmark = stage.finish(stage.add_model(), version)
    stage.finish(stage.add_model("Linear-1.0.0-2"), version)
    assert "the best of the 2 models for damage detector on this version, shared with others." in (
        read(f"/benchmarks/{benchmark}/").text
    )


def test_a_primary_metric_without_a_value_says_why(read: Read) -> None:
    benchmark = stage.finish(stage.add_model(), stage.add_version(), result(f1=None))
    text = read(f"/benchmarks/{benchmark}/").text
    assert "F1 has no value here. no damage seen" in text
    assert "F1 primary - no damage seen" in text


def test_the_head_says_what_was_measured_on_what(read: Read) -> None:
    window = {"start": NOON - timedelta(days=9), "end": NOON}
    model = stage.add_model(data_window=window)
    benchmark = stage.finish(model, stage.add_version())
    text = read(f"/benchmarks/{benchmark}/").text
    assert "Forest-1.0.0 on impacts v1 Done Use case damage detector Dataset impacts v1 Test rows 30" in text
    assert "Data window 2026-02-21 to 2026-03-02 Finished 2026-03-02 12:00 UTC Took 2.0 s" in text


def test_each_metric_has_a_card_with_its_change_in_grey(read: Read) -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1), result(f1=0.8))
    benchmark = stage.finish(model, stage.add_version(2), result(f1=0.85))
    shown = read(f"/benchmarks/{benchmark}/")
    assert "F1 primary 0.850 +0.050 since v1" in shown.text
    assert "Accuracy 0.900 ±0.000 since v1" in shown.text
    assert 'class="delta is-idle"' in shown.html
    assert "F1, its last 2 values" in shown.html


def test_a_metric_of_the_author_s_own_has_its_name_for_a_title(read: Read) -> None:
    own = MetricValue(name="cost_of_misses", value=1234.5678, greater_is_better=False)
    benchmark = stage.finish(stage.add_model(), stage.add_version(), result(metrics=(*result().metrics, own)))
    shown = read(f"/benchmarks/{benchmark}/")
    assert "cost_of_misses 1,234.568 first version" in shown.text
    assert 'title="1234.5678"' in shown.html


def test_the_history_has_the_best_rivals_in_the_metric_that_was_chosen(read: Read) -> None:
    version = stage.add_version()
    benchmark = stage.finish(stage.add_model(), version)
    for number in range(6):
        stage.finish(stage.add_model(f"Rival-1.0.{number}-2"), version, result(f1=0.5 + number / 100))
    stage.finish(stage.add_model("Other-1.0.0-2", use_case="scratch finder"), version, result(f1=0.99))
    history = chart(read(f"/benchmarks/{benchmark}/").html, "history")
    assert history["metric"] == "F1"
    assert [(line["name"], line["main"]) for line in history["series"]] == [
        ("Forest-1.0.0", True),
        *((f"Rival-1.0.{number}", False) for number in (2, 3, 4, 5)),
    ]
    assert chart(read(f"/benchmarks/{benchmark}/?metric=accuracy").html, "history")["metric"] == "Accuracy"
    assert chart(read(f"/benchmarks/{benchmark}/?metric=nonsense").html, "history")["metric"] == "F1"


def test_a_classification_has_a_confusion_matrix(read: Read) -> None:
    benchmark = stage.finish(stage.add_model(), stage.add_version())
    rows = read(f"/benchmarks/{benchmark}/").rows()
    (intact,) = (row for row in rows if row.startswith("intact 17"))
    assert intact.split() == ["intact", "17", "94.4", "%", "1", "5.6", "%"]


def test_a_regression_has_predicted_against_true_values(read: Read) -> None:
    model = stage.add_model(
        task="regression", classes=(), metrics=("r2", "max_error"), primary_metric="r2", target="cost"
    )
    values = (MetricValue(name="r2", value=0.8, greater_is_better=True),)
    residuals = Residuals(truth=(1.0, 2.0), predicted=(1.5, 1.5))
    outcome = result(metrics=values, confusion_matrix=None, residuals=residuals)
    shown = read(f"/benchmarks/{stage.finish(model, stage.add_version(), outcome)}/")
    assert chart(shown.html, "residuals") == {"truth": [1.0, 2.0], "predicted": [1.5, 1.5], "target": "cost"}
    assert "Confusion matrix" not in shown.text


def test_an_explanation_names_the_columns_that_matter_most(read: Read) -> None:
    importances = tuple(
        Importance(feature=f"column {number}", mean_absolute=(1 / (number + 1), 0.0)) for number in range(30)
    )
    explanation = Explanation(
        method="TreeExplainer", output="probability", outputs=("a", "b"), rows=200, importances=importances
    )
    benchmark = stage.finish(stage.add_model(), stage.add_version(), result(explanation=explanation))
    shown = read(f"/benchmarks/{benchmark}/")
    importance = chart(shown.html, "importance")
    assert importance["features"][:2] == ["column 0", "column 1"]
    assert importance["features"][20:] == ["10 other features"]
    assert importance["totals"][:2] == [1, 0.5]
    assert importance["axis"] == "Mean absolute effect on the probability, summed over classes"
    assert "Over 200 events, by TreeExplainer." in shown.text
    assert "Bar chart: column 0 1, column 1 0.500, column 2 0.333 and 27 smaller features" in shown.html


def test_an_explanation_that_is_not_possible_says_why(read: Read) -> None:
    benchmark = stage.finish(stage.add_model(), stage.add_version())
    assert "No explanation possible no explainer for this model" in read(f"/benchmarks/{benchmark}/").text


def test_costs_are_compared_with_the_version_before(read: Read) -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1))
    costs = result().costs.model_copy(update={"cpu_seconds": 1.0, "peak_memory_bytes": 150 << 20})
    text = read(f"/benchmarks/{stage.finish(model, stage.add_version(2), result(costs=costs))}/").text
    assert "Per event, in bulk 0.3 ms ±0.0 ms" in text
    assert "CPU time 1.0 s -500 ms" in text
    assert "Peak memory 150 MiB +50.0 MiB" in text


def test_latency_of_single_events_stands_apart_from_that_in_bulk(read: Read) -> None:
    model = stage.add_model()
    latency = {"latency_p50_seconds": 0.004, "latency_p95_seconds": 0.007, "latency_rows": 200}
    measured = result(costs=result().costs.model_copy(update=latency))
    stage.finish(model, stage.add_version(1), measured)
    faster = {**latency, "latency_p95_seconds": 0.005}
    pk = stage.finish(model, stage.add_version(2), result(costs=result().costs.model_copy(update=faster)), now=NOON)
    text = read(f"/benchmarks/{pk}/").text
    assert "Costs Latency is of one event at a time, over 200 events." in text
    assert "Latency p50 4.0 ms ±0.0 ms Latency p95 5.0 ms -2.0 ms Per event, in bulk 0.3 ms" in text


def test_latency_that_nobody_measured_is_not_known(read: Read) -> None:
    text = read(f"/benchmarks/{stage.finish(stage.add_model(), stage.add_version())}/").text
    assert "Latency p50 - - Latency p95 - -" in text
    assert "one event at a time" not in text


def test_hyperparameters_provenance_and_output_are_shown(read: Read) -> None:
    model = stage.add_model()
    groups = (HyperparameterGroup(step="model", estimator="SVC", values={"C": "1.0"}),)
    other = stage.finish(model, stage.add_version(1))
    text = read(f"/benchmarks/{stage.finish(model, stage.add_version(2), result(hyperparameters=groups))}/").text
    assert "model SVC C 1.0" in text
    assert "Machine bench Python 3.11.7 Atlas 0.1.0 Libraries numpy 2.4.6" in text
    assert text.endswith("What the model's code printed. hello")
    assert "Other benchmarks of this model All about this model" in text
    assert f'href="/benchmarks/{other}/"' in read(f"/benchmarks/{other + 1}/").html


def test_a_failure_says_its_class_its_reason_and_what_was_printed(read: Read) -> None:
    shown = read(f"/benchmarks/{stage.fail(stage.add_model(), stage.add_version(), 'The file is damaged.')}/")
    assert "Load error. The file is damaged." in shown.text
    assert "last words" in shown.text
    assert "data-live" not in shown.html


def test_a_benchmark_that_cannot_run_says_why(read: Read) -> None:
    benchmark = stage.queue(stage.add_model(), stage.add_version(), incompatible="The column rms is missing.")
    shown = read(f"/benchmarks/{benchmark}/")
    assert "This model cannot run on this dataset. The column rms is missing." in shown.text
    assert "data-live" not in shown.html


def test_a_benchmark_that_waits_or_runs_asks_for_itself_again(read: Read) -> None:
    model = stage.add_model()
    waiting = read(f"/benchmarks/{stage.queue(model, stage.add_version(1))}/")
    assert "Waiting since 2026-03-02 12:00 UTC." in waiting.text
    assert 'hx-trigger="every 5s"' in waiting.html
    running = read(f"/benchmarks/{stage.run(model, stage.add_version(2)).benchmark}/")
    assert "Running since 2026-03-02 12:00 UTC." in running.text
    assert 'hx-trigger="every 2s"' in running.html


def test_a_benchmark_that_runs_says_what_it_does_and_how_far_it_is(read: Read) -> None:
    claim = stage.run(stage.add_model(), stage.add_version(), now=timezone.now() - timedelta(seconds=40))
    address = f"/benchmarks/{claim.benchmark}/"
    assert "Starting. Running since" in read(address).text
    records.report_progress({claim: Progress(phase=Phase.PREDICTING, done=40_000, total=100_000)})
    shown = read(address)
    assert "Predicting: 40,000 of 100,000 rows are done." in shown.text
    assert '<progress class="bar my-2" max="100000" value="40000" aria-label="Rows predicted">' in shown.html
    assert "About 1 min until all rows are predicted; what follows is not known." in shown.text


def test_lists_say_what_a_running_benchmark_does(read: Read) -> None:
    claim = stage.run(stage.add_model(), stage.add_version())
    records.report_progress({claim: Progress(phase=Phase.PREDICTING, done=40_000, total=100_000)})
    for address in ("/", "/benchmarks/", "/datasets/impacts/", "/models/1/"):
        shown = read(address.replace("1", str(Benchmark.objects.get().model_id)))
        assert "Predicting 40 %" in shown.text
        assert 'title="Predicting: 40,000 of 100,000 rows are done."' in shown.html


def test_a_benchmark_that_waits_says_that_the_queue_is_paused(read: Read) -> None:
    waiting = stage.queue(stage.add_model(), stage.add_version())
    records.pause(by="jan", reason="the disk is full", now=NOON)
    text = read(f"/benchmarks/{waiting}/").text
    assert "The queue is paused since 2026-03-02 12:00 UTC by jan: the disk is full" in text


def test_a_benchmark_that_is_tried_again_says_what_went_wrong_before(read: Read) -> None:
    claim = stage.run(stage.add_model(), stage.add_version())
    records.fail(claim, Failure(failure_class=FailureClass.LOST_WORKER, reason="The worker is gone."), now=NOON)
    text = read(f"/benchmarks/{claim.benchmark}/").text
    assert "The last try failed: The worker is gone. It is tried again after 2026-03-02 12:00 UTC." in text


def test_the_page_s_queries_do_not_grow(queries_of: Count) -> None:
    model, version = stage.add_model(), stage.add_version(9)
    stage.finish(model, stage.add_version(8))
    stage.finish(stage.add_model("Rival-1.0.0-1"), version)
    benchmark = stage.finish(model, version)
    few = queries_of(f"/benchmarks/{benchmark}/")
    for number in range(1, 8):
        stage.finish(model, stage.add_version(number))
        stage.finish(stage.add_model(f"Forest-2.0.{number}-1"), version)
    assert queries_of(f"/benchmarks/{benchmark}/") == few
    assert few <= 15


def test_a_benchmark_that_waits_is_cancelled_by_a_button(writer: Client, read: Read) -> None:
    pk = stage.queue(stage.add_model(), stage.add_version())
    assert "Cancel" in read(f"/benchmarks/{pk}/").text
    writer.post(f"/benchmarks/{pk}/cancel/")
    page = read(f"/benchmarks/{pk}/").text
    assert "Cancelled by" in page
    assert "Run again" in page


def test_a_benchmark_that_is_done_runs_again_by_a_button(writer: Client, read: Read) -> None:
    pk = stage.finish(stage.add_model(), stage.add_version())
    assert "Run again" in read(f"/benchmarks/{pk}/").text
    writer.post(f"/benchmarks/{pk}/again/")
    assert "Waiting since" in read(f"/benchmarks/{pk}/").text
    writer.post(f"/benchmarks/{pk}/again/")
    assert "It has not ended yet" in read(f"/benchmarks/{pk}/").text
    assert "Queued again by" in read("/logs/").text


def test_what_may_have_changed_the_result_is_a_warning(read: Read) -> None:
    found = result(warnings=("scikit-learn is 1.9.1 here; the model was made with 1.8.0.",))
    pk = stage.finish(stage.add_model(), stage.add_version(), found)
    assert "the model was made with 1.8.0." in read(f"/benchmarks/{pk}/").text


def told(value: float, low: float, high: float, *, greater_is_better: bool = True) -> BenchmarkResult:
    """A result whose F1 has an interval, and whose two classes have this F1 and one that is worse by 0.2."""
    metric = MetricValue(name="f1", value=value, low=low, high=high, greater_is_better=greater_is_better)
    sure, worse = Estimate(value=value, low=low, high=high), Estimate(value=value - 0.2, low=low - 0.2, high=high - 0.2)
    classes = (
        ClassMetrics(label="intact", rows=20, precision=sure, recall=sure, f1=sure),
        ClassMetrics(label="damaged", rows=10, precision=Estimate(), recall=worse, f1=worse),
    )
    return result(metrics=(metric,), class_metrics=classes)


@pytest.mark.parametrize(("greater_is_better", "tone"), [(True, "bad"), (False, "ok")])
def test_a_change_is_in_colour_once_it_was_found_to_be_more_than_noise(
    read: Read, greater_is_better: bool, tone: str
) -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1), told(0.9, 0.88, 0.92, greater_is_better=greater_is_better))
    later = told(0.8, 0.78, 0.82, greater_is_better=greater_is_better)
    benchmark = stage.finish(model, stage.add_version(2), later)
    page = read(f"/benchmarks/{benchmark}/")
    assert "F1 is 0.800, 0.100 lower than on v1. " in page.text
    compare()
    page = read(f"/benchmarks/{benchmark}/")
    assert "F1 is 0.800, 0.100 lower than on v1: more than noise." in page.text
    assert "[0.780, 0.820]" in page.text
    assert f"delta is-{tone}" in page.html
    assert f"delta is-{tone}" in read("/benchmarks/").html
    assert f"delta is-{tone}" in read("/").html


def test_a_change_within_noise_is_grey_and_says_so(read: Read) -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1), told(0.9, 0.85, 0.95))
    benchmark = stage.finish(model, stage.add_version(2), told(0.8, 0.75, 0.86))
    compare()
    page = read(f"/benchmarks/{benchmark}/")
    assert "F1 is 0.800, 0.100 lower than on v1: within noise." in page.text
    assert "delta is-bad" not in page.html


def test_a_slow_decay_and_a_lasting_change_are_told_beside_the_best(read: Read) -> None:
    model = stage.add_model()
    values = (0.9, 0.9, 0.9, 0.9, 0.87, 0.87, 0.87, 0.87)
    for number, value in enumerate(values, start=1):
        benchmark = stage.finish(model, stage.add_version(number), told(value, value - 0.008, value + 0.008))
    compare()
    page = read(f"/benchmarks/{benchmark}/")
    assert "F1 is 0.870, the same as on v7." in page.text
    assert "That is 0.030 lower than at its best, on v4: more than noise." in page.text
    assert "A lasting change for the worse began with v5: -0.030 [" in page.text


def test_lists_show_the_interval_beside_the_score(read: Read) -> None:
    stage.finish(stage.add_model(), stage.add_version(), told(0.9, 0.85, 0.95))
    for address in ("/benchmarks/", "/models/", "/datasets/impacts/"):
        assert "0.900 [0.850, 0.950]" in " ".join(read(address).text.split())


def test_the_history_has_the_interval_of_each_value(read: Read) -> None:
    page = read(f"/benchmarks/{stage.finish(stage.add_model(), stage.add_version(), told(0.9, 0.85, 0.95))}/")
    (line,) = chart(page.html, "history")["series"]
    assert (line["low"], line["high"]) == ([0.85], [0.95])


def test_each_class_has_its_values_the_worst_first(read: Read) -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1), told(0.9, 0.88, 0.92))
    page = read(f"/benchmarks/{stage.finish(model, stage.add_version(2), told(0.8, 0.78, 0.82))}/")
    card = " ".join(page.text[page.text.index("Per class") : page.text.index("Costs")].split())
    worst, best = card.index("damaged 0.600 [0.580, 0.620]"), card.index("intact 0.800 [0.780, 0.820]")
    assert worst < best
    assert "-0.100 worse - 0.600 10" in card


def test_of_many_classes_the_worst_are_shown(read: Read) -> None:
    sure = Estimate(value=0.5, low=0.4, high=0.6)
    classes = tuple(ClassMetrics(label=f"class-{n}", rows=1, precision=sure, recall=sure, f1=sure) for n in range(30))
    page = read(f"/benchmarks/{stage.finish(stage.add_model(), stage.add_version(), result(class_metrics=classes))}/")
    assert "The 20 worst of 30." in page.text
    assert "class-19" in page.text
    assert "class-20" not in page.text


def test_a_result_without_classes_has_no_card_for_them(read: Read) -> None:
    assert "Per class" not in read(f"/benchmarks/{stage.finish(stage.add_model(), stage.add_version())}/").text


def test_a_long_output_shows_its_start_and_its_end_and_folds_the_rest(read: Read) -> None:
    output = "\n".join(f"line {number}" for number in range(1_000))
    shown = read(f"/benchmarks/{stage.finish(stage.add_model(), stage.add_version(), result(output=output))}/")
    assert "<summary" in shown.html
    assert "940 lines between" in shown.text
    assert 'data-copy="output-text"' in shown.html
    assert shown.text.endswith("line 999")
