"""Every read that the dashboard and the API make. Lists are query sets: filtered, sorted and cut in the database."""

from storage.queries._benchmark import (
    BenchmarkPage,
    Duration,
    ExplainedBenchmark,
    Standing,
    benchmark_page,
    explanations,
)
from storage.queries._dataset import DatasetPage, dataset_page, datasets
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
    troubled_tags,
)
from storage.queries._lists import authors, benchmarks, benchmarks_as_they_stand, latest_models, models, tags, use_cases
from storage.queries._log import log, log_components
from storage.queries._model import ModelPage, model_page, previous_version
from storage.queries._people import actions, actors, kept_view, kinds_of_actions, token_of, tokens_of
from storage.roles import administrators

__all__ = [
    "SILENCE",
    "BenchmarkPage",
    "Component",
    "Counters",
    "DatasetPage",
    "Duration",
    "ExplainedBenchmark",
    "HistoryPoint",
    "ModelPage",
    "Standing",
    "actions",
    "actors",
    "administrators",
    "authors",
    "benchmark_page",
    "benchmarks",
    "benchmarks_as_they_stand",
    "components",
    "counters",
    "dataset_page",
    "datasets",
    "explanations",
    "failures_since",
    "history",
    "invalid_files_since",
    "kept_view",
    "kinds_of_actions",
    "latest_models",
    "log",
    "log_components",
    "model_page",
    "models",
    "pause",
    "previous_version",
    "tags",
    "token_of",
    "tokens_of",
    "trends",
    "troubled_tags",
    "use_cases",
]
