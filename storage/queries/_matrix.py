"""The matrix: models by dataset versions, each cell with a state and a score."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from atlas.ranking import Scale
from atlas.states import CellState, ModelState, State
from storage.models import Benchmark, DatasetVersion, Model
from storage.queries._cells import AGAIN, Cells, MatrixColumn, MatrixRow

WINDOW = 12
"""How many dataset versions are shown side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixFilter:
    """What the matrix is narrowed to; what is empty narrows nothing. `metric` is each model's primary one if empty."""

    text: str = ""
    use_case: str = ""
    tag: str = ""
    author: str = ""
    metric: str = ""
    state: CellState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A part of the matrix: some models on some dataset versions.

    Attributes:
        columns: the versions, by tag and number.
        rows: the models, by use case, then the latest first; each with a cell for each column.
        scales: from the worst to the best score of each use case and metric, on these versions.
        models: how many there are in all.
        versions: likewise.
        page: which part of the models this is, from 1 on.
        window: which part of the versions, from the newest, 1, on.
    """

    columns: tuple[MatrixColumn, ...]
    rows: tuple[MatrixRow, ...]
    scales: dict[tuple[str, str], Scale]
    models: int
    versions: int
    page: int
    window: int

    @property
    def windows(self) -> int:
        """How many parts of the versions there are."""
        return max(-(-self.versions // WINDOW), 1)


def matrix(wanted: MatrixFilter, *, page: int = 1, size: int = 25, window: int = 1) -> Matrix:
    """Models by dataset versions, with a fixed number of queries.

    Args:
        wanted: what it is narrowed to.
        page: which part of the models; beyond the last one, the last one.
        size: how many models a page has.
        window: which `WINDOW` versions, from the newest, 1, on; likewise.
    """
    versions = _versions(wanted)
    known_versions = versions.count()
    window = _within(window, known_versions, WINDOW)
    columns = _columns(versions[(window - 1) * WINDOW : window * WINDOW])
    models = _models(wanted, [column.version for column in columns])
    known_models = models.count()
    page = _within(page, known_models, size)
    shown = list(models[(page - 1) * size : page * size])
    rows, scales = Cells(shown, columns, wanted.metric).rows()
    return Matrix(
        columns=columns,
        rows=rows,
        scales=scales,
        models=known_models,
        versions=known_versions,
        page=page,
        window=window,
    )


def _within(part: int, total: int, size: int) -> int:
    return min(max(part, 1), max(-(-total // size), 1))


def _columns(versions: Iterable[DatasetVersion]) -> tuple[MatrixColumn, ...]:
    found = (
        MatrixColumn(
            version=version.pk,
            tag=version.tag.name,
            tag_key=version.tag_id,
            number=version.number,
            created=version.created,
        )
        for version in versions
    )
    return tuple(sorted(found, key=lambda column: (column.tag, column.number)))


def _versions(wanted: MatrixFilter) -> QuerySet[DatasetVersion]:
    """The versions of the tags that the wanted models are benchmarked on, newest first."""
    found = DatasetVersion.objects.select_related("tag").only("number", "created", "tag__name")
    if wanted.tag:
        found = found.filter(tag__name=wanted.tag)
    if wanted.use_case or wanted.author:
        # As a list: from a subquery the database would look for such a model once for each version.
        found = found.filter(tag__in=list(_ready(wanted).order_by().values_list("tags", flat=True).distinct()))
    return found.order_by("-created", "-pk")


def _ready(wanted: MatrixFilter) -> QuerySet[Model]:
    """The models, whatever their benchmarks."""
    found = Model.objects.filter(state=ModelState.READY)
    if wanted.text:
        found = found.filter(name__icontains=wanted.text)
    if wanted.use_case:
        found = found.filter(use_case=wanted.use_case)
    if wanted.author:
        found = found.filter(author__name=wanted.author)
    if wanted.tag:
        found = found.filter(tags__name=wanted.tag)
    return found


def _models(wanted: MatrixFilter, versions: list[int]) -> QuerySet[Model]:
    """The models, those of a use case and a primary metric together, then the latest first."""
    found = _ready(wanted)
    if wanted.state:
        found = found.filter(_stands(wanted.state, versions))
    only = ("name", "use_case", "primary_metric", "reason", "author__name")
    return found.select_related("author").only(*only).order_by("use_case", "primary_metric", "-arrived", "-pk")


def _stands(state: CellState, versions: list[int]) -> Q:
    """The models of which a cell has this state."""
    own = Benchmark.objects.filter(model=OuterRef("pk"), dataset_version__in=versions)
    if state is CellState.STALE:
        repeated = Exists(own.filter(state__in=AGAIN, metrics__isnull=False))
        return Q(repeated) | (~Q(reason="") & Q(Exists(own.filter(state=State.DONE))))
    if state is CellState.MISSING:
        there = Benchmark.objects.filter(dataset_version=OuterRef("pk"), model=OuterRef(OuterRef("pk")))
        asked = DatasetVersion.objects.filter(pk__in=versions, tag__models=OuterRef("pk"))
        return Q(Exists(asked.filter(~Exists(there))))
    return Q(Exists(own.filter(state=state.value)))
