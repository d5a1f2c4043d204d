"""What the matrix reads: states, scores, changes, the best, windows and pages."""

from datetime import timedelta
from typing import Any

import pytest

from atlas.ranking import UNKNOWN, Score
from atlas.results import Failure, MetricValue
from atlas.states import CellState, FailureClass
from storage import queries, records
from storage.queries import Matrix, MatrixCell, MatrixFilter
from tests import stage
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db


def scored(f1: float, half: float = 0.01, **changes: Any) -> Any:
    """A result whose F1 has an interval."""
    metric = MetricValue(name="f1", value=f1, low=f1 - half, high=f1 + half, greater_is_better=True)
    return result(metrics=(metric,), **changes)


def cells(found: Matrix, row: int = 0) -> tuple[MatrixCell, ...]:
    return found.rows[row].cells


def states(found: Matrix, row: int = 0) -> list[CellState]:
    return [cell.state for cell in cells(found, row)]


def test_each_cell_has_the_state_of_its_benchmark_and_why() -> None:
    model = stage.add_model()
    versions = [stage.add_version(number) for number in range(1, 8)]
    stage.finish(model, versions[0])
    stage.fail(model, versions[1], "It is broken.")
    stage.queue(model, versions[2], incompatible="The column rms is missing.")
    records.cancel(stage.queue(model, versions[3]), by="ilse", now=NOON)
    stage.run(model, versions[4])
    stage.queue(model, versions[5])
    found = queries.matrix(MatrixFilter())
    assert states(found) == [
        CellState.DONE,
        CellState.FAILED,
        CellState.INCOMPATIBLE,
        CellState.CANCELLED,
        CellState.RUNNING,
        CellState.QUEUED,
        CellState.MISSING,
    ]
    assert [cell.reason for cell in cells(found)[1:4]] == [
        "It is broken.",
        "The column rms is missing.",
        "Cancelled by ilse.",
    ]
    assert cells(found)[1].failure_class == "load error"
    assert cells(found)[-1].benchmark is None


def test_a_version_of_a_tag_that_a_model_does_not_name_is_not_asked_for() -> None:
    stage.add_model()
    stage.add_version(1, tag="winter")
    assert states(queries.matrix(MatrixFilter())) == [CellState.UNASKED]


def test_a_result_is_stale_once_it_is_queued_again_or_the_model_s_file_was_replaced() -> None:
    version = stage.add_version()
    again = stage.add_model("Forest-1.0.0-1")
    records.run_again(stage.finish(again, version, result(f1=0.7)), now=NOON)
    replaced = stage.add_model("Forest-1.0.0-2", arrived=NOON - timedelta(days=1))
    stage.finish(replaced, version)
    records.record_replaced_file(stage.file("Forest-1.0.0-2.atlas"), "the file was replaced after it arrived.")
    found = queries.matrix(MatrixFilter())
    assert [states(found, row) for row in (0, 1)] == [[CellState.STALE], [CellState.STALE]]
    assert cells(found)[0].score.value == 0.7
    assert found.rows[1].replaced == "the file was replaced after it arrived."


def test_what_failed_when_it_ran_again_has_no_score() -> None:
    model, version = stage.add_model(), stage.add_version()
    benchmark = stage.finish(model, version)
    records.run_again(benchmark, now=NOON)
    claim = records.claim(benchmark, engine="one", lease=stage.LEASE, now=NOON)
    assert claim is not None
    records.fail(claim, Failure(failure_class=FailureClass.LOAD_ERROR, reason="x", output=""), now=NOON)
    (cell,) = cells(queries.matrix(MatrixFilter()))
    assert (cell.state, cell.score, cell.is_best) == (CellState.FAILED, UNKNOWN, False)


def test_a_change_is_from_the_nearest_version_before_that_is_done_also_outside_the_window() -> None:
    model = stage.add_model()
    numbers = range(1, queries.WINDOW + 3)
    versions = [stage.add_version(number) for number in numbers]
    stage.finish(model, versions[0], scored(0.9))
    stage.fail(model, versions[1])
    stage.finish(model, versions[2], scored(0.8))
    stage.fail(model, versions[3])
    stage.finish(model, versions[4], scored(0.7))
    shown = cells(queries.matrix(MatrixFilter()))
    assert len(shown) == queries.WINDOW
    assert (shown[0].earlier_number, shown[0].earlier) == (1, Score(0.9, 0.89, 0.91))
    assert (shown[2].earlier_number, shown[2].earlier.value) == (3, 0.8)
    older = queries.matrix(MatrixFilter(), window=2)
    assert [column.number for column in older.columns] == [1, 2]
    assert older.rows[0].cells[0].earlier is UNKNOWN
    assert (older.windows, queries.matrix(MatrixFilter(), window=99).window) == (2, 2)


def test_the_best_of_a_version_is_that_of_all_models_of_the_use_case_not_of_the_page() -> None:
    version = stage.add_version()
    stage.finish(stage.add_model("Best-1.0.0-1", arrived=NOON - timedelta(days=1)), version, result(f1=0.9))
    stage.finish(stage.add_model("Forest-1.0.0-1"), version, result(f1=0.8))
    stage.finish(stage.add_model("Other-1.0.0-1", use_case="scratch finder"), version, result(f1=0.95))
    first, second = (queries.matrix(MatrixFilter(), page=page, size=1) for page in (1, 2))
    assert (first.rows[0].name, cells(first)[0].is_best, cells(first)[0].step) == ("Forest-1.0.0-1", False, 1)
    assert (second.rows[0].name, cells(second)[0].is_best, cells(second)[0].step) == ("Best-1.0.0-1", True, 7)
    assert (first.models, queries.matrix(MatrixFilter(), page=9, size=1).page) == (3, 3)


def test_where_less_is_better_the_lowest_is_the_best() -> None:
    version = stage.add_version()
    for number, value in ((1, 3.0), (2, 2.0)):
        model = stage.add_model(f"Forest-1.0.0-{number}", metrics=("log_loss",), primary_metric="log_loss")
        loss = MetricValue(name="log_loss", value=value, greater_is_better=False)
        stage.finish(model, version, result(metrics=(loss,)))
    found = queries.matrix(MatrixFilter())
    assert {row.name: (row.cells[0].is_best, row.cells[0].step) for row in found.rows} == {
        "Forest-1.0.0-1": (False, 1),
        "Forest-1.0.0-2": (True, 7),
    }


def test_another_metric_can_be_shown_and_what_is_not_measured_by_it_says_so() -> None:
    version = stage.add_version()
    stage.finish(stage.add_model(), version)
    (cell,) = cells(queries.matrix(MatrixFilter(metric="accuracy")))
    assert (cell.score.value, cell.is_best) == (0.9, True)
    (cell,) = cells(queries.matrix(MatrixFilter(metric="roc_auc")))
    assert (cell.score.value, cell.reason) == (None, "The model is not measured by roc_auc.")


def test_a_metric_without_a_value_is_never_the_best_and_says_why() -> None:
    version = stage.add_version()
    stage.finish(stage.add_model(), version, result(f1=None))
    (cell,) = cells(queries.matrix(MatrixFilter()))
    assert (cell.state, cell.is_best, cell.reason) == (CellState.DONE, False, "no damage seen")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (MatrixFilter(), {"Forest", "Linear", "Spare"}),
        (MatrixFilter(text="lin"), {"Linear"}),
        (MatrixFilter(use_case="scratch finder"), {"Linear"}),
        (MatrixFilter(tag="winter"), {"Linear"}),
        (MatrixFilter(author="Tomás Vidal"), {"Linear"}),
        (MatrixFilter(state=CellState.DONE), {"Forest"}),
        (MatrixFilter(state=CellState.STALE), {"Forest"}),
        (MatrixFilter(state=CellState.FAILED), {"Linear"}),
        (MatrixFilter(state=CellState.MISSING), {"Linear", "Spare"}),
        (MatrixFilter(state=CellState.INCOMPATIBLE), set()),
    ],
)
def test_the_models_are_filtered(wanted: MatrixFilter, found: set[str]) -> None:
    version = stage.add_version()
    stage.finish(stage.add_model(), version)
    records.record_replaced_file(stage.file("Forest-1.0.0-1.atlas"), "the file was replaced.")
    author = {"name": "Tomás Vidal", "email": "tomas@example.org"}
    linear = stage.add_model("Linear-1.0.0-2", use_case="scratch finder", tags=("winter", "impacts"), author=author)
    stage.add_version(tag="winter")
    stage.fail(linear, version)
    stage.add_model("Spare-1.0.0-3")
    stage.add_invalid_file("broken.atlas", "It is not a zip file.")
    assert {row.name.partition("-")[0] for row in queries.matrix(wanted).rows} == found


def test_only_versions_of_tags_that_the_wanted_models_name_are_shown() -> None:
    stage.add_model()
    stage.add_model("Linear-1.0.0-2", use_case="scratch finder", tags=("winter",))
    stage.add_version()
    stage.add_version(tag="winter")
    assert [column.tag for column in queries.matrix(MatrixFilter()).columns] == ["impacts", "winter"]
    assert [column.tag for column in queries.matrix(MatrixFilter(use_case="scratch finder")).columns] == ["winter"]
