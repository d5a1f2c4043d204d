"""The engine's tables. Files as they were sent, signals, features and dataset versions lie in the object store."""

from django.db import models
from django.db.models import Q

SEVERAL_LABELS = "list<item: string>"
"""`Event.label_type` of what has several labels."""


class Ledger(models.Model):
    """One row that counts the changes of the data; who locks it is alone in making one."""

    revision = models.PositiveBigIntegerField(default=0)


class RecordingState(models.TextChoices):
    """How far a recording is."""

    WAITING = "waiting", "waiting"
    DECODING = "decoding", "being decoded"
    READY = "ready", "ready"
    FAILED = "failed", "failed"


class Recording(models.Model):
    """A file that was sent: a table of labelled events, or signals. Its file never changes, its events may."""

    name = models.CharField(max_length=128, unique=True)
    filename = models.CharField(max_length=255, blank=True, help_text="As its sender called it")
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField(default=0)
    received = models.DateTimeField()
    settings = models.JSONField(default=dict, help_text="RecordingSettings: how it is cut into events")
    state = models.CharField(max_length=16, choices=RecordingState, default=RecordingState.WAITING, db_index=True)
    problem = models.TextField(blank=True, help_text="Why it could not be decoded")
    losses = models.JSONField(default=list, help_text="What of a damaged file could not be saved, one text each")
    attempts = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, help_text="Whoever decodes it has it until then")
    start = models.DateTimeField(null=True, help_text="Of its signals; null if they do not say, or it has none")
    duration_seconds = models.FloatField(null=True, help_text="Of its signals; null if it has none")
    channels = models.JSONField(default=list, help_text="ChannelDescription of each signal")
    events_count = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.name

    @property
    def file_key(self) -> str:
        """Where the file lies as it was sent."""
        return f"recordings/{self.name}/{self.sha256}"

    @property
    def archive_prefix(self) -> str:
        """Below which its signals lie, as `bags.archive` writes them."""
        return f"signals/{self.name}/{self.sha256}/"


class Change(models.Model):
    """One change of the data. Its revision is the ledger's count when it was made."""

    revision = models.PositiveBigIntegerField(primary_key=True)
    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="changes")
    verb = models.CharField(max_length=16, help_text="ChangeVerb")
    who = models.CharField(max_length=150, blank=True, help_text="The person's name; nothing for the engine itself")
    made = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.revision}: {self.recording} {self.verb}"


class Features(models.Model):
    """A file with the feature columns of some of a recording's events, one row an event. It never changes."""

    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="features")
    key = models.CharField(max_length=300, unique=True)
    schema = models.BinaryField(help_text="Arrow schema of the feature columns, as an IPC message")

    def __str__(self) -> str:
        return self.key


class Column(models.Model):
    """A feature column that some recording has. One name holds one kind of value in all recordings."""

    name = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=100)

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"

    @property
    def key(self) -> str:
        """Its key in `Event.scalars`: free of whatever characters the name has."""
        return f"c{self.pk}"


class Event(models.Model):
    """What an event was from one revision on until another: everything but the signals.

    A row changes once, when the event is changed or deleted and `until` is set. So what any query selected at any
    revision can be told for ever, and all rows of one `event_id` are its history.
    """

    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="events", db_index=False)
    event_id = models.CharField(max_length=330)
    since = models.PositiveBigIntegerField(help_text="The revision with which it became so")
    until = models.PositiveBigIntegerField(null=True, help_text="The revision with which it was so no more")
    features = models.ForeignKey(Features, on_delete=models.PROTECT)
    row = models.PositiveIntegerField(help_text="Its row in the features, from 0")
    time = models.DateTimeField(null=True)
    duration_seconds = models.FloatField(null=True, help_text="Null where the recording has no signals")
    label = models.JSONField(null=True, help_text="As it was given: a text, a number, true or false, a list of texts")
    label_type = models.CharField(max_length=40, blank=True, help_text="Arrow type of the label; nothing without one")
    label_number = models.FloatField(null=True, help_text="The label, if it is a number or truth value")
    label_text = models.TextField(null=True, help_text="The label, if it is a text; several texts between separators")
    car = models.TextField(null=True)
    environment = models.TextField(null=True)
    scalars = models.JSONField(help_text="Value by Column.key; missing values have no key")
    shuffle = models.BigIntegerField(help_text="A number made from the event id, to draw samples by")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("event_id",), condition=Q(until=None), name="one_present_per_event"),
            models.UniqueConstraint(fields=("event_id", "since"), name="one_state_per_revision"),
        )
        indexes = (
            models.Index(fields=("label_text", "time"), name="event_label_time"),
            models.Index(fields=("car", "time"), name="event_car_time"),
            models.Index(fields=("recording", "time"), name="event_recording_time"),
            models.Index(fields=("time",), name="event_time"),
            models.Index(fields=("shuffle",), name="event_shuffle"),
            models.Index(fields=("since",), name="event_since"),
            models.Index(fields=("until",), condition=Q(until__isnull=False), name="event_until"),
            models.Index(fields=("time",), condition=Q(label_type=SEVERAL_LABELS), name="event_several_labels"),
        )

    def __str__(self) -> str:
        return self.event_id


class Tag(models.Model):
    """A name for a query."""

    name = models.CharField(max_length=128, unique=True)
    query = models.TextField(blank=True)
    created = models.DateTimeField()
    created_by = models.CharField(max_length=150, blank=True)
    every_seconds = models.PositiveIntegerField(
        null=True, help_text="How often the query is looked at; null: at every change of the data"
    )
    evaluated = models.DateTimeField(null=True, help_text="When the query was looked at last")
    evaluated_revision = models.PositiveBigIntegerField(
        default=0, help_text="The newest version holds what the query selected at this count of the ledger"
    )
    problem = models.TextField(blank=True, help_text="Why the last attempt to make a version failed")

    def __str__(self) -> str:
        return self.name


class Version(models.Model):
    """What a tag's query selected at one time. It never changes."""

    tag = models.ForeignKey(Tag, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    query_id = models.CharField(max_length=128, unique=True)
    digest = models.CharField(max_length=64)
    rows = models.PositiveIntegerField()
    revision = models.PositiveBigIntegerField(default=0, help_text="The ledger's count that it shows")
    events_key = models.CharField(max_length=300, blank=True, help_text="Where the list of its events lies")
    created = models.DateTimeField()
    description = models.TextField(help_text="The DatasetDescription as JSON")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tag", "number"), name="one_version_per_number"),)

    def __str__(self) -> str:
        return self.query_id


class Upload(models.Model):
    """A recording that comes in part by part."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=128)
    filename = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    received_bytes = models.PositiveBigIntegerField(default=0)
    settings = models.JSONField(default=dict, help_text="RecordingSettings")
    updated = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} ({self.received_bytes} of {self.size_bytes} bytes)"


class LabelFile(models.Model):
    """Labels of a recording that came as a file. Rows may wait for the recording to be decoded."""

    recording_name = models.CharField(max_length=128, db_index=True)
    sha256 = models.CharField(max_length=64)
    received = models.DateTimeField()
    who = models.CharField(max_length=150, blank=True)
    labels = models.JSONField(help_text="LabelledSpan of each row")
    applied = models.PositiveBigIntegerField(null=True, help_text="The revision with which it was applied")
    problem = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("recording_name", "sha256"), name="one_label_file"),)

    def __str__(self) -> str:
        return f"labels of {self.recording_name}"
