import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ingestion_engine', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='LabelFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('recording_name', models.CharField(db_index=True, max_length=128)),
                ('sha256', models.CharField(max_length=64)),
                ('received', models.DateTimeField()),
                ('who', models.CharField(blank=True, max_length=150)),
                ('labels', models.JSONField(help_text='LabelledSpan of each row')),
                ('applied', models.PositiveBigIntegerField(help_text='The revision with which it was applied', null=True)),
                ('problem', models.TextField(blank=True)),
            ],
        ),
        migrations.CreateModel(
            name='Upload',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=128)),
                ('filename', models.CharField(max_length=255)),
                ('sha256', models.CharField(max_length=64)),
                ('size_bytes', models.PositiveBigIntegerField()),
                ('received_bytes', models.PositiveBigIntegerField(default=0)),
                ('settings', models.JSONField(default=dict, help_text='RecordingSettings')),
                ('updated', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='event',
            name='duration_seconds',
            field=models.FloatField(help_text='Null where the recording has no signals', null=True),
        ),
        migrations.AddField(
            model_name='event',
            name='label_type',
            field=models.CharField(blank=True, help_text='Arrow type of the label; nothing without one', max_length=40),
        ),
        migrations.AddField(
            model_name='event',
            name='shuffle',
            field=models.BigIntegerField(default=0, help_text='A number made from the event id, to draw samples by'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='event',
            name='since',
            field=models.PositiveBigIntegerField(default=0, help_text='The revision with which it became so'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='event',
            name='until',
            field=models.PositiveBigIntegerField(help_text='The revision with which it was so no more', null=True),
        ),
        migrations.AddField(
            model_name='recording',
            name='attempts',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='recording',
            name='channels',
            field=models.JSONField(default=list, help_text='ChannelDescription of each signal'),
        ),
        migrations.AddField(
            model_name='recording',
            name='duration_seconds',
            field=models.FloatField(help_text='Of its signals; null if it has none', null=True),
        ),
        migrations.AddField(
            model_name='recording',
            name='filename',
            field=models.CharField(blank=True, help_text='As its sender called it', max_length=255),
        ),
        migrations.AddField(
            model_name='recording',
            name='leased_until',
            field=models.DateTimeField(help_text='Whoever decodes it has it until then', null=True),
        ),
        migrations.AddField(
            model_name='recording',
            name='losses',
            field=models.JSONField(default=list, help_text='What of a damaged file could not be saved, one text each'),
        ),
        migrations.AddField(
            model_name='recording',
            name='problem',
            field=models.TextField(blank=True, help_text='Why it could not be decoded'),
        ),
        migrations.AddField(
            model_name='recording',
            name='settings',
            field=models.JSONField(default=dict, help_text='RecordingSettings: how it is cut into events'),
        ),
        migrations.AddField(
            model_name='recording',
            name='size_bytes',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='recording',
            name='start',
            field=models.DateTimeField(help_text='Of its signals; null if they do not say, or it has none', null=True),
        ),
        migrations.AddField(
            model_name='recording',
            name='state',
            field=models.CharField(choices=[('waiting', 'waiting'), ('decoding', 'being decoded'), ('ready', 'ready'), ('failed', 'failed')], db_index=True, default='waiting', max_length=16),
        ),
        migrations.AddField(
            model_name='tag',
            name='created_by',
            field=models.CharField(blank=True, max_length=150),
        ),
        migrations.AddField(
            model_name='tag',
            name='evaluated',
            field=models.DateTimeField(help_text='When the query was looked at last', null=True),
        ),
        migrations.AddField(
            model_name='tag',
            name='every_seconds',
            field=models.PositiveIntegerField(help_text='How often the query is looked at; null: at every change of the data', null=True),
        ),
        migrations.AddField(
            model_name='tag',
            name='problem',
            field=models.TextField(blank=True, help_text='Why the last attempt to make a version failed'),
        ),
        migrations.AddField(
            model_name='version',
            name='events_key',
            field=models.CharField(blank=True, help_text='Where the list of its events lies', max_length=300),
        ),
        migrations.AddField(
            model_name='version',
            name='revision',
            field=models.PositiveBigIntegerField(default=0, help_text="The ledger's count that it shows"),
        ),
        migrations.AlterField(
            model_name='event',
            name='event_id',
            field=models.CharField(db_index=True, max_length=330),
        ),
        migrations.AlterField(
            model_name='event',
            name='label',
            field=models.JSONField(help_text='As it was given: a text, a number, true or false, a list of texts', null=True),
        ),
        migrations.AlterField(
            model_name='event',
            name='recording',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='ingestion_engine.recording'),
        ),
        migrations.AlterField(
            model_name='event',
            name='row',
            field=models.PositiveIntegerField(help_text='Its row in the features, from 0'),
        ),
        migrations.AlterField(
            model_name='recording',
            name='events_count',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='version',
            name='tag',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='ingestion_engine.tag'),
        ),
        migrations.CreateModel(
            name='Change',
            fields=[
                ('revision', models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ('verb', models.CharField(help_text='ChangeVerb', max_length=16)),
                ('who', models.CharField(blank=True, help_text="The person's name; nothing for the engine itself", max_length=150)),
                ('made', models.DateTimeField()),
                ('recording', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='ingestion_engine.recording')),
            ],
        ),
        migrations.CreateModel(
            name='Features',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=300, unique=True)),
                ('schema', models.BinaryField(help_text='Arrow schema of the feature columns, as an IPC message')),
                ('recording', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='features', to='ingestion_engine.recording')),
            ],
        ),
        migrations.AddField(
            model_name='event',
            name='features',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='ingestion_engine.features'),
        ),
        migrations.AddConstraint(
            model_name='event',
            constraint=models.UniqueConstraint(condition=models.Q(('until', None)), fields=('event_id',), name='one_present_per_event'),
        ),
        migrations.AddConstraint(
            model_name='event',
            constraint=models.UniqueConstraint(fields=('event_id', 'since'), name='one_state_per_revision'),
        ),
        migrations.AddConstraint(
            model_name='labelfile',
            constraint=models.UniqueConstraint(fields=('recording_name', 'sha256'), name='one_label_file'),
        ),
    ]
