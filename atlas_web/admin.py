"""The tables in Django's admin. What the engine wrote and relies on can be read there, but not changed.

Models and benchmarks are deleted as everywhere else, with their objects. What belongs to them cannot be deleted alone:
a result without its metrics or its explanation would be one that no page expects. A dataset version or a tag can go
while nothing stands on it, and an author who has no models.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model as Row
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from pydantic import ValidationError

from atlas.access import Via
from atlas.limits import ModelLimits
from atlas.manifest import describe
from atlas_web import admin_people, admin_watching  # noqa: F401  # they register more tables
from atlas_web.admin_tables import Table
from atlas_web.audited import Audited
from storage import models, records


class Removable(Table):
    """Rows that go with all that belongs to them, objects in the store included, and into the audit log."""

    def delete_model(self, request: HttpRequest, obj: Row) -> None:
        """Delete one row as the dashboard's pages do."""
        self.remove([obj.pk], str(request.user))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete the chosen rows as the dashboard's pages do."""
        self.remove(list(queryset.values_list("pk", flat=True)), str(request.user))

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Only what Django keeps itself: who deletes as the pages do writes the audit log too."""
        return super(Audited, self).log_deletions(request, queryset)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """What Django's page lists before it deletes. Rows that stay otherwise may go together with these."""
        listed, counted, _, protected = super().get_deleted_objects(objs, request)
        return listed, counted, set(), protected

    def remove(self, pks: list[int], by: str) -> None:
        """Delete rows by their keys."""
        raise NotImplementedError


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
class ModelAdmin(Removable):
    """Model files. Which tags a model is benchmarked on, what it is for, and what it may use, can be changed."""

    form = ModelForm
    editable = ("tags", "use_case", "author", "granted_limits")
    list_display = ("name", "state", "use_case", "author", "arrived")
    list_filter = ("state", "use_case", "task", "tags")
    list_select_related = ("author",)
    search_fields = ("name", "key", "author__name", "digest")
    autocomplete_fields = ("tags", "author")
    date_hierarchy = "arrived"

    def remove(self, pks: list[int], by: str) -> None:
        """Delete models with their files, benchmarks and results."""
        records.delete_models(pks, by, Via.ADMIN, timezone.now())


@admin.register(models.Benchmark)
class BenchmarkAdmin(Removable):
    """Benchmarks. One that is deleted is run again; `priority` says how soon a waiting one runs."""

    editable = ("priority",)
    list_display = ("__str__", "state", "failure_class", "priority", "attempts", "queued", "finished")
    list_filter = ("state", "failure_class", "dataset_version__tag")
    list_select_related = ("model", "dataset_version__tag")
    search_fields = ("model__name", "dataset_version__tag__name", "reason", "engine")
    date_hierarchy = "queued"

    def remove(self, pks: list[int], by: str) -> None:
        """Delete benchmarks with their results and the files of those."""
        records.delete_benchmarks(pks, by, Via.ADMIN, timezone.now())


@admin.register(models.Metric)
class MetricAdmin(Table):
    """Metrics of benchmarks."""

    stays = True
    list_display = ("benchmark", "name", "value", "primary", "reason")
    list_filter = ("name", "primary")
    list_select_related = ("benchmark__model", "benchmark__dataset_version__tag")
    search_fields = ("name", "benchmark__model__name")


@admin.register(models.ConfusionMatrix, models.Residuals)
class DistributionAdmin(Table):
    """How predictions spread round the truth."""

    stays = True
    list_display = ("benchmark",)
    list_select_related = ("benchmark__model", "benchmark__dataset_version__tag")
    search_fields = ("benchmark__model__name",)


@admin.register(models.Explanation)
class ExplanationAdmin(Table):
    """Explanations of models, or why there is none."""

    stays = True
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


@admin.register(models.Removal)
class RemovalAdmin(Table):
    """Objects that engines are to delete. Without its removal, the file of a deleted model would be taken in again."""

    stays = True
    list_display = ("key", "by", "asked")
    search_fields = ("key", "by")


@admin.register(models.Orphan)
class OrphanAdmin(Table):
    """Objects that nothing refers to, as the engine found them; the dashboard cleans them up."""

    stays = True
    list_display = ("key", "size_bytes", "modified", "found", "why")
    search_fields = ("key", "why")


@admin.register(models.Upload)
class UploadAdmin(Table):
    """Files on their way in. Those that nobody goes on with end by themselves."""

    stays = True
    list_display = ("name", "owner", "received_bytes", "size_bytes", "started", "touched")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username", "sha256")


@admin.register(models.StoreReport)
class StoreReportAdmin(Table):
    """When the engine last looked for orphans."""

    stays = True
    list_display = ("made", "objects_seen", "bytes_seen")
