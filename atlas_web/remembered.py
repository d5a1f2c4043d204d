"""Lists that come back as a person left them."""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect

from storage import queries, records
from ui.views import TableView

CLEAR = "clear"
"""The parameter with which a list forgets how it was left."""


class RememberedView(TableView):
    """A list that is opened without a query string leads to the one with which the person left it.

    Only what a person does on the list itself counts as leaving it so: a link from elsewhere shows what it says, and
    changes nothing of what is kept.
    """

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The list, or the way to the view of it that was kept."""
        page, person = str(request.resolver_match and request.resolver_match.url_name), int(request.user.pk or 0)
        if CLEAR in request.GET:
            records.keep_view(person, page, "")
            return redirect(request.path)
        on_the_list = _came_from_the_list(request)
        kept = queries.kept_view(person, page) if on_the_list or not request.GET else ""
        if kept and not request.GET and not on_the_list:
            return HttpResponseRedirect(f"{request.path}?{kept}")
        answer: HttpResponseBase = super().get(request, *args, **kwargs)
        left = self._left(request)
        if on_the_list and left != kept:
            records.keep_view(person, page, left)
        return answer

    def _left(self, request: HttpRequest) -> str:
        """The filters, the order and the page size in the address; pages have other rows tomorrow, and are left out."""
        table: Any = self.table_class
        known = {*self.filterset_class.base_filters, table([]).prefixed_order_by_field, "per_page"}
        sent = request.GET.copy()
        for key, values in request.GET.lists():
            sent.setlist(key, [value for value in values if value and key in known])
        return sent.urlencode()


def _came_from_the_list(request: HttpRequest) -> bool:
    """Whether a request was made on the list itself: by htmx, or by a form or a link of the page."""
    referer = urlsplit(request.headers.get("Referer", ""))
    return referer.path == request.path and referer.netloc == request.get_host()
