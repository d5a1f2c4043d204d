"""Models and dataset versions, as the API tells of them."""

from datetime import datetime
from typing import Any

from pydantic import Field

from atlas.api._common import Answer, Person
from atlas.datasets import DatasetDescription
from atlas.results import HyperparameterGroup
from atlas.states import ModelState
from atlas.vocabulary import Task
from atlas.watching import Stage


class Score(Answer):
    """A metric's value and the ends of its 95 % interval; None where there is nothing to measure, or nothing known."""

    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None


class ModelReference(Answer):
    """A model by its key and its name."""

    id: int
    name: str


class VersionNumber(Answer):
    """A dataset version by its tag and number."""

    tag: str
    number: int


class VersionReference(VersionNumber):
    """A dataset version by its tag and number, and the query id that names it everywhere."""

    query_id: str


class BenchmarkCounts(Answer):
    """How many benchmarks a model has: `possible` are all that can run."""

    possible: int
    done: int
    running: int
    unfinished: int
    failed: int


class ModelSummary(Answer):
    """A model file, as lists show it.

    Attributes:
        id: its key.
        name: unique among ready models; the file's name if it is not a sound bundle.
        state: whether it can be benchmarked.
        reason: why it cannot.
        sha256: of the file.
        arrived: when Atlas found it.
        created: when its author packed it.
        benchmarks: how many there are.
        score: the primary metric on the newest dataset version that it was measured on.
        result: that benchmark's key.
        explained_on: the key of the newest benchmark with an explanation.
        unexplained: why `result` has none.
        trouble: why its latest benchmark that gave no result gave none.
        stage: whether it is champion or candidate of its use case, or retired; None if nobody said so.
    """

    id: int
    name: str
    state: ModelState
    reason: str
    version: str
    use_case: str
    task: Task | None
    author: Person | None
    tags: tuple[str, ...]
    primary_metric: str
    size_bytes: int
    sha256: str
    arrived: datetime
    created: datetime | None
    benchmarks: BenchmarkCounts
    score: Score | None
    result: int | None
    explained_on: int | None
    unexplained: str
    trouble: str
    stage: Stage | None


class ModelDetail(ModelSummary):
    """A model with all that is known of it.

    `manifest` is its bundle's, in the form that its `schema_version` names; `previous` the version before this one.
    """

    manifest: dict[str, Any] | None
    hyperparameters: tuple[HyperparameterGroup, ...]
    previous: ModelReference | None


class HistoryPoint(Answer):
    """A metric of one model on one dataset version; `low` and `high` are the ends of its 95 % interval."""

    metric: str
    model: str
    benchmark: int
    tag: str
    version: int
    created: datetime
    value: float
    low: float | None
    high: float | None


class TagSummary(Answer):
    """A dataset tag: the query that it names, and its newest version, if there is one.

    `problem` is why the ingestion engine gave no answer when it was last asked, at the time `checked`.
    """

    name: str
    query: str
    newest: VersionReference | None
    rows: int | None
    updated: datetime | None
    versions: int = Field(ge=0)
    models: int = Field(ge=0)
    checked: datetime | None
    problem: str


class VersionSummary(VersionReference):
    """A dataset version: `evaluation_rows` of its rows are those that models are measured on."""

    digest: str
    rows: int
    evaluation_rows: int
    created: datetime


class VersionDetail(VersionSummary):
    """A dataset version with its schema and statistics."""

    description: DatasetDescription
