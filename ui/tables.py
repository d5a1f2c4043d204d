"""The base of every sortable, paged table. The template is `components/data_table.html`."""

from collections.abc import Callable, Iterator, Sequence
from inspect import signature
from typing import Any

import django_tables2 as tables
from django.db.models import F, QuerySet
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django_tables2.data import TableQuerysetData

from ui import components


def cell(*classes: str, above: str = "") -> dict[str, dict[str, str]]:
    """A column's `attrs`: CSS classes of its cells, shown only on screens wider than a breakpoint such as `md`."""
    hidden = ("d-none", f"d-{above}-table-cell") if above else ()
    return {"cell": {"class": " ".join((*classes, *hidden))}}


class Column(tables.Column):  # type: ignore[misc]  # an untyped package
    """A column with a header and CSS classes of its cells, which can be sorted if `by` names what to sort it by.

    What is not known comes last in either direction, and equal rows stand newest first. The table's method of the
    column's name, such as `render_score(record)`, writes every cell, also where there is no value.
    """

    def __init__(
        self,
        header: str | SafeString,
        *classes: str,
        by: Sequence[str] = (),
        above: str = "",
    ) -> None:
        super().__init__(
            verbose_name=header,
            order_by=tuple(by) or None,
            orderable=bool(by),
            attrs=cell(*classes, above=above),
            empty_values=(),
        )

    def order(self, queryset: QuerySet[Any], is_descending: bool) -> tuple[QuerySet[Any], bool]:
        """The rows in the order of this column."""
        if not self.order_by:
            return queryset, False
        keys = [F(key).desc(nulls_last=True) if is_descending else F(key).asc(nulls_last=True) for key in self.order_by]
        return queryset.order_by(*keys, "-pk"), True


PICK = "pick"
"""The name of the column of boxes, and of each box."""


class PickColumn(Column):
    """A box in each row, which belongs to the form with the id `bulk`, and one above them for all rows of the page."""

    def __init__(self) -> None:
        every = '<input class="form-check-input" type="checkbox" data-pick-all aria-label="{0}" title="{0}">'
        super().__init__(format_html(every, "Choose all rows of this page"), "pick")

    def render(self, record: Any) -> SafeString:
        """The row's box."""
        box = '<input class="form-check-input" type="checkbox" form="bulk" name="{}" value="{}" aria-label="Choose {}">'
        return format_html(box, PICK, record.pk, record)


class Rows(TableQuerysetData):  # type: ignore[misc]  # an untyped package
    """The rows of a table whose page is read in two steps: its keys in the table's order, then their rows whole.

    So the database sorts and skips narrow rows, and joins only those of one page. A page of the second half is counted
    from the end.

    Args:
        keys: what is listed, narrowed and sorted.
        whole: the same kind of rows with all that the table shows.
        count: how many they are, if that is known.
    """

    def __init__(self, keys: QuerySet[Any], whole: QuerySet[Any], count: int | None = None) -> None:
        super().__init__(keys)
        self.whole = whole
        if count is not None:
            self._length = count

    def __getitem__(self, wanted: slice) -> list[Any]:
        """The rows from one place to another."""
        keys = self._keys(wanted.start or 0, min(wanted.stop, len(self)))
        found = self.whole.in_bulk(keys)
        return [found[key] for key in keys if key in found]

    def _keys(self, start: int, stop: int) -> list[Any]:
        keys = self.data.values_list("pk", flat=True)
        if start <= len(self) // 2:
            return list(keys[start:stop])
        return list(keys.reverse()[len(self) - stop : len(self) - start])[::-1]


def _marks(column: Any, *, head: bool) -> tuple[SafeString, str]:
    """What stands before and after each cell of a column; the cell at the head of a row names it."""
    start = format_html(
        '<{} class="{}">', SafeString('th scope="row"' if head else "td"), column.attrs["td"].get("class", "")
    )
    return start, "</th>" if head else "</td>"


class AtlasTable(tables.Table):  # type: ignore[misc]  # an untyped package
    """A list of things: name them in `noun`, and say in `empty_text` of Meta where they come from.

    The page size in the address counts only if it is one of `sizes`, so that nobody can ask for everything at once.
    """

    noun: tuple[str, str] = ("row", "rows")
    """What one row is called, and what several are."""
    glyph = "inbox"
    """The icon that is shown while there are no rows."""
    sizes: tuple[int, ...] = (25, 50, 100)

    class Meta:
        attrs = {"class": "table table-hover"}  # noqa: RUF012  # the form that django-tables2 asks for
        default = components.nothing()
        empty_text = "There is nothing here yet."

    def paginate(self, *args: Any, per_page: int | None = None, **options: Any) -> Any:
        """Cut the rows into pages of an allowed size."""
        return super().paginate(*args, per_page=per_page if per_page in self.sizes else self.sizes[0], **options)

    @property
    def lines(self) -> Iterator[SafeString]:
        """The rows of this page. They are put together here since a template takes several times as long for them."""
        cells = [(*_marks(each, head=each.name == self.row_head), self._writer(each.name)) for each in self.columns]
        for row in self.paginated_rows:
            written = (f"{start}{conditional_escape(write(row))}{end}" for start, end, write in cells)
            yield SafeString(f"<tr>{''.join(written)}</tr>")

    def _writer(self, name: str) -> Callable[[Any], Any]:
        """What writes a column's cell in a row: its method alone, where that takes nothing but the record."""
        own = getattr(self, f"render_{name}", self.columns[name].column.render)
        if list(signature(own).parameters) == ["record"]:
            return lambda row: own(record=row.record)
        return lambda row: row.get_cell(name)

    @property
    def label(self) -> str:
        """What the table lists, as a heading."""
        return self.noun[1].capitalize()

    @property
    def row_head(self) -> str:
        """The name of the column that says what a row is about: the first one, but for the boxes."""
        names: list[str] = [column.name for column in self.columns if column.name != PICK]
        return names[0]

    @property
    def html_id(self) -> str:
        """The id of the element that a new page, order or size replaces."""
        return f"{self.prefix}table"

    @property
    def counted_noun(self) -> str:
        """The noun in the number of all rows."""
        return self.noun[0] if self.paginator.count == 1 else self.noun[1]

    @property
    def page_numbers(self) -> list[int | str]:
        """The pages to link to: the first, the last, the neighbours of this one, and an ellipsis for each gap."""
        return list(self.paginator.get_elided_page_range(self.page.number, on_each_side=1, on_ends=1))

    @property
    def none_yet(self) -> str:
        """The heading while there are no rows at all."""
        return f"No {self.noun[1]} yet"

    @property
    def remedy(self) -> SafeString:
        """What stands below that heading: the links and commands that bring the first row."""
        return SafeString("")

    @property
    def none_match(self) -> str:
        """The heading if no row matches the search."""
        return f"No {self.noun[0]} matches"

    @property
    def carried(self) -> list[tuple[str, str]]:
        """The order and the page size in the address, which a new search keeps."""
        own = (self.prefixed_order_by_field, self.prefixed_per_page_field)
        return [(key, value) for key in own for value in self.request.GET.getlist(key)]

    @property
    def filtered(self) -> bool:
        """Whether the address narrows the rows, so that none may mean that none match."""
        own = {self.prefixed_order_by_field, self.prefixed_page_field, self.prefixed_per_page_field}
        return any(value for key, value in self.request.GET.items() if key not in own)
