import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ingestion_engine', '0003_carry_over'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='recording',
            name='revision',
        ),
        migrations.RemoveField(
            model_name='recording',
            name='schema',
        ),
        migrations.AlterField(
            model_name='event',
            name='features',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='ingestion_engine.features'),
        ),
    ]
