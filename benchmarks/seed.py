"""Fills the database of DATABASE_URL, which should be empty, with as much as a large company has after some years.

    DATABASE_URL=postgresql://... python -m benchmarks.seed --models 10000 --versions 200

Each use case has a dataset tag, and each model is benchmarked on two of them. Everything is made in the database, of
numbers that are drawn with a fixed seed; the documents in it are valid ones.
"""

import argparse
import json
import os
from dataclasses import dataclass
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atlas_web.settings")
django.setup()

from django.contrib.auth.models import Group, User  # noqa: E402 - after the settings
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.backends.utils import CursorWrapper  # noqa: E402
from django.utils import timezone  # noqa: E402

from atlas.access import Role  # noqa: E402
from atlas.changes import Beside, MetricChange  # noqa: E402
from atlas.metrics import REGISTRY  # noqa: E402
from atlas.paired import Difference, Finding  # noqa: E402
from atlas.results import (  # noqa: E402
    ClassMetrics,
    Estimate,
    Explanation,
    HyperparameterGroup,
    Importance,
    Provenance,
)
from atlas.states import ComponentState  # noqa: E402
from atlas.vocabulary import Document  # noqa: E402
from benchmarks.people import NAMES, PASSWORD  # noqa: E402
from storage import records  # noqa: E402
from tests.samples import description, manifest  # noqa: E402

THINGS = ("damage", "dent", "scratch", "hail", "glass")
DOINGS = ("detector", "finder", "grader", "locator")
CLASSES = ("intact", "scratched", "dented", "cracked", "broken")
COLUMNS = ("peak", "rms", "kurtosis", "crest", "skew", "energy", "centroid", "spread", "rolloff", "flux")
METRICS = (
    "f1_macro",
    "accuracy",
    "balanced_accuracy",
    "precision_macro",
    "recall_macro",
    "f1_weighted",
    "matthews_corrcoef",
    "roc_auc_ovr",
    "average_precision",
    "log_loss",
    "brier_score",
)
WRITTEN_AS = "0005_people"
"""The migration whose columns the statements name."""
TAGS_OF_A_MODEL = 2
AUTHORS = 50
COMPONENTS = ("ingestion", "training", "storage", "engine")


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything. Models and versions are spread evenly over the use cases, one tag each."""

    models: int
    versions: int
    use_cases: int = len(THINGS) * len(DOINGS)

    @property
    def versions_of_a_tag(self) -> int:
        """How many versions each tag has, at least one."""
        return max(self.versions // self.use_cases, 1)


def fill(size: Size) -> None:
    """Make the tables and all their rows, which are written as the tables were once, and migrated since."""
    call_command("migrate", "storage", WRITTEN_AS, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        _tags(cursor, size)
        _models(cursor, size)
        _benchmarks(cursor)
        _results(cursor)
        _log(cursor)
        cursor.execute("ANALYZE")
    call_command("migrate", verbosity=0)
    _people()
    with connection.cursor() as cursor:
        _checks(cursor)
        cursor.execute("VACUUM ANALYZE")
    for component in COMPONENTS:
        records.report_status(component, ComponentState.HEALTHY, "idle", now=timezone.now() + timedelta(days=365))


def _people() -> None:
    """Those who load the pages: administrators, who see all that there is on them."""
    group, _ = Group.objects.get_or_create(name=Role.ADMINISTRATOR)
    for name in NAMES:
        User.objects.create_user(name, password=PASSWORD, is_staff=True).groups.add(group)


def _tags(cursor: CursorWrapper, size: Size) -> None:
    names = [f"{thing}-{doing}" for doing in DOINGS for thing in THINGS][: size.use_cases]
    cursor.executemany(
        "INSERT INTO storage_datasettag (name, query, checked, problem) VALUES (%s, %s, now(), '')",
        [(name, f'label in ("intact", "broken") and use = "{name}"') for name in names],
    )
    cursor.execute(
        """
        INSERT INTO storage_datasetversion (tag_id, query_id, number, digest, rows, evaluation_rows, created,
            description)
        SELECT t.id, t.name || '-v' || n, n, encode(sha256((t.name || n)::bytea), 'hex'), 900 * n, 300 * n,
            now() - interval '1 year' * (%(versions)s - n + 1) / %(versions)s + interval '1 minute' * t.id,
            %(document)s::jsonb || jsonb_build_object('query_id', t.name || '-v' || n, 'tag', t.name, 'number', n)
        FROM storage_datasettag t, generate_series(1, %(versions)s) n ORDER BY n, t.id
        """,
        {"versions": size.versions_of_a_tag, "document": _written(description())},
    )


def _models(cursor: CursorWrapper, size: Size) -> None:
    """Models that arrived over two years, each with its tags; one file in a hundred is none that Atlas can use."""
    cursor.execute(
        """
        INSERT INTO storage_author (name, email)
        SELECT (ARRAY['Ana','Bruno','Carla','Diogo','Elsa'])[1 + n %% 5] || ' ' ||
            (ARRAY['Alves','Braga','Costa','Dias','Esteves','Faria','Gomes','Henriques','Leal','Matos'])[1 + n / 5],
            'author' || n || '@example.org'
        FROM generate_series(0, %s) n
        """,
        [AUTHORS - 1],
    )
    cursor.execute(
        """
        INSERT INTO storage_model (key, etag, size_bytes, digest, arrived, state, reason, name, version, use_case, task,
            author_id, primary_metric, created, pipeline_digest, granted_limits, manifest)
        SELECT 'models/' || named.name || '.atlas', n, 1000000 + n, encode(sha256(named.name::bytea), 'hex'),
            now() - interval '2 years' * (%(models)s - n + 1) / %(models)s, 'ready', '', named.name, named.version,
            replace(t.name, '-', ' '), 'multiclass', 1 + n * 7 %% %(authors)s,
            (%(metrics)s::text[])[1 + t.id %% 3],
            now() - interval '2 years' * (%(models)s - n + 2) / %(models)s, '', '{}',
            %(document)s::jsonb || jsonb_build_object('name', named.name, 'version', named.version,
                'use_case', replace(t.name, '-', ' '), 'primary_metric', (%(metrics)s::text[])[1 + t.id %% 3])
        FROM generate_series(0, %(models)s - 1) n
            JOIN storage_datasettag t ON t.id = 1 + n %% %(use_cases)s
            CROSS JOIN LATERAL (SELECT '1.' || n / 200 || '.' || n %% 10 AS number) AS counted
            CROSS JOIN LATERAL (SELECT (ARRAY['Forest','Boosting','Network','Linear','Neighbours'])[1 + n / 20 %% 5]
                || '-' || counted.number || '-' || 1600000000 + n * 3600 AS name, counted.number AS version) AS named
        """,
        {
            "models": size.models,
            "use_cases": size.use_cases,
            "authors": AUTHORS,
            "metrics": list(METRICS),
            "document": _written(
                manifest(task="multiclass", classes=CLASSES, metrics=METRICS, primary_metric=METRICS[0])
            ),
        },
    )
    cursor.execute(
        """
        INSERT INTO storage_model_tags (model_id, datasettag_id)
        SELECT m.id, 1 + (m.id - 1 + shift) %% %s FROM storage_model m, generate_series(0, %s) shift
        """,
        [size.use_cases, min(TAGS_OF_A_MODEL, size.use_cases) - 1],
    )
    cursor.execute(
        """
        INSERT INTO storage_model (key, etag, size_bytes, digest, arrived, state, reason, name, version, use_case, task,
            primary_metric, pipeline_digest, granted_limits)
        SELECT 'models/broken-' || n || '.atlas', n, 10, encode(sha256(n::text::bytea), 'hex'),
            now() - interval '5 days' * n, 'invalid', 'It is not a zip file.', 'broken-' || n || '.atlas', '', '', '',
            '', '', '{}'
        FROM generate_series(1, %s / 100) n
        """,
        [size.models],
    )


def _benchmarks(cursor: CursorWrapper) -> None:
    """Each model on every version of its tags: 92 of 100 are done, the others stand in all other states."""
    cursor.execute(
        """
        INSERT INTO storage_benchmark (model_id, dataset_version_id, model_digest, dataset_digest, metrics_digest,
            state, failure_class, reason, attempts, priority, not_before, claim, engine, phase, phase_done, phase_total,
            lease_until, queued, started, finished, wall_seconds, cpu_seconds, load_seconds, predict_seconds,
            peak_memory_bytes, predictions, latency_p50_seconds, latency_p95_seconds, latency_rows, predictions_key,
            hyperparameters, class_metrics, slice_metrics, provenance, warnings, output)
        SELECT m.id, v.id, m.digest, v.digest, lpad('', 64, '0'), drawn.state,
            CASE drawn.state WHEN 'failed' THEN 'out of memory' ELSE '' END,
            CASE drawn.state WHEN 'failed' THEN 'It needed more than the 2 GiB that it may use.'
                WHEN 'incompatible' THEN 'The dataset has no column rms.' ELSE '' END,
            0, 0, v.created, CASE drawn.state WHEN 'running' THEN md5(m.id::text || '-' || v.id) ELSE '' END, 'one',
            CASE drawn.state WHEN 'running' THEN 'predicting' ELSE '' END, 0, 0,
            CASE drawn.state WHEN 'running' THEN now() + interval '1 year' END, drawn.queued,
            CASE WHEN drawn.state IN ('done', 'failed', 'running') THEN drawn.queued + interval '1 minute' END,
            CASE WHEN drawn.state NOT IN ('queued', 'running') THEN drawn.queued + interval '2 minutes' END,
            CASE drawn.state WHEN 'done' THEN 2 + random() * 60 END, 2 + random() * 60, random(), 1 + random() * 10,
            (100 + random() * 900)::bigint << 20, v.evaluation_rows, random() / 100, random() / 50, 100, '',
            %(hyperparameters)s, %(class_metrics)s, '[]', %(provenance)s, '[]', ''
        FROM storage_model m JOIN storage_model_tags mt ON mt.model_id = m.id
            JOIN storage_datasetversion v ON v.tag_id = mt.datasettag_id
            CROSS JOIN LATERAL (SELECT random() AS chance, m.id AS of_model, v.id AS on_version OFFSET 0) AS dice
            CROSS JOIN LATERAL (SELECT greatest(v.created, m.arrived) + interval '1 second' * (m.id %% 1000) AS queued,
                CASE WHEN dice.chance < 0.92 THEN 'done' WHEN dice.chance < 0.95 THEN 'failed'
                WHEN dice.chance < 0.97 THEN 'incompatible' WHEN dice.chance < 0.98 THEN 'cancelled'
                WHEN dice.chance < 0.9995 THEN 'queued' ELSE 'running' END AS state) AS drawn
        ORDER BY drawn.queued
        """,
        {
            "hyperparameters": json.dumps([_written_out(each) for each in _hyperparameters()]),
            "class_metrics": json.dumps([_written_out(each) for each in _classes()]),
            "provenance": _written(
                Provenance(machine="bench", python="3.11.7", atlas="0.1.0", libraries={"numpy": "2.4.6"})
            ),
        },
    )


def _results(cursor: CursorWrapper) -> None:
    """The metrics of all that is done, with intervals, confusion matrices, and explanations of three in ten."""
    cursor.execute(
        """
        INSERT INTO storage_metric (benchmark_id, name, value, low, high, reason, greater_is_better, "primary")
        SELECT b.id, metric.name, drawn.value, drawn.value - 0.01 - 0.01 * random(), drawn.value + 0.01, '',
            metric.greater, metric.name = m.primary_metric
        FROM storage_benchmark b JOIN storage_model m ON m.id = b.model_id
            CROSS JOIN unnest(%s::text[], %s::boolean[]) AS metric (name, greater)
            CROSS JOIN LATERAL (SELECT 0.6 + 0.3 * ((b.model_id * 7919) %% 1000) / 1000 + 0.05 * random() AS value,
                b.id AS of_benchmark, metric.name AS of_metric OFFSET 0) AS drawn
        WHERE b.state = 'done' ORDER BY b.id
        """,
        [list(METRICS), [REGISTRY[name].greater_is_better for name in METRICS]],
    )
    counts = [[90 if truth == predicted else 3 for predicted in CLASSES] for truth in CLASSES]
    cursor.execute(
        """
        INSERT INTO storage_confusionmatrix (benchmark_id, classes, counts)
        SELECT id, %s::jsonb, %s::jsonb FROM storage_benchmark WHERE state = 'done'
        """,
        [json.dumps(CLASSES), json.dumps(counts)],
    )
    cursor.execute(
        """
        INSERT INTO storage_explanation (benchmark_id, impossible, document)
        SELECT id, CASE WHEN explained THEN '' ELSE %(why)s END,
            CASE WHEN explained THEN %(explanation)s::jsonb ELSE %(none)s::jsonb END
        FROM (SELECT id, random() < 0.3 AS explained FROM storage_benchmark WHERE state = 'done') AS drawn
        """,
        {
            "why": (why := "There was no time for its events."),
            "explanation": _written(_explanation()),
            "none": _written(Explanation(impossible=why)),
        },
    )


def _checks(cursor: CursorWrapper) -> None:
    """Each result is compared with earlier versions; one in twenty is worse."""
    cursor.execute(
        """
        INSERT INTO storage_regressioncheck (benchmark_id, changes, finding, made)
        SELECT id, CASE WHEN fell THEN %(worse)s::jsonb ELSE %(like)s::jsonb END,
            CASE WHEN fell THEN 'worse' ELSE 'within noise' END, finished
        FROM (SELECT id, finished, random() < 0.05 AS fell FROM storage_benchmark WHERE state = 'done') AS drawn
        """,
        {"worse": _changes(Finding.WORSE), "like": _changes(Finding.WITHIN_NOISE)},
    )
    cursor.execute("UPDATE storage_benchmark SET check_due = false WHERE state = 'done'")


def _log(cursor: CursorWrapper) -> None:
    """A line for each benchmark that ended."""
    cursor.execute(
        """
        INSERT INTO storage_logentry (time, level, component, message, detail, model_id, benchmark_id)
        SELECT finished, CASE state WHEN 'failed' THEN 'error' WHEN 'incompatible' THEN 'warning' ELSE 'info' END,
            (%s::text[])[1 + (id / 40) %% 4], 'Benchmark ' || id || ' is ' || state || '.', '', NULL, id
        FROM storage_benchmark WHERE finished IS NOT NULL ORDER BY finished
        """,
        [list(COMPONENTS)],
    )


# Documents ----------------------------------------------------------------------------------------------------------


def _hyperparameters() -> tuple[HyperparameterGroup, ...]:
    values = {f"parameter_{number}": str(number) for number in range(12)}
    return (HyperparameterGroup(step="classifier", estimator="RandomForestClassifier", values=values),)


def _classes() -> tuple[ClassMetrics, ...]:
    estimate = Estimate(value=0.8, low=0.78, high=0.82)
    return tuple(
        ClassMetrics(label=name, rows=100, precision=estimate, recall=estimate, f1=estimate) for name in CLASSES
    )


def _explanation() -> Explanation:
    found = tuple(
        Importance(feature=name, mean_absolute=(0.5 / number,) * len(CLASSES), standard_error=(0.01,) * len(CLASSES))
        for number, name in enumerate(COLUMNS, start=1)
    )
    return Explanation(
        method="TreeExplainer",
        output="probability",
        outputs=CLASSES,
        base_values=(0.2,) * len(CLASSES),
        rows=300,
        of_rows=300,
        picked_rows=0,
        importances=found,
        column_importances=found,
    )


def _changes(finding: Finding) -> str:
    difference = Difference(value=-0.01, low=-0.03, high=0.01, p=0.3, adjusted_p=0.6, finding=finding)
    before = Beside(benchmark=1, version=1, value=0.81, shared=200, difference=difference)
    found = (
        MetricChange(metric=name, value=0.8, greater_is_better=True, before=before, best=before, finding=finding)
        for name in METRICS
    )
    return json.dumps([_written_out(each) for each in found])


def _written(document: Document) -> str:
    return document.model_dump_json()


def _written_out(document: Document) -> object:
    return document.model_dump(mode="json")


def main() -> None:
    """Fill the database."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--versions", type=int, default=200)
    asked = parser.parse_args()
    fill(Size(asked.models, asked.versions))


if __name__ == "__main__":
    main()
