"""Rules that every installation begins with; people change and delete them like any other."""

from django.db import migrations
from django.utils import timezone

RULES = (
    ("A score fell", "drop", None),
    ("A benchmark failed", "failed", None),
    ("Much of the data has moved", "drift", 0.5),
    ("A part of the pipeline is down", "down", None),
)


def add(apps, schema_editor):
    rules = apps.get_model("storage", "AlertRule").objects
    for name, kind, threshold in RULES:
        rules.get_or_create(
            name=name, defaults={"kind": kind, "threshold": threshold, "created": timezone.now(), "by": "Atlas"}
        )


class Migration(migrations.Migration):
    dependencies = [("storage", "0008_watching")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop, elidable=False)]
