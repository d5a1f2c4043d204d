"""How much there is to look at behind the menu's entries."""

from collections.abc import Callable

from django.http import HttpRequest

from storage import queries


def menu_counts(request: HttpRequest) -> dict[str, dict[str, Callable[[], int]]]:  # noqa: ARG001  # Django's signature
    """Context processor: what counts, by the name of an entry's URL. It is asked where a menu is shown."""
    return {"menu_counts": {"alerts": queries.number_of_open_alerts}}
