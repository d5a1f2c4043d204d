"""The list of datasets, and the page of one."""

from collections.abc import Callable
from typing import Any

import pytest

from atlas.datasets import ColumnStatistics, Histogram, Lengths, Split, SplitFile, Statistics
from atlas.results import MetricValue
from atlas.vocabulary import ColumnSchema
from atlas_web.pages import datasets
from storage import records
from tests import stage
from tests.atlas_web.conftest import Count, Read
from tests.samples import NO_DIGEST, NOON, description, result

pytestmark = pytest.mark.django_db

PEAK = ColumnStatistics(
    name="peak",
    dtype="double",
    missing=3,
    minimum=-0.5,
    maximum=12345.678,
    mean=1.23456,
    standard_deviation=0.00012,
    histogram=Histogram(edges=(0.0, 1.0, 2.0), counts=(5, 1)),
)
DOOR = ColumnStatistics(name="door", dtype="string", missing=0, values={"open": 70, "shut": 30})


def statistics(rows: int = 100, labels: dict[str, int] | None = None, **changes: Any) -> Statistics:
    labels = labels or {"intact": 60, "damaged": 40}
    return Statistics(**({"rows": rows, "labels": labels, "cars": {}, "environments": {}, "columns": ()} | changes))


def test_the_list_shows_the_newest_version_of_each_dataset(read: Read) -> None:
    stage.add_model(tags=("impacts", "winter"))
    stage.add_model("Linear-1.0.0-2")
    stage.add_version(1)
    stage.add_version(2, rows=1284)
    records.record_tag("impacts", query="label is not missing", checked=NOON)
    impacts, winter = read("/datasets/").rows()
    assert impacts == "impacts label is not missing v2 impacts-v2 1,284 2 2 04 Mar 12:00"
    assert winter == "winter - - - 0 1 -"


def test_a_dataset_that_gets_no_answer_says_so_in_the_list_and_on_its_page(read: Read) -> None:
    stage.add_model()
    records.record_tag_problem("impacts", "There is no such tag.")
    assert read("/datasets/").rows()[0].startswith("impacts No answer There is no such tag.")
    text = read("/datasets/impacts/").text
    assert "The ingestion engine gives no answer for this dataset. There is no such tag." in text
    assert "No version yet" in text


@pytest.mark.parametrize("column", ["name", "version", "query_id", "rows", "versions", "models", "updated"])
def test_the_list_is_searched_and_sorted(read: Read, column: str) -> None:
    stage.add_model(tags=("impacts", "winter"))
    stage.add_version()
    assert len(read("/datasets/?q=WINT").rows()) == 1
    for direction in ("", "-"):
        rows = read(f"/datasets/?sort={direction}{column}").rows()
        assert len(rows) == 2
        if column in {"version", "query_id", "rows", "updated"}:
            assert rows[1].startswith("winter")


def test_the_list_s_queries_do_not_grow(queries_of: Count) -> None:
    stage.add_model()
    few = queries_of("/datasets/")
    for number in range(9):
        stage.add_model(f"Forest-1.0.{number}-1", tags=(f"tag-{number}",))
        stage.add_version(1, tag=f"tag-{number}")
    assert queries_of("/datasets/") == few


def test_the_page_shows_the_newest_version_or_the_one_that_is_asked_for(read: Read) -> None:
    stage.add_version(1, rows=100)
    stage.add_version(2, rows=90)
    shown = read("/datasets/impacts/")
    assert "impacts Version v2 Query id impacts-v2 Rows 90 Test rows 30 (33.3 %) Columns 4 Target label" in shown.text
    assert "v1 03 Mar 2026 first version v2 04 Mar 2026 -10 rows" in shown.text
    assert '<li aria-current="true"><a href="?version=2">' in shown.html
    assert "impacts Version v1 Query id impacts-v1 Rows 100" in read("/datasets/impacts/?version=1").text


@pytest.mark.parametrize("version", ["-1", "1.5", "x", "٣", "99"])
def test_a_version_that_there_is_not_is_not_found(read: Read, version: str) -> None:
    stage.add_version(3)
    assert read(f"/datasets/impacts/?version={version}").status == 404


def test_labels_cars_and_environments_are_shares_with_their_change(read: Read) -> None:
    cars = {f"car {number}": 1 for number in range(15)}
    stage.add_version(1, statistics=statistics(labels={"intact": 60, "damaged": 40}))
    stage.add_version(2, rows=200, statistics=statistics(200, {"intact": 100, "damaged": 60, "dent": 40}, cars=cars))
    text = read("/datasets/impacts/").text
    assert "intact 50.0 % -10.0 100" in text
    assert "dent 20.0 % +20.0 40" in text
    assert "Cars shares of v2, change in points" in text
    assert "and 3 more" in text
    assert "Environments" not in text
    assert "intact 60.0 % 60" in read("/datasets/impacts/?version=1").text


def test_events_with_damage_are_shown_beside_those_without_if_the_engine_tells_them_apart(read: Read) -> None:
    stage.add_version(1)
    stage.add_version(2, statistics=statistics(damage={"damage": 40, "no damage": 60}))
    stage.add_version(3, statistics=statistics(damage={"damage": 50, "no damage": 50}))
    text = read("/datasets/impacts/").text
    assert "Damage shares of v3, change in points" in text
    assert "damage 50.0 % +10.0 50" in text
    assert "no damage 50.0 % -10.0 50" in text
    assert "damage 40.0 % - 40" in read("/datasets/impacts/?version=2").text
    assert "Damage shares" not in read("/datasets/impacts/?version=1").text


def test_a_signal_column_shows_how_long_its_signals_are(read: Read) -> None:
    lengths = Lengths(minimum=900, mean=1050.0, maximum=1200)
    sound = ColumnStatistics(name="sound", dtype="list<item: float>", missing=2, lengths=lengths)
    columns = (*description().columns, ColumnSchema(name="sound", dtype="list<item: float>"))
    stage.add_version(1, columns=columns, statistics=statistics(columns=(sound,)))
    text = read("/datasets/impacts/").text
    assert "sound list<item: float> 900 to 1,200 samples, 1,050 on average - - - - 2" in text
    assert "without a summary" not in text


def test_each_column_has_a_summary(read: Read) -> None:
    columns = (*description().columns, ColumnSchema(name="shock", dtype="list<item: float>"))
    stage.add_version(1, columns=columns, statistics=statistics(columns=(PEAK, DOOR)))
    shown = read("/datasets/impacts/")
    assert "peak double 1.235 0.0001200 -0.5000 12,346 3" in shown.text
    assert "door string 2 values - - - - 0" in shown.text
    assert "1 signal column without a summary: shock" in shown.text
    assert "Distribution of peak" in shown.html


def test_the_page_says_what_the_version_changed(read: Read) -> None:
    stage.add_version(1)
    types = {"id": "string", "label": "int64", "peak": "double", "decay": "double"}
    columns = tuple(ColumnSchema(name=name, dtype=dtype) for name, dtype in types.items())
    stage.add_version(2, rows=150, columns=columns, statistics=statistics(150, {"intact": 90, "dent": 60}))
    text = read("/datasets/impacts/").text
    assert "What v2 changed since v1 Rows +50 Test rows ±0" in text
    assert "added decay removed rms other type label (string to int64)" in text
    assert "New labels dent Labels gone damaged" in text
    assert "There is nothing to compare it with." in read("/datasets/impacts/?version=1").text


def test_a_version_with_the_same_columns_has_the_same_schema() -> None:
    small = SplitFile(rows=10, size_bytes=1, sha256=NO_DIGEST)
    later = description(2, rows=80, splits={Split.EVALUATION: small, Split.TRAINING: small})
    found = datasets.difference(description(1), later)
    assert (found.rows, found.evaluation_rows, found.same_schema) == (-20, -20, True)


def test_the_page_lists_the_benchmarks_on_the_version(read: Read) -> None:
    model = stage.add_model()
    stage.finish(model, stage.add_version(1))
    stage.queue(model, stage.add_version(2))
    assert "Forest-1.0.0 -1 damage detector, F1 - - Queued -" in read("/datasets/impacts/").rows()
    assert any("F1 0.800 - Done" in row for row in read("/datasets/impacts/?version=1").rows())


def test_the_page_s_queries_do_not_grow(queries_of: Count, fill: Callable[[int], None]) -> None:
    fill(2)
    few = queries_of("/datasets/impacts/")
    fill(5)
    for number in range(4, 9):
        stage.add_version(number)
    assert queries_of("/datasets/impacts/") == few


def test_the_best_models_of_a_use_case_stand_first_and_are_marked(read: Read) -> None:
    version = stage.add_version()
    for number, f1 in enumerate((0.7, 0.9, 0.9)):
        stage.finish(stage.add_model(f"Forest-1.0.{number}-1"), version, result(f1=f1))
    stage.queue(stage.add_model("Linear-1.0.0-1"), version)
    rows = read("/datasets/impacts/").rows()[-4:]
    assert [row.split(" ")[0] for row in rows] == ["Forest-1.0.1", "Forest-1.0.2", "Forest-1.0.0", "Linear-1.0.0"]
    assert ["Best" in row for row in rows] == [True, True, False, False]


def test_of_errors_the_smallest_is_the_best(read: Read) -> None:
    version = stage.add_version()
    kept: dict[str, Any] = {"task": "regression", "classes": (), "target": "speed"}
    for number, error in enumerate((0.7, 0.5)):
        value = MetricValue(name="max_error", value=error, greater_is_better=False)
        model = stage.add_model(f"Forest-1.0.{number}-1", metrics=("max_error",), primary_metric="max_error", **kept)
        stage.finish(model, version, result(metrics=(value,)))
    rows = read("/datasets/impacts/").rows()[-2:]
    assert ["Best" in row for row in rows] == [True, False]
    assert rows[0].startswith("Forest-1.0.1")


def test_a_model_without_rivals_is_no_best(read: Read) -> None:
    stage.finish(stage.add_model(), stage.add_version())
    assert "Best" not in read("/datasets/impacts/").rows()[-1]


def test_of_very_many_benchmarks_the_best_are_on_the_page(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.queries._dataset.MOST_BENCHMARKS", 2)
    monkeypatch.setattr("storage.queries.MOST_BENCHMARKS", 2)
    version = stage.add_version()
    for number in range(3):
        stage.finish(stage.add_model(f"Forest-1.0.{number}-1"), version)
    text = read("/datasets/impacts/").text
    assert "Forest-1.0.2" not in text
    assert "There are more: all benchmarks on impacts" in text


def test_the_query_and_its_id_can_be_copied(read: Read) -> None:
    stage.add_version()
    records.record_tag("impacts", query="label is not missing", checked=NOON)
    html = read("/datasets/impacts/").html
    assert 'data-copy="query-id"' in html
    assert 'data-copy="query"' in html


def test_a_car_that_is_gone_stays_in_view(read: Read) -> None:
    stage.add_version(1, statistics=statistics(cars={"A1": 50, "B2": 50}))
    stage.add_version(2, statistics=statistics(cars={"A1": 100}))
    assert "B2 0.0 % -50.0 0" in read("/datasets/impacts/").text


def test_the_share_of_missing_values_is_compared(read: Read) -> None:
    stage.add_version(1, statistics=statistics(columns=(DOOR,)))
    stage.add_version(2, statistics=statistics(columns=(PEAK, DOOR)))
    assert "Missing values 1.5 % from 0.0 %" in read("/datasets/impacts/").text
