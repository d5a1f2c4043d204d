"""Lists whose rows administrators may choose to do something to many at once."""

from typing import Any

from django.http import HttpRequest

from atlas.access import Right
from ui.access import rights_of
from ui.tables import PICK


class BulkMixin:
    """For a `TableView` whose table has a `PickColumn`: only those see its boxes who may act on many rows."""

    request: HttpRequest

    def get_table_kwargs(self) -> dict[str, Any]:
        """Leave out the boxes for all others."""
        return {} if Right.ADMINISTER in rights_of(self.request.user) else {"exclude": (PICK,)}
