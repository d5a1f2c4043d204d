"""What all tables in Django's admin have in common."""

from typing import Any, ClassVar

from django.db.models import Model as Row
from django.http import HttpRequest

from atlas_web.audited import Audited


class Table(Audited):
    """Rows that the engine writes: only `editable` fields may be changed, and rows added that have `own` fields."""

    editable: ClassVar[tuple[str, ...]] = ()
    own: ClassVar[tuple[str, ...]] = ()
    stays: ClassVar[bool] = False
    """Whether rows can be deleted only together with what they belong to."""

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        """Those who may, unless the rows belong to something."""
        return not self.stays and super().has_delete_permission(request, obj)

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

    def save_model(self, request: HttpRequest, obj: Row, form: Any, change: bool) -> None:
        """Write a row. Of one that is there only the fields that were changed, as the others belong to the engine."""
        if change:
            own = {field.name for field in self.opts.fields}
            obj.save(update_fields=own.intersection(form.changed_data))
        else:
            super().save_model(request, obj, form, change)
