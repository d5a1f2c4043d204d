"""Why did it drop: a result beside an earlier one of its model."""

import io
from typing import Any

import pyarrow as pa
import pytest
from django.utils import timezone
from django.utils.html import escape
from pyarrow import parquet

from atlas.results import BenchmarkResult, ClassMetrics, Estimate, Explanation, MetricValue, Residuals
from storage.models import RegressionCheck, VersionDrift
from tests import alerts, stage
from tests.atlas_web.conftest import Count, Read, Shown
from tests.comparing import delete, put
from tests.dropping import dropped
from tests.samples import result

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

FALL = "Accuracy fell from 0.907 on v1 to 0.816 on v2, more than noise."
CAR = "73 % of the fall comes from car B (Accuracy 0.691), which now has 49 % of the events instead of 10 %."
COLUMN = "gas.temperature has moved by 0.32 since v1, and has 39 % of the effects on the predictions."


def why(read: Read, benchmark: int, query: str = "") -> Shown:
    return read(f"/benchmarks/{benchmark}/why/{query}")


def card(shown: Shown, name: str) -> str:
    """The words of a card."""
    html = shown.html.partition(f'id="{name}"')[2].partition("</section>")[0]
    return Shown(200, html).text.removeprefix("> ")


def test_the_most_likely_reason_is_on_the_first_screen(read: Read) -> None:
    shown = why(read, dropped().now)
    verdict = Shown(200, shown.html.partition('class="verdict is-bad"')[2].partition("<section")[0]).text
    assert f"{FALL} {CAR} {COLUMN}" in verdict
    assert 'href="#slices"' in shown.html
    assert "Change -0.091 worse [-0.108, -0.072] more than noise Events of both 600 unchanged since v1" in shown.text


def test_each_card_says_its_finding_first(read: Read) -> None:
    shown = why(read, dropped().now)
    assert CAR in card(shown, "slices")
    assert "car B 0.695 [0.569, 0.797] 0.691 [0.653, 0.727] -0.004" in card(shown, "slices")
    assert "None of the classes explains more of the fall than its share of the events." in card(shown, "classes")
    assert COLUMN in card(shown, "columns")
    assert "damaged is taken for intact more often: 20.8 % of it instead of 9.2 %." in card(shown, "confusion")
    assert "shock.peak matters less than before, by more than noise" in card(shown, "importances")
    assert "gas.temperature 2 0.1200 0.1200 ±0" in card(shown, "importances")


def test_columns_lead_to_their_distributions(read: Read) -> None:
    found = dropped()
    shown = why(read, found.now)
    column = "column=column%3Agas.temperature"
    for href in (
        f"/datasets/impacts/drift/?since=previous&version=2&{column}",
        f"/models/{found.model}/drift/?tag=impacts&version=2&{column}",
    ):
        assert f'href="{escape(href)}"' in shown.html
        assert "gas.temperature" in card(read(href), "column")


def test_events_are_compared_one_by_one_once_somebody_looks(read: Read) -> None:
    found = dropped()
    shown = why(read, found.now)
    assert f"/benchmarks/{found.now}/why/events/?metric=accuracy&amp;against={found.before}" in shown.html
    part = read(f"/benchmarks/{found.now}/why/events/?metric=accuracy&against={found.before}")
    said = "The events of v1 are answered as before: what changed comes from 600 new events."
    assert said in part.text
    assert part.rows()[0] == "2026-00608 intact damaged 94.9 %"
    assert said in why(read, found.now, "?wait=1").text


def test_the_same_number_of_queries_whatever_there_is(queries_of: Count) -> None:
    found = dropped()
    bare = stage.finish(stage.add_model("Linear-1.0.0-2"), stage.add_version(1))
    assert queries_of(f"/benchmarks/{found.now}/why/?wait=1") <= queries_of(f"/benchmarks/{bare}/why/") + 2


def test_until_the_engine_has_compared_both_intervals_tell(read: Read) -> None:
    shown = why(read, dropped(checked=False).now)
    assert FALL in shown.text
    assert "The engine has not compared these results yet" in shown.text
    assert "Events of both - not counted" in shown.text


def test_what_is_not_stored_is_said_not_to_be(read: Read) -> None:
    shown = why(read, dropped(drifted=False, explained=False, kept=False).now, "?wait=1")
    assert shown.status == 200
    assert "It is not known whether the data moved." in card(shown, "columns")
    assert "The engine has not measured this yet." in card(shown, "columns")
    assert "No explainer knows this model." in card(shown, "importances")
    assert "The predictions on v2 were not kept" in card(shown, "events")


def test_predictions_that_are_gone_leave_the_rest_of_the_page(read: Read) -> None:
    found = dropped()
    delete("predictions/dropped-1.parquet")
    shown = why(read, found.now, "?wait=1")
    assert FALL in shown.text
    assert "The file is no longer in the object store." in card(shown, "events")


def test_the_first_version_has_nothing_to_compare_with_but_its_training_data(read: Read) -> None:
    shown = why(read, dropped().before)
    assert "Accuracy is 0.907, on the first version with a result of this model." in shown.text
    assert "0 of 4 columns moved; 600 rows before, 600 now." in card(shown, "columns")
    assert 'id="slices"' not in shown.html
    assert 'id="events"' not in shown.html


def test_another_metric_and_another_version_are_compared_as_asked_for(read: Read) -> None:
    found = dropped()
    third = stage.finish(found.model, stage.add_version(3), result(metrics=(value("f1", 0.7), value("accuracy", 0.9))))
    shown = why(read, third, f"?metric=f1&against={found.before}")
    assert f"F1 fell from {f1_of(read, found.before)} on v1 to 0.700 on v3, more than noise." in shown.text
    assert "nothing is known of how the data moved" not in shown.text
    assert "The engine has not measured this yet." in card(shown, "columns")


def f1_of(read: Read, benchmark: int) -> str:
    return why(read, benchmark, "?metric=f1").text.partition("F1 is ")[2].partition(",")[0]


def test_what_lies_between_versions_that_nobody_compares_is_not_known(read: Read) -> None:
    found = dropped()
    version = stage.add_version(3)
    third = stage.finish(found.model, version, result(metrics=(value("accuracy", 0.7),)))
    VersionDrift.objects.create(version_id=version, problem="", made=timezone.now())
    shown = why(read, third, f"?against={found.before}")
    assert "nothing is known of how the data moved between v1 and v3." in card(shown, "columns")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?metric=recall", "This result has no value of recall; Accuracy is shown."),
        ("?against=77777", "77777 is no earlier result of this model on these data; v1 is compared with."),
    ],
)
def test_what_cannot_be_shown_is_said_and_something_else_is(read: Read, query: str, said: str) -> None:
    shown = why(read, dropped().now, query)
    assert said in shown.text
    assert FALL in shown.text


def test_a_benchmark_without_a_result_says_so(read: Read) -> None:
    failed = stage.fail(stage.add_model(), stage.add_version())
    assert "This benchmark has no result that could be compared" in why(read, failed).text
    assert read(f"/benchmarks/{failed}/why/events/").status == 404
    assert read("/benchmarks/77777/why/").status == 404


def test_a_result_without_a_value_says_so(read: Read) -> None:
    empty = value("f1", None)
    benchmark = stage.finish(stage.add_model(), stage.add_version(), result(metrics=(empty,)))
    assert "None of its metrics has a value" in why(read, benchmark).text


# Other tasks --------------------------------------------------------------------------------------------------------


def value(name: str, number: float | None, *, greater: bool = True, half: float = 0.01) -> MetricValue:
    ends: dict[str, Any] = {} if number is None else {"low": number - half, "high": number + half}
    return MetricValue(name=name, value=number, greater_is_better=greater, reason="" if ends else "No hit.", **ends)


def both(model: int, *outcomes: BenchmarkResult) -> int:
    """The key of the last of these results, on one version each."""
    return [stage.finish(model, stage.add_version(number), each) for number, each in enumerate(outcomes, start=1)][-1]


def keep(key: str, **columns: Any) -> str:
    stream = io.BytesIO()
    parquet.write_table(pa.table(columns), stream)
    put(key, stream.getvalue())
    return key


def numbers(error: float, predicted: list[float]) -> BenchmarkResult:
    truth = [10.0, 20.0, 30.0]
    key = keep(f"predictions/numbers-{error}.parquet", id=["a", "b", "c"], truth=truth, prediction=predicted)
    return result(
        metrics=(value("mean_absolute_error", error, greater=False),),
        confusion_matrix=None,
        residuals=Residuals(truth=tuple(truth), predicted=tuple(predicted)),
        predictions_key=key,
    )


def test_a_regression_shows_residuals_and_what_is_farther_off(read: Read) -> None:
    kept: dict[str, Any] = {"metrics": ("mean_absolute_error",), "primary_metric": "mean_absolute_error"}
    model = stage.add_model(task="regression", classes=(), target="speed", **kept)
    benchmark = both(model, numbers(1.0, [11.0, 21.0, 31.0]), numbers(3.0, [12.0, 22.0, 35.0]))
    shown = why(read, benchmark, "?wait=1")
    assert "Mean absolute error rose from 1.000 on v1 to 3.000 on v2, more than noise." in shown.text
    bias = "Predictions are too high by 1 on v1 and too high by 3 on v2"
    assert bias in card(shown, "residuals")
    assert shown.text.count(bias) == 2
    assert "3 events of v1 are farther from the truth than before, 0 the other way" in card(shown, "events")
    assert "c 30 35 5" in card(shown, "events")


def label(name: str, recall: float) -> ClassMetrics:
    sure = Estimate(value=recall, low=recall - 0.02, high=recall + 0.02)
    return ClassMetrics(label=name, rows=100, precision=Estimate(value=0.9, low=0.88, high=0.92), recall=sure, f1=sure)


def labelled(jaccard: float, recall: float, predicted: list[int]) -> BenchmarkResult:
    key = keep(
        f"predictions/labels-{jaccard}.parquet",
        **{"id": ["a", "b"], "truth": [["crack"], ["rust"]], "prediction crack": predicted, "prediction rust": [0, 1]},
    )
    return result(
        metrics=(value("jaccard_samples", jaccard),),
        class_metrics=(label("crack", recall), label("rust", 0.9)),
        confusion_matrix=None,
        predictions_key=key,
    )


def test_a_multilabel_model_shows_its_labels_one_by_one(read: Read) -> None:
    kept: dict[str, Any] = {"metrics": ("jaccard_samples",), "primary_metric": "jaccard_samples"}
    model = stage.add_model(task="multilabel", classes=("crack", "rust"), **kept)
    benchmark = both(model, labelled(0.9, 0.9, [1, 0]), labelled(0.8, 0.7, [0, 0]))
    shown = why(read, benchmark, "?wait=1")
    assert "crack: recall fell from 0.900 to 0.700, more than noise." in card(shown, "labels")
    assert "1 event of v1 became wrong" in card(shown, "events")
    assert "a crack none" in card(shown, "events")
    assert "Confidence" not in card(shown, "events")


def test_a_metric_of_the_author_s_own_keeps_its_name_in_addresses(read: Read) -> None:
    one, other = (result(metrics=(value("cost & risk", number),)) for number in (0.9, 0.8))
    assert "?metric=cost+%26+risk&amp;against=" in why(read, both(stage.add_model(), one, other)).html


def test_explanations_in_different_units_are_not_compared(read: Read) -> None:
    one, other = (
        result(explanation=Explanation(output=output, outputs=("damaged",))) for output in ("probability", "margin")
    )
    shown = why(read, both(stage.add_model(), one, other))
    assert "Both were explained in different units" in card(shown, "importances")


# Ways to the page ---------------------------------------------------------------------------------------------------


def test_home_and_the_benchmark_lead_to_the_reason(read: Read) -> None:
    found = dropped()
    alerts.add_rule()
    alerts.look()
    assert f'href="/benchmarks/{found.now}/why/?metric=accuracy"' in read("/").html
    page = read(f"/benchmarks/{found.now}/")
    assert "Why did it drop?" in page.text
    assert f'href="/benchmarks/{found.now}/why/"' in page.html


def test_a_result_that_is_no_worse_as_far_as_is_known_asks_for_no_reason(read: Read) -> None:
    found = dropped()
    assert "Why did it drop?" not in read(f"/benchmarks/{found.before}/").text
    RegressionCheck.objects.all().delete()
    page = read(f"/benchmarks/{found.now}/")
    assert "Why did it drop?" not in page.text
    assert "Beside earlier versions" in page.text
