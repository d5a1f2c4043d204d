"""Every read that the dashboard and the API make. Lists are query sets: filtered, sorted and cut in the database."""

from storage.queries._benchmark import (
    BenchmarkPage,
    Duration,
    ExplainedBenchmark,
    Standing,
    benchmark_page,
    explanations,
)
from storage.queries._boards import Board, Contender, Unranked
from storage.queries._cells import MatrixCell, MatrixColumn, MatrixRow
from storage.queries._chosen import LeaderboardFilter
from storage.queries._comparison import (
    ChosenBenchmark,
    Suggestion,
    candidates,
    chosen_benchmarks,
    field_of,
    states_of,
    suggestions,
)
from storage.queries._dataset import MOST_BENCHMARKS, DatasetPage, dataset_page, datasets, versions_of
from storage.queries._history import HistoryPoint, history, trends
from storage.queries._home import (
    SILENCE,
    Component,
    Counters,
    components,
    counters,
    failures_since,
    invalid_files_since,
    pause,
    regressions_since,
    troubled_tags,
)
from storage.queries._leaderboard import highlights, leaderboard, version_numbers
from storage.queries._lists import (
    authors,
    benchmarks,
    benchmarks_as_they_stand,
    latest_models,
    models,
    tags,
    use_cases,
    waiting,
)
from storage.queries._log import log, log_components
from storage.queries._matrix import WINDOW, Matrix, MatrixFilter, matrix
from storage.queries._metrics import metric_names
from storage.queries._model import ModelPage, model_page, previous_version
from storage.queries._people import actions, actors, kept_view, kinds_of_actions, token_of, tokens_of
from storage.queries._uploads import (
    ready_model_named,
    ready_model_of,
    upload_of,
    uploads_abandoned,
    uploads_going_on,
)
from storage.roles import administrators

__all__ = [
    "MOST_BENCHMARKS",
    "SILENCE",
    "WINDOW",
    "BenchmarkPage",
    "Board",
    "ChosenBenchmark",
    "Component",
    "Contender",
    "Counters",
    "DatasetPage",
    "Duration",
    "ExplainedBenchmark",
    "HistoryPoint",
    "LeaderboardFilter",
    "Matrix",
    "MatrixCell",
    "MatrixColumn",
    "MatrixFilter",
    "MatrixRow",
    "ModelPage",
    "Standing",
    "Suggestion",
    "Unranked",
    "actions",
    "actors",
    "administrators",
    "authors",
    "benchmark_page",
    "benchmarks",
    "benchmarks_as_they_stand",
    "candidates",
    "chosen_benchmarks",
    "components",
    "counters",
    "dataset_page",
    "datasets",
    "explanations",
    "failures_since",
    "field_of",
    "highlights",
    "history",
    "invalid_files_since",
    "kept_view",
    "kinds_of_actions",
    "latest_models",
    "leaderboard",
    "log",
    "log_components",
    "matrix",
    "metric_names",
    "model_page",
    "models",
    "pause",
    "previous_version",
    "ready_model_named",
    "ready_model_of",
    "regressions_since",
    "states_of",
    "suggestions",
    "tags",
    "token_of",
    "tokens_of",
    "trends",
    "troubled_tags",
    "upload_of",
    "uploads_abandoned",
    "uploads_going_on",
    "use_cases",
    "version_numbers",
    "versions_of",
    "waiting",
]
