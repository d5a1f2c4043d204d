from django.db import migrations, models
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce


def index_scores(_apps, schema_editor):
    """Index what lists are sorted by where what is not known comes last in either direction: SQLite has no such index."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, column in (
        ("storage_model", "score"),
        ("storage_benchmark", "score"),
        ("storage_benchmark", "finished"),
        ("storage_benchmark", "wall_seconds"),
    ):
        name = f"{table}_{column}"
        schema_editor.execute(f"CREATE INDEX {name}_down ON {table} ({column} DESC NULLS LAST, id DESC)")
        schema_editor.execute(f"CREATE INDEX {name}_up ON {table} ({column} ASC NULLS LAST, id DESC)")


def keep_scores(apps, _schema_editor):
    """Copy the primary metric of each benchmark that has one."""
    Benchmark, Metric = apps.get_model("storage", "Benchmark"), apps.get_model("storage", "Metric")
    primary = Metric.objects.filter(benchmark=OuterRef("pk"), primary=True)
    fields = ("value", "low", "high", "greater_is_better")
    value, low, high, greater = (Subquery(primary.values(field)[:1]) for field in fields)
    Benchmark.objects.filter(metrics__primary=True).update(score=value, low=low, high=high, greater_is_better=greater)


def sum_up(apps, _schema_editor):
    """Say in each model's row how its benchmarks stand."""
    Benchmark, Model = apps.get_model("storage", "Benchmark"), apps.get_model("storage", "Model")
    own = Benchmark.objects.filter(model=OuterRef("pk"))
    done = own.filter(state="done").order_by("-dataset_version__created", "-pk")
    troubled = own.filter(state__in=("failed", "incompatible")).order_by("-queued", "-pk")
    Model.objects.update(
        unfinished=_number_of(own.filter(state__in=("queued", "running"))),
        done=_number_of(own.filter(state="done")),
        failed=_number_of(own.filter(state="failed")),
        incompatible=_number_of(own.filter(state="incompatible")),
        cancelled=_number_of(own.filter(state="cancelled")),
        result=Subquery(done.values("pk")[:1]),
        explained_on=Subquery(done.filter(explanation__impossible="").values("pk")[:1]),
        unexplained=Coalesce(Subquery(done.values("explanation__impossible")[:1]), models.Value("")),
        trouble=Coalesce(Subquery(troubled.values("reason")[:1]), models.Value("")),
    )
    result = Benchmark.objects.filter(pk=OuterRef("result"))
    score, low, high = (Subquery(result.values(field)[:1]) for field in ("score", "low", "high"))
    Model.objects.filter(result__isnull=False).update(score=score, low=low, high=high)


def _number_of(found):
    return Coalesce(Subquery(found.order_by().values("model").annotate(number=Count("pk")).values("number")), 0)


class Migration(migrations.Migration):

    dependencies = [
        ('storage', '0006_administration'),
    ]

    operations = [
        migrations.AddField(
            model_name='benchmark',
            name='greater_is_better',
            field=models.BooleanField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='benchmark',
            name='high',
            field=models.FloatField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='benchmark',
            name='low',
            field=models.FloatField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='benchmark',
            name='place',
            field=models.GeneratedField(db_persist=True, expression=models.Case(models.When(state='running', then=0), models.When(state='queued', then=2), default=1), help_text='in lists: what runs now comes first, then what has ended, then what waits', output_field=models.SmallIntegerField()),
        ),
        migrations.AddField(
            model_name='benchmark',
            name='score',
            field=models.FloatField(blank=True, editable=False, help_text='the value of the primary metric', null=True),
        ),
        migrations.AddField(
            model_name='model',
            name='cancelled',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='model',
            name='done',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='model',
            name='explained_on',
            field=models.PositiveBigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='model',
            name='failed',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='model',
            name='high',
            field=models.FloatField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='model',
            name='incompatible',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='model',
            name='low',
            field=models.FloatField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='model',
            name='result',
            field=models.PositiveBigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='model',
            name='score',
            field=models.FloatField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='model',
            name='trouble',
            field=models.TextField(blank=True, editable=False),
        ),
        migrations.AddField(
            model_name='model',
            name='unexplained',
            field=models.TextField(blank=True, editable=False),
        ),
        migrations.AddField(
            model_name='model',
            name='unfinished',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddIndex(
            model_name='benchmark',
            index=models.Index(models.F('model'), condition=models.Q(('state', 'running')), name='storage_benchmarks_running'),
        ),
        migrations.AddIndex(
            model_name='benchmark',
            index=models.Index(models.F('dataset_version'), models.F('state'), models.F('model'), models.F('score'), name='storage_benchmarks_of_version'),
        ),
        migrations.AddIndex(
            model_name='benchmark',
            index=models.Index(models.F('place'), models.OrderBy(models.F('finished'), descending=True), models.OrderBy(models.F('id'), descending=True), name='storage_benchmarks_by_place'),
        ),
        migrations.AddIndex(
            model_name='model',
            index=models.Index(models.OrderBy(models.F('arrived'), descending=True), models.OrderBy(models.F('id'), descending=True), name='storage_models_newest_first'),
        ),
        migrations.AddIndex(
            model_name='model',
            index=models.Index(models.F('state'), models.F('unfinished'), models.F('done'), models.F('failed'), models.F('incompatible'), models.F('cancelled'), name='storage_models_standing'),
        ),
        migrations.AddIndex(
            model_name='model',
            index=models.Index(models.F('use_case'), models.F('created'), condition=models.Q(('state', 'ready')), name='storage_models_of_use_case'),
        ),
        migrations.AddIndex(
            model_name='model',
            index=models.Index(models.F('primary_metric'), condition=models.Q(('state', 'ready')), name='storage_models_by_metric'),
        ),
        migrations.RunPython(index_scores, migrations.RunPython.noop),
        # PostgreSQL changes no table once rows of it were changed in the same transaction: so these come last.
        migrations.RunPython(keep_scores, migrations.RunPython.noop),
        migrations.RunPython(sum_up, migrations.RunPython.noop),
    ]
