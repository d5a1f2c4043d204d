"""What was stored before events could change: each recording is one change, and has one file of features."""

import hashlib

import pyarrow as pa
from django.db import migrations


def carry_over(apps, schema_editor):
    model = {name: apps.get_model("ingestion_engine", name) for name in ("Recording", "Change", "Features", "Event")}
    for recording in model["Recording"].objects.all():
        schema = pa.ipc.read_schema(pa.py_buffer(bytes(recording.schema)))
        model["Change"].objects.create(
            revision=recording.revision, recording=recording, verb="received", made=recording.received
        )
        features = model["Features"].objects.create(
            recording=recording,
            key=f"features/{recording.name}/{recording.sha256}.parquet",
            schema=schema.remove(0).serialize().to_pybytes(),
        )
        events = model["Event"].objects.filter(recording=recording)
        events.update(features=features, since=recording.revision, label_type=str(schema.field(0).type))
        for event in events.only("event_id").iterator():
            number = int.from_bytes(hashlib.sha256(event.event_id.encode()).digest()[8:15], "big")
            model["Event"].objects.filter(pk=event.pk).update(shuffle=number)
    model["Recording"].objects.update(state="ready")


class Migration(migrations.Migration):

    dependencies = [
        ('ingestion_engine', '0002_events_change'),
    ]

    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
