"""The foot of a list that is cut into pages elsewhere than in a table of `ui.tables`."""

from collections.abc import Sequence
from functools import cached_property

from django.core.paginator import Page, Paginator


class Foot:
    """What `components/table_foot.html` needs to know of a list: how long it is and which part is shown."""

    def __init__(self, total: int, page: int, sizes: Sequence[int], size: int, noun: tuple[str, str]) -> None:
        """`page` counts from 1; `noun` is what one row is called, and what several are."""
        self.paginator: Paginator[int] = Paginator(range(total), size)
        self.page: Page[int] = self.paginator.get_page(page)
        self.sizes = sizes
        self.noun = noun

    @property
    def counted_noun(self) -> str:
        """The noun in the number of all rows."""
        return self.noun[0] if self.paginator.count == 1 else self.noun[1]

    @cached_property
    def page_numbers(self) -> list[int | str]:
        """The pages to link to: the first, the last, the neighbours of this one, and an ellipsis for each gap."""
        found = self.paginator.get_elided_page_range(self.page.number, on_each_side=1, on_ends=1)
        return [number if isinstance(number, int) else str(number) for number in found]
