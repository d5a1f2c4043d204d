"""The tables in Django's admin. What the engine wrote and relies on can be read and deleted there, but not changed."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Model as Row
from django.http import HttpRequest
from pydantic import ValidationError

from atlas.limits import ModelLimits
from atlas.manifest import describe
from atlas_web import admin_people  # noqa: F401  # registers more tables
from atlas_web.audited import Audited
from storage import models


class Table(Audited):
    """Rows that the engine writes: only `editable` fields may be changed, and rows added that have `own` fields."""

    editable: ClassVar[tuple[str, ...]] = ()
    own: ClassVar[tuple[str, ...]] = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Those who may, if rows can be added by hand."""
        return bool(self.own) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        """Those who may, if there is something to change."""
        return bool(self.editable) and super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Row | None = None) -> list[str]:  # noqa: ARG002  # Django's
        """All but the fields that may be filled in a new row, or changed in one that is there."""
        fields = (*self.opts.fields, *self.opts.many_to_many)
        writable = self.editable if obj else self.own
        return [field.name for field in fields if field.name not in writable]


@admin.register(models.Author)
class AuthorAdmin(Table):
    """Who made models."""

    own = editable = ("name", "email")
    list_display = ("name", "email")
    search_fields = ("name", "email")


@admin.register(models.DatasetTag)
class DatasetTagAdmin(Table):
    """Names of datasets, as the ingestion engine knows them, and what it said of them."""

    own = ("name",)
    list_display = ("name", "checked", "problem")
    search_fields = ("name", "query")


@admin.register(models.DatasetVersion)
class DatasetVersionAdmin(Table):
    """Versions of datasets."""

    list_display = ("__str__", "query_id", "rows", "evaluation_rows", "created")
    list_filter = ("tag",)
    list_select_related = ("tag",)
    search_fields = ("tag__name", "query_id", "digest")
    date_hierarchy = "created"


class ModelForm(forms.ModelForm):  # type: ignore[type-arg]  # generic to mypy alone
    """What an administrator may change of a model."""

    def clean_granted_limits(self) -> dict[str, Any]:
        """The limits as the engine reads them; a field that is unknown or wrong is named."""
        try:
            granted = ModelLimits.model_validate(self.cleaned_data["granted_limits"] or {})
        except ValidationError as error:
            raise forms.ValidationError(describe(error)) from error
        return granted.model_dump(exclude_none=True)


@admin.register(models.Model)
class ModelAdmin(Table):
    """Model files. Which tags a model is benchmarked on, what it is for, and what it may use, can be changed."""

    form = ModelForm
    editable = ("tags", "use_case", "author", "granted_limits")
    list_display = ("name", "state", "use_case", "author", "arrived")
    list_filter = ("state", "use_case", "task", "tags")
    list_select_related = ("author",)
    search_fields = ("name", "key", "author__name", "digest")
    autocomplete_fields = ("tags", "author")
    date_hierarchy = "arrived"


@admin.register(models.Benchmark)
class BenchmarkAdmin(Table):
    """Benchmarks. One that is deleted is run again; `priority` says how soon a waiting one runs."""

    editable = ("priority",)
    list_display = ("__str__", "state", "failure_class", "priority", "attempts", "queued", "finished")
    list_filter = ("state", "failure_class", "dataset_version__tag")
    list_select_related = ("model", "dataset_version__tag")
    search_fields = ("model__name", "dataset_version__tag__name", "reason", "engine")
    date_hierarchy = "queued"


@admin.register(models.Metric)
class MetricAdmin(Table):
    """Metrics of benchmarks."""

    list_display = ("benchmark", "name", "value", "primary", "reason")
    list_filter = ("name", "primary")
    list_select_related = ("benchmark__model", "benchmark__dataset_version__tag")
    search_fields = ("name", "benchmark__model__name")


@admin.register(models.ConfusionMatrix, models.Residuals)
class DistributionAdmin(Table):
    """How predictions spread round the truth."""

    list_display = ("benchmark",)
    list_select_related = ("benchmark__model", "benchmark__dataset_version__tag")
    search_fields = ("benchmark__model__name",)


@admin.register(models.Explanation)
class ExplanationAdmin(Table):
    """Explanations of models, or why there is none."""

    list_display = ("benchmark", "impossible")
    list_select_related = ("benchmark__model", "benchmark__dataset_version__tag")
    search_fields = ("benchmark__model__name", "impossible")


@admin.register(models.LogEntry)
class LogEntryAdmin(Table):
    """The log."""

    list_display = ("time", "level", "component", "message")
    list_filter = ("level", "component")
    search_fields = ("message", "detail")
    date_hierarchy = "time"


@admin.register(models.Pause)
class PauseAdmin(Table):
    """Who has paused the queue. The dashboard pauses it, and lets it go on."""

    list_display = ("since", "by", "reason")
    search_fields = ("by", "reason")


@admin.register(models.ComponentStatus)
class ComponentStatusAdmin(Table):
    """The last signs of life."""

    list_display = ("name", "state", "message", "seen")
    list_filter = ("state",)


@admin.register(models.ApiToken)
class ApiTokenAdmin(Table):
    """Everybody's API tokens. One that is deleted is no good from then on; secrets are kept nowhere."""

    list_display = ("name", "owner", "start", "created", "expires", "used")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username")
    exclude = ("digest",)


@admin.register(models.Action)
class ActionAdmin(Table):
    """The audit log, which nobody changes."""

    list_display = ("time", "person", "verb", "kind", "thing", "via")
    list_filter = ("verb", "via")
    search_fields = ("person", "kind", "thing", "detail")
    date_hierarchy = "time"

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:  # noqa: ARG002  # Django's
        """Nobody: what was done stays done."""
        return False


@admin.register(models.Preference)
class PreferenceAdmin(Table):
    """How people left lists."""

    list_display = ("owner", "page", "query")
    list_select_related = ("owner",)
    search_fields = ("owner__username", "page")
