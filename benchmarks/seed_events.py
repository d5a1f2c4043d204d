"""Fills the ingestion engine's tables in the PostgreSQL of DATABASE_URL, which should be empty, with many events.

    DATABASE_URL=postgresql://... python -m benchmarks.seed_events --events 1000000 --recordings 2000

Everything is made in the database, of numbers that are drawn with a fixed seed: labels of which some are rare, some
events with two labels, some that were relabelled, cars, environments, and scalar columns of each kind.
"""

import argparse
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas_web.settings")
django.setup()

import pyarrow as pa  # noqa: E402 - after the settings
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.backends.utils import CursorWrapper  # noqa: E402

from ingestion_engine.models import Column  # noqa: E402

COLUMNS = {"speed": "number", "peak": "number", "wet": "boolean", "note": "text"}
RELABELLED = 50
"""One event of so many was relabelled."""
SCHEMA = pa.schema([("speed", pa.float64()), ("peak", pa.float64()), ("wet", pa.bool_()), ("note", pa.string())])

RECORDINGS = """
INSERT INTO ingestion_engine_recording (name, filename, sha256, size_bytes, received, settings, state, problem,
                                        losses, attempts, channels, events_count)
SELECT 'drive-' || lpad(n::text, 5, '0'), 'drive.csv', md5(n::text) || md5((-n)::text), 1000000,
       timestamptz '2022-01-01' + n * interval '17 hours', '{}', 'ready', '', '[]', 0, '[]', %(each)s
FROM generate_series(1, %(recordings)s) AS n
"""
CHANGES = """
INSERT INTO ingestion_engine_change (revision, recording_id, verb, who, made)
SELECT row_number() OVER (ORDER BY name), id, 'received', '', received FROM ingestion_engine_recording
"""
FEATURES = """
INSERT INTO ingestion_engine_features (recording_id, key, schema)
SELECT id, 'features/' || name || '/' || sha256 || '.arrow', %(schema)s FROM ingestion_engine_recording
"""
EVENTS = """
WITH drawn AS (
    SELECT change.recording_id, change.revision, recording.name, recording.received, features.id AS features_id, row,
           random() AS chance, random() AS speed, random() AS peak, random() AS length, random() AS pair
    FROM ingestion_engine_change AS change
    JOIN ingestion_engine_recording AS recording ON recording.id = change.recording_id
    JOIN ingestion_engine_features AS features ON features.recording_id = recording.id
    CROSS JOIN generate_series(0, %(each)s - 1) AS row
), labelled AS (
    SELECT *, name || '/' || row AS event_id, pair < 0.01 AS several,
           CASE WHEN chance < 0.60 THEN 'none' WHEN chance < 0.80 THEN 'dent' WHEN chance < 0.92 THEN 'scratch'
                WHEN chance < 0.99 THEN 'hail' ELSE 'glass' END AS word
    FROM drawn
)
INSERT INTO ingestion_engine_event (recording_id, event_id, since, until, features_id, row, time, duration_seconds,
    label, label_type, label_text, car, environment, scalars, shuffle)
SELECT recording_id, event_id, revision, NULL, features_id, row, received + row * interval '5 seconds', 1 + length,
       CASE WHEN several THEN jsonb_build_array(word, 'rattle') ELSE to_jsonb(word) END,
       CASE WHEN several THEN 'list<item: string>' ELSE 'string' END,
       CASE WHEN several THEN E'\\x1f' || word || E'\\x1frattle\\x1f' ELSE word END,
       'Polo ' || revision %% 40, (ARRAY['city', 'highway', 'rain', 'snow'])[1 + revision %% 4],
       jsonb_build_object(%(speed)s, 40 * speed, %(peak)s, peak, %(wet)s, peak < 0.3, %(note)s, 'note ' || row %% 100),
       ('x' || substr(md5(event_id), 1, 14))::bit(56)::bigint
FROM labelled
"""
RELABELLED_STATES = """
INSERT INTO ingestion_engine_event (recording_id, event_id, since, until, features_id, row, time, duration_seconds,
    label, label_type, label_text, car, environment, scalars, shuffle)
SELECT recording_id, event_id, %(revision)s, NULL, features_id, row, time, duration_seconds, '"hail"', 'string', 'hail',
       car, environment, scalars, shuffle
FROM ingestion_engine_event WHERE until = %(revision)s
"""


def seed(events: int, recordings: int, schema: pa.Schema = SCHEMA) -> None:
    """Write all rows in one transaction; `schema` is that of the recordings' features."""
    with transaction.atomic():
        keys = {name: Column.objects.create(name=name, kind=kind).key for name, kind in COLUMNS.items()}
        stored = schema.serialize().to_pybytes()
        values = {"each": events // recordings, "recordings": recordings, "schema": stored, **keys}
        with connection.cursor() as cursor:
            cursor.execute("SELECT setseed(0.5)")
            for statement in (RECORDINGS, CHANGES, FEATURES, EVENTS):
                cursor.execute(statement, values)
            _relabel(cursor, recordings + 1)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _relabel(cursor: CursorWrapper, revision: int) -> None:
    """Let some events have two states; none of them may be present twice at any moment."""
    values = {"revision": revision, "every": RELABELLED}
    cursor.execute("UPDATE ingestion_engine_event SET until = %(revision)s WHERE shuffle %% %(every)s = 0", values)
    cursor.execute(RELABELLED_STATES, values)
    cursor.execute("INSERT INTO ingestion_engine_ledger (revision) VALUES (%(revision)s)", values)


def main() -> None:
    """Make the tables and fill them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--recordings", type=int, default=2_000)
    asked = parser.parse_args()
    call_command("migrate", verbosity=0)
    seed(asked.events, asked.recordings)


if __name__ == "__main__":
    main()
