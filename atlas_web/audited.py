"""What administrators change in Django's admin is kept in the audit log as well."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Model as Row
from django.db.models import QuerySet
from django.forms import BaseForm, BaseModelForm, Form
from django.http import HttpRequest
from django.utils import timezone

from atlas.access import Verb, Via
from storage import records

_NEVER_TOLD = "password"


class Audited(admin.ModelAdmin):  # type: ignore[type-arg]  # generic to mypy alone
    """Rows whose every change is kept with who made it, and with the old and the new values."""

    def construct_change_message(
        self, request: HttpRequest, form: Form, formsets: Iterable[Any], add: bool = False
    ) -> Any:
        """The values that were changed, as a sentence; of a new row, Django's own words."""
        if add or not isinstance(form, BaseModelForm):
            return super().construct_change_message(request, form, formsets, add)
        return "; ".join(_changes(form)) or "nothing was changed"

    def log_addition(self, request: HttpRequest, obj: Row, message: Any) -> Any:
        """Keep that a row was added."""
        self.keep(request, Verb.ADDED, obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Row, message: Any) -> Any:
        """Keep what was changed of a row."""
        self.keep(request, Verb.CHANGED, obj, message if isinstance(message, str) else "")
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Keep which rows were deleted."""
        for row in queryset:
            self.keep(request, Verb.DELETED, row)
        return super().log_deletions(request, queryset)

    def keep(self, request: HttpRequest, verb: Verb, row: Row, detail: str = "") -> None:
        """Write what was done to a row into the audit log."""
        kind = str(row._meta.verbose_name)
        records.record_action(str(request.user), verb, kind, str(row), via=Via.ADMIN, detail=detail, now=timezone.now())


def _changes(form: BaseForm) -> Iterator[str]:
    """What was changed, field by field; of passwords only that they were."""
    for name in form.changed_data:
        before, now = _said(form.initial.get(name)), _said(form.cleaned_data.get(name))
        if _NEVER_TOLD in name:
            yield f"{name}: changed"
        elif before != now:
            yield f"{name}: {before} → {now}"


def _said(value: Any) -> str:
    """A value in words; rows that are referred to by their names, in any order."""
    if isinstance(value, (list, tuple, QuerySet)):
        return ", ".join(sorted(str(each) for each in value)) or "nothing"
    return "nothing" if value in (None, "", {}) else str(value)
