"""Models beside each other: leaderboard and matrix."""

from typing import Any

from django.http import HttpRequest
from ninja import Query
from pydantic import Field

from atlas.access import Right
from atlas.api import (
    Cell,
    Leaderboard,
    LeaderboardRow,
    Matrix,
    MatrixColumn,
    MatrixRow,
    ModelReference,
    Score,
    UnrankedModel,
    VersionNumber,
)
from atlas.ranking import Score as Ranked
from atlas.states import CellState
from atlas_web.api.lists import Paging, Search, Words
from atlas_web.api.operations import Operations
from atlas_web.api.problems import FieldError, UnknownError
from storage import queries

operations = Operations("side by side")
LAST_NUMBER = 2**31 - 1


class LeaderboardFilters(Paging):
    """What is ranked. Without a version it is the newest with a result, without a metric the primary one of most."""

    use_case: Words = Field("", description="needed if there are several")
    tag: Words = ""
    version: int | None = Field(None, ge=0, le=LAST_NUMBER, description="the number of a version of the tag")
    metric: Words = ""


class MatrixFilters(Paging):
    """What the matrix is narrowed to; `metric` is each model's primary one unless it is given."""

    q: Search = ""
    use_case: Words = ""
    tag: Words = ""
    author: Words = ""
    metric: Words = ""
    state: CellState | None = None
    versions: int = Field(1, ge=1, le=1_000_000, description="which part of the versions, from the newest, 1, on")


@operations.declare("GET", "leaderboard", Right.READ, {200: Leaderboard}, 404)
def get_leaderboard(request: HttpRequest, asked: Query[LeaderboardFilters]) -> Leaderboard:  # noqa: ARG001  # ninja's
    """The models of a use case on one dataset version by one metric, the best first."""
    if asked.version is not None and not asked.tag:
        raise FieldError("tag", "A version's number says nothing without its tag.")
    use_case = asked.use_case or _only_use_case()
    wanted = queries.LeaderboardFilter(use_case=use_case, tag=asked.tag, version=asked.version, metric=asked.metric)
    board = queries.leaderboard(wanted, page=asked.page, size=asked.page_size)
    if board is None:
        raise UnknownError(f"No model for {use_case} has a result there. Use cases: {', '.join(queries.use_cases())}.")
    return _leaderboard(board)


def _only_use_case() -> str:
    """The use case, if there is but one.

    Raises:
        FieldError: there are several.
        UnknownError: there is none.
    """
    known = queries.use_cases()
    if not known:
        raise UnknownError("There is no model yet.")
    if len(known) > 1:
        raise FieldError("use_case", f"Choose one of {', '.join(known)}.")
    return known[0]


def _leaderboard(board: queries.Board) -> Leaderboard:
    return Leaderboard(
        use_case=board.use_case,
        dataset=VersionNumber(tag=board.tag, number=board.version),
        metric=board.metric,
        greater_is_better=board.greater_is_better,
        rows=tuple(map(_row, board.contenders)),
        total=board.models,
        unranked=tuple(map(_unranked, board.unranked)),
        unranked_total=board.unranked_models,
    )


def _row(contender: queries.Contender) -> LeaderboardRow:
    score, place = contender.score, contender.place
    if score.value is None:
        raise ValueError(f"{contender.name} has a place without a score")
    return LeaderboardRow(
        rank=place.rank,
        tied=place.tied,
        within_noise=place.within_noise,
        model=ModelReference(id=contender.model, name=contender.name),
        author=contender.author,
        benchmark=contender.benchmark,
        value=score.value,
        low=score.low,
        high=score.high,
        stale=contender.stale,
        earlier_rank=contender.earlier_rank,
        latency_p50_seconds=contender.latency_p50_seconds,
        peak_memory_bytes=contender.peak_memory_bytes,
        model_size_bytes=contender.size_bytes,
    )


def _unranked(found: Any) -> UnrankedModel:
    return UnrankedModel(
        model=ModelReference(id=found.model, name=found.name),
        benchmark=found.benchmark,
        state=found.state,
        reason=found.why,
    )


@operations.declare("GET", "matrix", Right.READ, {200: Matrix})
def get_matrix(request: HttpRequest, asked: Query[MatrixFilters]) -> Matrix:  # noqa: ARG001  # ninja's
    """Models by dataset versions: where each stands, and what is missing. Beyond the last part is the last part."""
    wanted = queries.MatrixFilter(
        text=asked.q,
        use_case=asked.use_case,
        tag=asked.tag,
        author=asked.author,
        metric=asked.metric,
        state=asked.state,
    )
    found = queries.matrix(wanted, page=asked.page, size=asked.page_size, window=asked.versions)
    return Matrix(
        columns=tuple(
            MatrixColumn(tag=column.tag, number=column.number, created=column.created) for column in found.columns
        ),
        rows=tuple(map(_matrix_row, found.rows)),
        total=found.models,
        columns_total=found.versions,
    )


def _matrix_row(row: Any) -> MatrixRow:
    return MatrixRow(
        model=ModelReference(id=row.model, name=row.name),
        author=row.author,
        use_case=row.use_case,
        metric=row.metric,
        cells=tuple(_cell(row.metric, cell) for cell in row.cells),
    )


def _cell(metric: str, cell: Any) -> Cell:
    return Cell(
        state=cell.state,
        benchmark=cell.benchmark,
        reason=cell.reason,
        failure_class=cell.failure_class or None,
        score=_score(metric, cell.score),
        earlier=_score(metric, cell.earlier),
        is_best=cell.is_best,
        progress=cell.progress,
    )


def _score(metric: str, found: Ranked) -> Score | None:
    return None if found.value is None else Score(metric=metric, value=found.value, low=found.low, high=found.high)
