"""The engine's tables. Files as they were sent, features and dataset versions lie in the object store."""

from django.db import models


class Ledger(models.Model):
    """One row that counts the accepted changes of the data; who locks it is alone in accepting one."""

    revision = models.PositiveBigIntegerField(default=0)


class Recording(models.Model):
    """A file of labelled events. It never changes."""

    name = models.CharField(max_length=128, unique=True)
    sha256 = models.CharField(max_length=64)
    events_count = models.PositiveIntegerField()
    schema = models.BinaryField(help_text="Arrow schema of the label and the feature columns, as an IPC message")
    revision = models.PositiveBigIntegerField(unique=True, help_text="The ledger's count when it was accepted")
    received = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @property
    def file_key(self) -> str:
        """Where the file lies as it was sent."""
        return f"recordings/{self.name}/{self.sha256}"

    @property
    def features_key(self) -> str:
        """Where the feature columns lie as Parquet, one row an event, in the file's order."""
        return f"features/{self.name}/{self.sha256}.parquet"


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
    """One labelled event of a recording, as queries see it: everything but the signals."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="events")
    row = models.PositiveIntegerField(help_text="Its row in the recording, from 0")
    event_id = models.CharField(max_length=330, unique=True)
    time = models.DateTimeField(null=True)
    label = models.JSONField(help_text="As it was given: a text, a number, true or false, or a list of texts")
    label_number = models.FloatField(null=True, help_text="The label, if it is a number or truth value")
    label_text = models.TextField(null=True, help_text="The label, if it is a text; several texts between separators")
    car = models.TextField(null=True)
    environment = models.TextField(null=True)
    scalars = models.JSONField(help_text="Value by Column.key; missing values have no key")

    def __str__(self) -> str:
        return self.event_id


class Tag(models.Model):
    """A name for a query."""

    name = models.CharField(max_length=128, unique=True)
    query = models.TextField(blank=True)
    created = models.DateTimeField()
    evaluated_revision = models.PositiveBigIntegerField(
        default=0, help_text="The newest version holds what the query selected at this count of the ledger"
    )

    def __str__(self) -> str:
        return self.name


class Version(models.Model):
    """What a tag's query selected at one time. It never changes."""

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    query_id = models.CharField(max_length=128, unique=True)
    digest = models.CharField(max_length=64)
    rows = models.PositiveIntegerField()
    created = models.DateTimeField()
    description = models.TextField(help_text="The DatasetDescription as JSON")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tag", "number"), name="one_version_per_number"),)

    def __str__(self) -> str:
        return self.query_id
