"""Watching models over time: drift, regressions, alerts, gates, live data, inference on demand."""

import uuid
from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from atlas.paired import Finding
from atlas.states import FailureClass, State
from atlas.watching import AlertKind, AlertState, ChannelKind, DeliveryState, GateKind, InferenceKind, News, Stage
from storage.models._core import Benchmark, DatasetTag, DatasetVersion, Model, choices

# Drift and regressions ----------------------------------------------------------------------------------------------


class VersionDrift(models.Model):
    """How far the columns and labels of a dataset version have moved, whatever the model.

    The documents are `atlas.drift.TableDrift`; null of the first version, and where `problem` says why. `again` is when
    it is tried again, if that may help.
    """

    version = models.OneToOneField(DatasetVersion, on_delete=models.CASCADE, related_name="drift")
    from_first = models.JSONField(null=True, blank=True)
    from_previous = models.JSONField(null=True, blank=True)
    share_moved = models.FloatField(null=True, blank=True, help_text="of the columns, from the version before")
    farthest = models.FloatField(null=True, blank=True, help_text="largest distance of a column, likewise")
    problem = models.TextField(blank=True)
    again = models.DateTimeField(null=True, blank=True)
    made = models.DateTimeField()

    def __str__(self) -> str:
        return f"Drift of {self.version}"


class Drift(models.Model):
    """How far the data of a benchmark lie from what its model was trained on: an `atlas.drift.TableDrift`.

    `predictions` is an `atlas.drift.ColumnDrift` of the predictions, from those on the version before.
    """

    benchmark = models.OneToOneField(Benchmark, on_delete=models.CASCADE, related_name="drift")
    document = models.JSONField(null=True, blank=True)
    unknown = models.TextField(blank=True, help_text="why there is no document, or no predictions in it")
    share_moved = models.FloatField(null=True, blank=True)
    farthest = models.FloatField(null=True, blank=True)
    predictions = models.JSONField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Drift of {self.benchmark}"


class RegressionCheck(models.Model):
    """A result beside those on earlier versions: a list of `atlas.changes.MetricChange`, the primary metric's first.

    `finding` is that of the primary metric.
    """

    benchmark = models.OneToOneField(Benchmark, on_delete=models.CASCADE, related_name="check_made")
    changes = models.JSONField()
    finding = models.CharField(max_length=20, choices=choices(Finding), db_index=True)
    made = models.DateTimeField()

    def __str__(self) -> str:
        return f"Check of {self.benchmark}"


# Alerts -------------------------------------------------------------------------------------------------------------


class Channel(models.Model):
    """Where alerts are sent: addresses of e-mail, a webhook, or a chat service as apprise names it."""

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=10, choices=choices(ChannelKind))
    address = models.TextField(help_text="e-mail addresses, or a URL")
    secret = models.CharField(max_length=200, blank=True, help_text="what a webhook's messages are signed with")
    enabled = models.BooleanField(default=True)
    created = models.DateTimeField()
    by = models.CharField(max_length=200)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class AlertRule(models.Model):
    """What is worth an alert. Without a model, use case, tag or component it is about all of them."""

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=20, choices=choices(AlertKind))
    metric = models.CharField(max_length=200, blank=True, help_text="the primary one if empty")
    threshold = models.FloatField(null=True, blank=True, help_text="atlas.watching.AlertKind says what it means")
    model = models.ForeignKey(Model, null=True, blank=True, on_delete=models.CASCADE, related_name="alert_rules")
    use_case = models.CharField(max_length=200, blank=True)
    tag = models.ForeignKey(DatasetTag, null=True, blank=True, on_delete=models.CASCADE, related_name="alert_rules")
    component = models.CharField(max_length=50, blank=True)
    channels = models.ManyToManyField(Channel, blank=True, related_name="rules")
    enabled = models.BooleanField(default=True)
    created = models.DateTimeField()
    by = models.CharField(max_length=200)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Alert(models.Model):
    """One cause, from when it was seen until it is gone. It outlives its rule."""

    rule = models.ForeignKey(AlertRule, null=True, blank=True, on_delete=models.SET_NULL, related_name="alerts")
    kind = models.CharField(max_length=20, choices=choices(AlertKind))
    cause = models.CharField(max_length=64, help_text="what tells causes of a rule apart: a sha256")
    model = models.ForeignKey(Model, null=True, blank=True, on_delete=models.CASCADE, related_name="alerts")
    benchmark = models.ForeignKey(Benchmark, null=True, blank=True, on_delete=models.SET_NULL, related_name="alerts")
    metric = models.CharField(max_length=200, blank=True)
    component = models.CharField(max_length=50, blank=True)
    text = models.TextField(help_text="what happened, in one line")
    why = models.TextField(blank=True)
    opened = models.DateTimeField(db_index=True)
    recovered = models.DateTimeField(null=True, blank=True)
    acknowledged = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-opened", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule", "cause"], condition=Q(recovered=None), name="storage_one_open_alert_per_cause"
            ),
        ]
        indexes: ClassVar = [
            models.Index("opened", condition=Q(recovered=None), name="storage_alerts_open"),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def state(self) -> AlertState:
        """Where it stands."""
        if self.recovered:
            return AlertState.RECOVERED
        return AlertState.ACKNOWLEDGED if self.acknowledged else AlertState.OPEN


class Delivery(models.Model):
    """One message to one channel. Its key goes with it, so that a receiver can tell that it has it already.

    That of a test is about no alert.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    alert = models.ForeignKey(Alert, null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    news = models.CharField(max_length=10, choices=choices(News))
    state = models.CharField(max_length=10, choices=choices(DeliveryState), default=DeliveryState.WAITING.value)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    sent = models.DateTimeField(null=True, blank=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["not_before", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alert", "channel", "news"], name="storage_one_delivery_of_each_news")
        ]
        indexes: ClassVar = [
            models.Index(
                "not_before", condition=Q(state__in=["waiting", "sending"]), name="storage_deliveries_to_make"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.news} to {self.channel}: {self.alert or 'a test'}"


# Gates --------------------------------------------------------------------------------------------------------------


class GateRule(models.Model):
    """What a model must pass before it becomes champion of a use case."""

    use_case = models.CharField(max_length=200, db_index=True)
    kind = models.CharField(max_length=30, choices=choices(GateKind))
    metric = models.CharField(max_length=200, blank=True, help_text="the primary one if empty")
    threshold = models.FloatField(null=True, blank=True, help_text="atlas.watching.GateKind says what it means")
    created = models.DateTimeField()
    by = models.CharField(max_length=200)

    class Meta:
        ordering: ClassVar = ["use_case", "pk"]

    def __str__(self) -> str:
        return f"{self.use_case}: {self.kind}"


class ModelStage(models.Model):
    """Where a model stands in its use case, once somebody said so."""

    model = models.OneToOneField(Model, on_delete=models.CASCADE, related_name="stage")
    use_case = models.CharField(max_length=200)
    stage = models.CharField(max_length=10, choices=choices(Stage))
    since = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["use_case"], condition=Q(stage="champion"), name="storage_one_champion_per_use_case"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model}: {self.stage}"


class StageChange(models.Model):
    """Who moved a model from one stage to another, and why. Names are kept as text, so that it outlives the model."""

    model = models.ForeignKey(Model, null=True, blank=True, on_delete=models.SET_NULL, related_name="stage_changes")
    name = models.CharField(max_length=500)
    use_case = models.CharField(max_length=200, db_index=True)
    before = models.CharField(max_length=10, blank=True, choices=choices(Stage))
    after = models.CharField(max_length=10, choices=choices(Stage))
    by = models.CharField(max_length=200)
    why = models.TextField()
    checks = models.JSONField(default=list, help_text="a list of atlas.watching.GateCheck, as they stood then")
    made = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-made", "-pk"]

    def __str__(self) -> str:
        return f"{self.name}: {self.before or 'new'} to {self.after}"


# Predictions on demand and on live data -----------------------------------------------------------------------------


class LiveWatch(models.Model):
    """A model that is run on each new version of a tag of live data, labelled or not."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="live_watches")
    tag = models.ForeignKey(DatasetTag, on_delete=models.CASCADE, related_name="live_watches")
    by = models.CharField(max_length=200)
    since = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["model", "tag"], name="storage_one_watch_per_tag")]

    def __str__(self) -> str:
        return f"{self.model} on {self.tag}"


class Inference(models.Model):
    """Predictions that are no benchmark: of events that a person chose, of rows that they sent, or of live data.

    Just one of `dataset_version`, `rows_key` and `recording` says what is predicted. Only `storage.records` changes
    `state`, as it does of benchmarks. `document` is an `atlas.inference.Inferred`.
    """

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="inferences")
    kind = models.CharField(max_length=10, choices=choices(InferenceKind))
    dataset_version = models.ForeignKey(
        DatasetVersion, null=True, blank=True, on_delete=models.CASCADE, related_name="inferences"
    )
    events = models.JSONField(default=list, blank=True, help_text="ids of events of the version; all if empty")
    most = models.PositiveIntegerField(null=True, blank=True, help_text="only so many of the version's first events")
    recording = models.CharField(max_length=200, blank=True, help_text="that the ingestion engine has")
    rows_key = models.CharField(max_length=500, blank=True, help_text="of the rows that were sent, in the object store")
    rows_name = models.CharField(max_length=255, blank=True, help_text="of the file that was sent")
    explains = models.BooleanField(default=True)
    by = models.CharField(max_length=200, blank=True)
    asked = models.DateTimeField(db_index=True)

    state = models.CharField(max_length=12, choices=choices(State), default=State.QUEUED.value)
    failure_class = models.CharField(max_length=30, blank=True, choices=choices(FailureClass))
    reason = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    claim = models.CharField(max_length=32, blank=True)
    engine = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)

    rows = models.PositiveBigIntegerField(null=True, blank=True)
    document = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    predictions_key = models.CharField(max_length=500, blank=True)
    values_key = models.CharField(max_length=500, blank=True)
    events_key = models.CharField(max_length=500, blank=True)
    output = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-asked", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["model", "dataset_version"], condition=Q(kind="live"), name="storage_one_live_run_per_version"
            )
        ]
        indexes: ClassVar = [
            models.Index("not_before", condition=Q(state__in=["queued", "running"]), name="storage_inferences_to_run"),
            models.Index("model", "kind", name="storage_inferences_of_model"),
        ]

    def __str__(self) -> str:
        return f"{self.model} on {self.dataset_version or self.recording or self.rows_name}"
