"""How long queries over the events in DATABASE_URL take, beside SQL by hand: `python -m benchmarks.event_queries`.

Prints one object: for each query, as a count and as a list of ids, how many times as long it takes as the SQL. Both
select the same events, over the same connection and indexes. The query has been asked before: its text is understood,
but the feature columns are read and its SQL is written each time.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas_web.settings")
django.setup()

from django.db import connection  # noqa: E402 - after the settings
from django.db.models import QuerySet  # noqa: E402

from benchmarks.figures import Figures  # noqa: E402
from benchmarks.rounds import Rounds  # noqa: E402
from ingestion_engine.models import Event, Ledger  # noqa: E402
from ingestion_engine.selection import known_columns, selected  # noqa: E402

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FROM = """
FROM ingestion_engine_event AS event JOIN ingestion_engine_recording AS recording ON recording.id = event.recording_id
WHERE event.until IS NULL AND event.label IS NOT NULL AND
"""
SEVERAL = "event.label_type = 'list<item: string>'"


def labelled(label: str) -> str:
    """What finds a label by hand, also where it is one of several."""
    one_of = rf"strpos(event.label_text, E'\x1f{label}\x1f') > 0"
    return f"(event.label_text = '{label}' OR {SEVERAL} AND {one_of})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question in both languages; `{speed}` and such stand for the keys of columns."""

    query: str
    sql: str


QUESTIONS = {
    "label_time_scalar": Asked(
        query="label = 'dent' and time in '2024-01-01'..'2024-12-31' and speed > 30",
        sql=f"{labelled('dent')} AND event.time BETWEEN '2024-01-01Z' AND '2024-12-31Z'"
        " AND (event.scalars->>'{speed}')::float8 > 30",
    ),
    "rare_label": Asked(
        query="label = 'glass' and time >= '2025-01-01' and speed > 30",
        sql=f"{labelled('glass')} AND event.time >= '2025-01-01Z' AND (event.scalars->>'{{speed}}')::float8 > 30",
    ),
    "one_of_several_labels": Asked(
        query="label = 'rattle' and speed > 30 and wet = true",
        sql=f"{labelled('rattle')} AND (event.scalars->>'{{speed}}')::float8 > 30"
        " AND (event.scalars->>'{wet}')::boolean",
    ),
    "recordings": Asked(
        query="recording ~ 'drive-007' and label in ('dent', 'scratch') and peak < 0.5",
        sql=f"strpos(recording.name, 'drive-007') > 0 AND ({labelled('dent')} OR {labelled('scratch')})"
        " AND (event.scalars->>'{peak}')::float8 < 0.5",
    ),
    "car": Asked(
        query="car = 'Polo 7' and label = 'hail' and speed in 3..8",
        sql=f"event.car = 'Polo 7' AND {labelled('hail')} AND (event.scalars->>'{{speed}}')::float8 BETWEEN 3 AND 8",
    ),
    "text_column": Asked(
        query="label = 'hail' and note = 'note 17' and environment != 'city'",
        sql=f"{labelled('hail')} AND event.scalars->>'{{note}}' = 'note 17' AND event.environment <> 'city'",
    ),
    "negation": Asked(
        query="car ~ 'Polo 1' and not label = 'none' and speed > 39",
        sql=f"strpos(event.car, 'Polo 1') > 0 AND NOT {labelled('none')}"
        " AND (event.scalars->>'{speed}')::float8 > 39",
    ),
    "one_recording": Asked(
        query="recording = 'drive-00700' and label = 'dent' and speed > 30",
        sql=f"recording.name = 'drive-00700' AND {labelled('dent')} AND (event.scalars->>'{{speed}}')::float8 > 30",
    ),
}
"""The last is answered in less than a millisecond: it shows what a query costs whatever it asks for."""


class DifferentAnswersError(Exception):
    """A query and its SQL select different events; the message is the query."""


def by_hand(columns: str, where: str) -> list[tuple[object, ...]]:
    """What SQL answers."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} {FROM} {where}")
        return list(cursor.fetchall())


def compare(asked: Asked, *, rounds: int) -> dict[str, Rounds]:
    """Seconds of both, for counts and for ids."""
    revision = Ledger.objects.get().revision
    where = asked.sql.format(**{name: column.key for name, column in known_columns().items()})

    def events() -> QuerySet[Event]:
        return selected(asked.query, revision=revision, now=NOW)

    if set(events().values_list("event_id")) != set(by_hand("event.event_id", where)):
        raise DifferentAnswersError(asked.query)
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "count": (lambda: events().count(), lambda: by_hand("count(*)", where)),
        "ids": (lambda: list(events().values_list("event_id")), lambda: by_hand("event.event_id", where)),
    }
    return {name: in_turns(*pair, rounds=rounds) for name, pair in pairs.items()}


def in_turns(query: Callable[[], object], sql: Callable[[], object], *, rounds: int) -> Rounds:
    """Seconds of both, once every round; before, each has been asked once."""
    found = Rounds()
    query(), sql()
    for _ in range(rounds):
        found.add({"query": seconds(query), "sql": seconds(sql)})
    return found


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    figures: Figures = {}
    for name, asked in QUESTIONS.items():
        for kind, found in compare(asked, rounds=rounds).items():
            figures[f"{name}_{kind}_over_sql"] = found.ratio("query", "sql")
            figures[f"{name}_{kind}_ms"] = 1e3 * found.medians()["query_seconds"]
    worst = max(value for name, value in figures.items() if name.endswith("_over_sql"))
    sys.stdout.write(json.dumps({"query_over_sql": worst, **figures}) + "\n")


if __name__ == "__main__":
    main()
