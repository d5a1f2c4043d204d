"""The pages that are loaded: each list as it opens, narrowed, sorted and at its end, and one of each kind of thing."""

from collections.abc import Mapping
from typing import Any

import psycopg2

LOGIN = "login"
"""The page that the others are compared with, as it is shown to whom nobody knows."""

_LISTS = {
    LOGIN: "/login/",
    "home": "/",
    "models": "/models/",
    "models_by_score": "/models/?sort=-score",
    "models_by_state": "/models/?sort=-states",
    "models_narrowed": "/models/?use_case={use_case}&tag={tag}",
    "models_failed": "/models/?state=failed",
    "models_found": "/models/?q=forest+{author}",
    "models_last": "/models/?page={last_of_models}",
    "benchmarks": "/benchmarks/",
    "benchmarks_by_score": "/benchmarks/?sort=-score",
    "benchmarks_by_model": "/benchmarks/?sort=model",
    "benchmarks_narrowed": "/benchmarks/?use_case={use_case}&state=done",
    "benchmarks_failed": "/benchmarks/?state=failed",
    "benchmarks_found": "/benchmarks/?q=forest+{author}",
    "benchmarks_last": "/benchmarks/?page={last_of_benchmarks}",
    "datasets": "/datasets/",
    "dataset": "/datasets/{tag}/",
    "model": "/models/{model}/",
    "benchmark": "/benchmarks/{benchmark}/",
    "explanation": "/benchmarks/{benchmark}/explanation/",
    "matrix": "/matrix/",
    "matrix_narrowed": "/matrix/?use_case={use_case}",
    "leaderboard": "/leaderboard/",
    "leaderboard_narrowed": "/leaderboard/?use_case={use_case}",
    "alchemy": "/alchemy/",
    "alchemy_compared": "/alchemy/?{compared}",
    "logs": "/logs/",
    "logs_found": "/logs/?q=failed",
    "audit": "/audit/",
    "account": "/account/",
    "administration": "/administration/",
    "queue": "/administration/queue/",
    "orphans": "/administration/orphans/",
    "tables": "/admin/",
    "api_models": "/api/v1/models",
    "api_benchmarks": "/api/v1/benchmarks",
    "api_benchmark": "/api/v1/benchmarks/{benchmark}",
    "api_queue": "/api/v1/queue",
}
PAGES = tuple(_LISTS)
_ROWS = 25
"""On a page of a list."""
_FILLINGS = {
    "use_case": "SELECT replace(use_case, ' ', '+') FROM storage_model WHERE state = 'ready' ORDER BY id LIMIT 1",
    "author": "SELECT split_part(name, ' ', 2) FROM storage_author ORDER BY id LIMIT 1",
    "tag": "SELECT name FROM storage_datasettag ORDER BY id LIMIT 1",
    "model": "SELECT id FROM storage_model WHERE done > 1 ORDER BY done DESC, id LIMIT 1",
    "benchmark": "SELECT benchmark_id FROM storage_explanation WHERE impossible = '' ORDER BY id DESC LIMIT 1",
    "compared": """
        WITH done AS (
            SELECT b.id, b.dataset_version_id, m.use_case FROM storage_benchmark b
            JOIN storage_model m ON m.id = b.model_id WHERE b.state = 'done'
        ), newest AS (SELECT * FROM done ORDER BY id DESC LIMIT 1)
        SELECT 'b=' || string_agg(id::text, '&b=') FROM (
            SELECT done.id FROM done JOIN newest USING (dataset_version_id, use_case) ORDER BY done.id DESC LIMIT 4
        ) AS rivals
        """,
    "last_of_models": f"SELECT (count(*) + {_ROWS - 1}) / {_ROWS} FROM storage_model",  # noqa: S608 - a number of ours
    "last_of_benchmarks": f"SELECT (count(*) + {_ROWS - 1}) / {_ROWS} FROM storage_benchmark",  # noqa: S608
}


def addresses(database_url: str) -> Mapping[str, str]:
    """The address of each page, about things that the database has."""
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        fillings = {name: _only(cursor, query) for name, query in _FILLINGS.items()}
    connection.close()
    return {page: form.format(**fillings) for page, form in _LISTS.items()}


def _only(cursor: Any, query: str) -> object:
    cursor.execute(query)
    ((found,),) = cursor.fetchall()
    return found
