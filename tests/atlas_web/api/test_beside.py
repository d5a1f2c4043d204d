"""Leaderboard and matrix over the API."""

from collections.abc import Callable

import pytest

from atlas.api import Leaderboard, Matrix
from atlas.states import CellState
from tests import stage
from tests.atlas_web.api.conftest import Script
from tests.samples import result

pytestmark = pytest.mark.django_db


@pytest.fixture
def done() -> dict[str, int]:
    """The benchmarks of two models that share the first place, one that is worse, and one that failed."""
    version = stage.add_version(1)
    found = {name: stage.finish(stage.add_model(name), version, result(f1)) for name, f1 in SCORES.items()}
    stage.fail(stage.add_model("Broken"), version, "It ran out of memory.")
    return found


SCORES = {"Ash": 0.9, "Birch": 0.9, "Cedar": 0.5}


@pytest.mark.usefixtures("done")
def test_a_leaderboard_tells_places_and_who_has_none(reading: Script) -> None:
    board = Leaderboard.model_validate(reading.get("leaderboard"))
    assert (board.use_case, board.dataset.tag, board.dataset.number) == ("damage detector", "impacts", 1)
    assert (board.metric, board.greater_is_better, board.total) == ("f1", True, 3)
    assert [(row.model.name, row.rank, row.tied) for row in board.rows] == [
        ("Ash", 1, True), ("Birch", 1, True), ("Cedar", 3, False),
    ]  # fmt: skip
    assert [(each.model.name, each.reason) for each in board.unranked] == [("Broken", "It ran out of memory.")]
    assert reading.get("leaderboard?tag=impacts&version=1&metric=accuracy")["metric"] == "accuracy"


def test_a_leaderboard_is_of_one_use_case(reading: Script) -> None:
    assert reading("GET", "leaderboard").status == 404
    stage.add_model("Ash")
    assert reading("GET", "leaderboard").document["detail"] == (
        "No model for damage detector has a result there. Use cases: damage detector."
    )
    stage.add_model("Oak", use_case="pricing")
    answer = reading("GET", "leaderboard")
    assert (answer.status, answer.document["errors"]) == (
        422, [{"field": "use_case", "message": "Choose one of damage detector, pricing."}],
    )  # fmt: skip
    assert reading("GET", "leaderboard?use_case=pricing&version=1").document["errors"][0]["field"] == "tag"


@pytest.mark.usefixtures("done")
def test_the_matrix_tells_what_is_there_and_what_is_missing(reading: Script) -> None:
    stage.add_version(2)
    matrix = Matrix.model_validate(reading.get("matrix"))
    assert [(column.tag, column.number) for column in matrix.columns] == [("impacts", 1), ("impacts", 2)]
    cells = {row.model.name: row.cells for row in matrix.rows}
    states = {name: [cell.state for cell in row] for name, row in cells.items()}
    assert states == {name: [CellState.DONE, CellState.MISSING] for name in SCORES} | {
        "Broken": [CellState.FAILED, CellState.MISSING]
    }
    score = cells["Cedar"][0].score
    assert score is not None
    assert (score.metric, score.value, cells["Cedar"][0].is_best) == ("f1", 0.5, False)
    assert cells["Broken"][0].reason == "It ran out of memory."
    assert reading.get("matrix?state=failed")["total"] == 1
    assert reading.get("matrix?q=ash")["rows"][0]["model"]["name"] == "Ash"


def test_they_cost_as_many_queries_however_much_there_is(
    fill: Callable[[int], None], queries_per_call: Callable[[str], int]
) -> None:
    fill(2)
    queries_per_call("whoami")
    few = [queries_per_call(path) for path in ("leaderboard", "matrix")]
    fill(6)
    assert [queries_per_call(path) for path in ("leaderboard", "matrix")] == few
