"""What watching models over time keeps, in Django's admin: to be read. The dashboard's pages change what people may."""

from django.contrib import admin

from atlas_web.admin_tables import Table
from storage import models


@admin.register(models.VersionDrift)
class VersionDriftAdmin(Table):
    """How far dataset versions have moved."""

    stays = True
    list_display = ("version", "share_moved", "farthest", "problem", "made")
    list_select_related = ("version__tag",)
    search_fields = ("version__tag__name", "problem")


@admin.register(models.Drift)
class DriftAdmin(Table):
    """How far the data of benchmarks lie from what their models were trained on."""

    stays = True
    list_display = ("benchmark", "share_moved", "farthest", "unknown")
    list_select_related = ("benchmark__model", "benchmark__dataset_version__tag")
    search_fields = ("benchmark__model__name", "unknown")


@admin.register(models.RegressionCheck)
class RegressionCheckAdmin(Table):
    """Results beside those on earlier versions."""

    stays = True
    list_display = ("benchmark", "finding", "made")
    list_filter = ("finding",)
    list_select_related = ("benchmark__model", "benchmark__dataset_version__tag")
    search_fields = ("benchmark__model__name",)


@admin.register(models.Channel)
class ChannelAdmin(Table):
    """Where alerts are sent. Addresses and secrets are shown nowhere: a chat service's holds its password."""

    stays = True
    exclude = ("address", "secret")
    list_display = ("name", "kind", "enabled", "by", "created")
    search_fields = ("name",)


@admin.register(models.AlertRule)
class AlertRuleAdmin(Table):
    """What is worth an alert."""

    stays = True
    list_display = ("name", "kind", "metric", "threshold", "enabled", "by")
    list_filter = ("kind", "enabled")
    search_fields = ("name", "use_case")


@admin.register(models.Alert)
class AlertAdmin(Table):
    """Alerts, open and past."""

    stays = True
    list_display = ("text", "kind", "opened", "recovered", "acknowledged_by")
    list_filter = ("kind",)
    search_fields = ("text", "why")
    date_hierarchy = "opened"


@admin.register(models.Delivery)
class DeliveryAdmin(Table):
    """Messages about alerts, sent and to be sent."""

    stays = True
    list_display = ("alert", "channel", "news", "state", "attempts", "sent", "problem")
    list_filter = ("state", "news")
    list_select_related = ("alert", "channel")
    search_fields = ("alert__text", "channel__name", "problem")


@admin.register(models.GateRule)
class GateRuleAdmin(Table):
    """What models must pass to become champions."""

    stays = True
    list_display = ("use_case", "kind", "metric", "threshold", "by")
    search_fields = ("use_case", "metric")


@admin.register(models.ModelStage)
class ModelStageAdmin(Table):
    """Candidates, champions, and retired models."""

    stays = True
    list_display = ("model", "use_case", "stage", "since")
    list_filter = ("stage",)
    list_select_related = ("model",)
    search_fields = ("model__name", "use_case")


@admin.register(models.StageChange)
class StageChangeAdmin(Table):
    """Who promoted and retired what."""

    stays = True
    list_display = ("name", "use_case", "before", "after", "by", "made")
    search_fields = ("name", "use_case", "by", "why")
    date_hierarchy = "made"


@admin.register(models.LiveWatch)
class LiveWatchAdmin(Table):
    """Models that run on live data."""

    stays = True
    list_display = ("model", "tag", "by", "since")
    list_select_related = ("model", "tag")
    search_fields = ("model__name", "tag__name")


@admin.register(models.Inference)
class InferenceAdmin(Table):
    """Predictions on demand and on live data."""

    stays = True
    list_display = ("__str__", "kind", "state", "rows", "by", "asked")
    list_filter = ("kind", "state")
    list_select_related = ("model", "dataset_version__tag")
    search_fields = ("model__name", "rows_name", "reason")
    date_hierarchy = "asked"
