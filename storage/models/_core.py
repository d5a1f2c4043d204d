"""Models, datasets, benchmarks and their results; the engine's own business; people."""

from enum import StrEnum
from typing import ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Case, F, Q, When

from atlas.access import Verb, Via
from atlas.states import ComponentState, FailureClass, Level, ModelState, Phase, State
from atlas.vocabulary import Task


def choices(words: type[StrEnum]) -> list[tuple[str, str]]:
    """The words of an enumeration, for a field."""
    return [(word.value, word.value.capitalize()) for word in words]


class Author(models.Model):
    """Who made a model."""

    name = models.CharField(max_length=200)
    email = models.EmailField(unique=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class DatasetTag(models.Model):
    """A human-readable name for a query of the ingestion engine."""

    name = models.CharField(max_length=128, unique=True)
    query = models.TextField(blank=True)
    checked = models.DateTimeField(null=True, blank=True, help_text="when the ingestion engine was last asked")
    problem = models.TextField(blank=True, help_text="why the last question had no answer")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class DatasetVersion(models.Model):
    """The events that a tag's query selected at one time. `description` is an `atlas.datasets.DatasetDescription`."""

    tag = models.ForeignKey(DatasetTag, on_delete=models.PROTECT, related_name="versions")
    query_id = models.CharField(max_length=128, unique=True)
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, db_index=True)
    rows = models.PositiveIntegerField()
    evaluation_rows = models.PositiveIntegerField()
    created = models.DateTimeField(db_index=True)
    description = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        ordering: ClassVar = ["tag", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tag", "number"], name="storage_one_version_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.tag.name} v{self.number}"


class Model(models.Model):
    """A file in the object store's `models/`, and what it says of itself if it is a bundle.

    `name` is unique among ready models. An invalid file has its key's last part for a name and `reason` says what is
    wrong with it; nothing else is known of it.

    The fields from `unfinished` on sum up its benchmarks, so that lists are sorted without reading these;
    `storage.records` says what they mean and keeps them. The first are numbers of benchmarks; `result` and
    `explained_on` are keys of benchmarks.
    """

    key = models.CharField(max_length=500, unique=True)
    etag = models.CharField(max_length=200)
    size_bytes = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64, db_index=True)
    arrived = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=10, choices=choices(ModelState))
    reason = models.TextField(blank=True)
    name = models.CharField(max_length=500)
    version = models.CharField(max_length=200, blank=True)
    use_case = models.CharField(max_length=200, blank=True, db_index=True)
    task = models.CharField(max_length=20, blank=True, choices=choices(Task))
    author = models.ForeignKey(Author, null=True, blank=True, on_delete=models.PROTECT, related_name="models")
    tags = models.ManyToManyField(DatasetTag, blank=True, related_name="models")
    primary_metric = models.CharField(max_length=200, blank=True)
    created = models.DateTimeField(null=True, blank=True)
    pipeline_digest = models.CharField(max_length=64, blank=True, db_index=True)
    granted_limits = models.JSONField(
        default=dict, blank=True, help_text="what an administrator lets it use instead of the settings' limits"
    )
    manifest = models.JSONField(null=True, blank=True)

    unfinished = models.PositiveIntegerField(default=0, editable=False)
    done = models.PositiveIntegerField(default=0, editable=False)
    failed = models.PositiveIntegerField(default=0, editable=False)
    incompatible = models.PositiveIntegerField(default=0, editable=False)
    cancelled = models.PositiveIntegerField(default=0, editable=False)
    result = models.PositiveBigIntegerField(null=True, editable=False)
    score = models.FloatField(null=True, editable=False)
    low = models.FloatField(null=True, editable=False)
    high = models.FloatField(null=True, editable=False)
    explained_on = models.PositiveBigIntegerField(null=True, editable=False)
    unexplained = models.TextField(blank=True, editable=False)
    trouble = models.TextField(blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-arrived"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(state="ready"), name="storage_one_ready_model_per_name"
            ),
        ]
        indexes: ClassVar = [
            models.Index(F("arrived").desc(), F("id").desc(), name="storage_models_newest_first"),
            models.Index(
                "state", "unfinished", "done", "failed", "incompatible", "cancelled", name="storage_models_standing"
            ),
            models.Index("use_case", "created", condition=Q(state="ready"), name="storage_models_of_use_case"),
            models.Index("primary_metric", condition=Q(state="ready"), name="storage_models_by_metric"),
        ]

    def __str__(self) -> str:
        return self.name


class Benchmark(models.Model):
    """One model on one dataset version, measured by one specification of metrics.

    Only `storage.records` changes `state`, each time comparing it with what it was. A running benchmark belongs to
    `claim` until `lease_until`.
    """

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="benchmarks")
    dataset_version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="benchmarks")
    model_digest = models.CharField(max_length=64)
    dataset_digest = models.CharField(max_length=64)
    metrics_digest = models.CharField(max_length=64)

    state = models.CharField(max_length=12, choices=choices(State), db_index=True)
    failure_class = models.CharField(max_length=30, blank=True, choices=choices(FailureClass))
    reason = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    priority = models.SmallIntegerField(default=0, help_text="higher runs first")
    not_before = models.DateTimeField(help_text="a queued benchmark waits until then")
    claim = models.CharField(max_length=32, blank=True)
    engine = models.CharField(max_length=200, blank=True)
    phase = models.CharField(max_length=20, blank=True, choices=choices(Phase))
    phase_done = models.PositiveBigIntegerField(default=0, help_text="rows predicted so far")
    phase_total = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    queued = models.DateTimeField()
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True, db_index=True)

    wall_seconds = models.FloatField(null=True, blank=True)
    cpu_seconds = models.FloatField(null=True, blank=True)
    load_seconds = models.FloatField(null=True, blank=True)
    predict_seconds = models.FloatField(null=True, blank=True)
    peak_memory_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    predictions = models.PositiveBigIntegerField(null=True, blank=True)
    latency_p50_seconds = models.FloatField(null=True, blank=True)
    latency_p95_seconds = models.FloatField(null=True, blank=True)
    latency_rows = models.PositiveIntegerField(default=0)
    predictions_key = models.CharField(max_length=500, blank=True, help_text="of the Parquet file in the object store")
    hyperparameters = models.JSONField(default=list, blank=True)
    class_metrics = models.JSONField(default=list, blank=True, help_text="a list of atlas.results.ClassMetrics")
    slice_metrics = models.JSONField(default=list, blank=True, help_text="a list of atlas.results.SliceMetrics")
    provenance = models.JSONField(null=True, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    output = models.TextField(blank=True)

    place = models.GeneratedField(
        expression=Case(When(state=State.RUNNING.value, then=0), When(state=State.QUEUED.value, then=2), default=1),
        output_field=models.SmallIntegerField(),
        db_persist=True,
        help_text="in lists: what runs now comes first, then what has ended, then what waits",
    )
    score = models.FloatField(null=True, blank=True, editable=False, help_text="the value of the primary metric")
    low = models.FloatField(null=True, blank=True, editable=False)
    high = models.FloatField(null=True, blank=True, editable=False)
    greater_is_better = models.BooleanField(null=True, blank=True, editable=False)
    check_due = models.BooleanField(
        default=True, editable=False, help_text="whether it is still to be compared with the versions before"
    )

    class Meta:
        ordering: ClassVar = ["-queued", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["model_digest", "dataset_digest", "metrics_digest"],
                name="storage_one_benchmark_per_specification",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                F("priority").desc(),
                "dataset_version",
                "id",
                condition=Q(state="queued"),
                name="storage_benchmarks_to_claim",
            ),
            models.Index("lease_until", condition=Q(state="running"), name="storage_benchmarks_with_lease"),
            models.Index("id", condition=Q(state="done", check_due=True), name="storage_benchmarks_to_check"),
            models.Index("model", condition=Q(state="running"), name="storage_benchmarks_running"),
            models.Index("model", "dataset_version", name="storage_benchmarks_of_model"),
            models.Index("dataset_version", "state", "model", "score", name="storage_benchmarks_of_version"),
            models.Index("place", F("finished").desc(), F("id").desc(), name="storage_benchmarks_by_place"),
        ]

    def __str__(self) -> str:
        return f"{self.model} on {self.dataset_version}"


class Metric(models.Model):
    """One metric of a benchmark that is done; `value` is null, and `reason` says why, where there is none.

    `low` and `high` are the ends of its 95 % interval, null where there is none.
    """

    benchmark = models.ForeignKey(Benchmark, on_delete=models.CASCADE, related_name="metrics")
    name = models.CharField(max_length=200)
    value = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    reason = models.TextField(blank=True)
    greater_is_better = models.BooleanField()
    primary = models.BooleanField()

    class Meta:
        ordering: ClassVar = ["-primary", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["benchmark", "name"], name="storage_one_value_per_metric"),
            models.UniqueConstraint(fields=["benchmark"], condition=Q(primary=True), name="storage_one_primary_metric"),
        ]

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"


class ConfusionMatrix(models.Model):
    """`counts[i][j]` events of class i were predicted as class j."""

    benchmark = models.OneToOneField(Benchmark, on_delete=models.CASCADE, related_name="confusion_matrix")
    classes = models.JSONField()
    counts = models.JSONField()

    class Meta:
        verbose_name_plural = "confusion matrices"

    def __str__(self) -> str:
        return f"Confusion matrix of {self.benchmark}"


class Residuals(models.Model):
    """True and predicted values of a sample of a regression's events."""

    benchmark = models.OneToOneField(Benchmark, on_delete=models.CASCADE, related_name="residuals")
    truth = models.JSONField()
    predicted = models.JSONField()

    class Meta:
        verbose_name_plural = "residuals"

    def __str__(self) -> str:
        return f"Residuals of {self.benchmark}"


class Explanation(models.Model):
    """Why the model predicts as it does: an `atlas.results.Explanation`, or why there is none."""

    benchmark = models.OneToOneField(Benchmark, on_delete=models.CASCADE, related_name="explanation")
    impossible = models.TextField(blank=True)
    document = models.JSONField()

    def __str__(self) -> str:
        return f"Explanation of {self.benchmark}"


class Pause(models.Model):
    """While there is one, no engine starts a benchmark; what runs goes on."""

    since = models.DateTimeField()
    by = models.CharField(max_length=200)
    reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"Paused by {self.by}"


class LogEntry(models.Model):
    """What a component did or met, for people."""

    time = models.DateTimeField(db_index=True)
    level = models.CharField(max_length=10, choices=choices(Level))
    component = models.CharField(max_length=50)
    message = models.TextField()
    detail = models.TextField(blank=True, help_text="traceback or captured output")
    model = models.ForeignKey(Model, null=True, blank=True, on_delete=models.CASCADE, related_name="log")
    benchmark = models.ForeignKey(Benchmark, null=True, blank=True, on_delete=models.CASCADE, related_name="log")

    class Meta:
        ordering: ClassVar = ["-time", "-pk"]
        verbose_name_plural = "log entries"
        indexes: ClassVar = [
            models.Index("component", "id", name="storage_log_of_component"),
            models.Index("level", "id", name="storage_log_of_level"),
        ]

    def __str__(self) -> str:
        return self.message


class ComponentStatus(models.Model):
    """The last sign of life of a component."""

    name = models.CharField(max_length=50, unique=True)
    state = models.CharField(max_length=10, choices=choices(ComponentState))
    message = models.TextField(blank=True)
    seen = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "component statuses"

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"


class ApiToken(models.Model):
    """What a script signs in with. Only the sha256 of the secret is kept; `start` is what its owner knows it by."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    start = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(help_text="a list of atlas.access.Right")
    created = models.DateTimeField()
    expires = models.DateTimeField(null=True, blank=True)
    used = models.DateTimeField(null=True, blank=True, help_text="when it was used last, to the minute")

    class Meta:
        ordering: ClassVar = ["-created"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "name"], name="storage_one_token_per_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.start}…)"


class Action(models.Model):
    """Something that a person did: the audit log. Names are kept as text, so that it outlives what it tells of."""

    time = models.DateTimeField(db_index=True)
    person = models.CharField(max_length=200, db_index=True)
    via = models.CharField(max_length=10, choices=choices(Via))
    verb = models.CharField(max_length=20, choices=choices(Verb))
    kind = models.CharField(max_length=50, help_text="of the thing, such as model, benchmark, token")
    thing = models.CharField(max_length=500, help_text="its name")
    detail = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-time", "-pk"]

    def __str__(self) -> str:
        return f"{self.person} {self.verb} {self.kind} {self.thing}".rstrip()


class Preference(models.Model):
    """How a person left a list: the query string that comes back when it is opened without one."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences")
    page = models.CharField(max_length=50)
    query = models.CharField(max_length=2000)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "page"], name="storage_one_view_per_page")]

    def __str__(self) -> str:
        return f"{self.page}?{self.query}"


class Upload(models.Model):
    """A file on its way in, part by part. Its parts are objects below `uploads/`, named after its key and place."""

    id = models.UUIDField(primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=255, help_text="of the file")
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    received_bytes = models.PositiveBigIntegerField(default=0)
    started = models.DateTimeField()
    touched = models.DateTimeField(db_index=True, help_text="when its last part came")

    class Meta:
        ordering: ClassVar = ["-started"]

    def __str__(self) -> str:
        return self.name


class Removal(models.Model):
    """An object of the store that a person wants gone. The engine deletes it, then this row; until then no engine
    takes it in again."""

    key = models.CharField(max_length=500, unique=True)
    etag = models.CharField(
        max_length=200, blank=True, help_text="of the content that is to go; what came later under the key stays"
    )
    by = models.CharField(max_length=200)
    asked = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class Orphan(models.Model):
    """An object of the store that nothing in the tables refers to, as the engine found it last."""

    key = models.CharField(max_length=500, unique=True)
    etag = models.CharField(max_length=200, blank=True)
    size_bytes = models.PositiveBigIntegerField()
    modified = models.DateTimeField()
    found = models.DateTimeField(help_text="when it was first seen without an owner")
    why = models.TextField(help_text="what it was, as far as its place tells")

    class Meta:
        ordering: ClassVar = ["key"]

    def __str__(self) -> str:
        return self.key


class StoreReport(models.Model):
    """When the engine last looked through the object store for orphans, and how much it looked at. There is one row."""

    made = models.DateTimeField()
    objects_seen = models.PositiveBigIntegerField()
    bytes_seen = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"Report of {self.made:%Y-%m-%d %H:%M} UTC"
