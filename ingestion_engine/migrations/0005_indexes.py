import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ingestion_engine', '0004_without_what_was_carried'),
    ]

    operations = [
        migrations.AlterField(
            model_name='event',
            name='event_id',
            field=models.CharField(max_length=330),
        ),
        migrations.AlterField(
            model_name='event',
            name='recording',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='ingestion_engine.recording'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['label_text', 'time'], name='event_label_time'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['car', 'time'], name='event_car_time'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['recording', 'time'], name='event_recording_time'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['time'], name='event_time'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['shuffle'], name='event_shuffle'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['since'], name='event_since'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('until__isnull', False)), fields=['until'], name='event_until'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('label_type', 'list<item: string>')), fields=['time'], name='event_several_labels'),
        ),
    ]
