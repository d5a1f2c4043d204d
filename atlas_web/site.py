"""Django's admin site as Atlas uses it: for administrators, who sign in where everybody does."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator

from atlas.access import Right
from ui.access import requires, rights_of


class AtlasAdminSite(admin.AdminSite):
    """Open to those who have the right to administer."""

    site_header = "Atlas administration"
    site_title = "Atlas"
    index_title = "Tables"

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether a person may open the site at all."""
        return Right.ADMINISTER in rights_of(request.user)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """A view of the site. Those who are signed in and may not are told so, rather than asked to sign in again."""
        return requires(Right.ADMINISTER)(super().admin_view(view, cacheable))

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:  # noqa: ARG002  # Django's
        """Sign in on Atlas' own page, which keeps count of wrong passwords."""
        if request.user.is_authenticated:
            return redirect("admin:index")
        return redirect_to_login(request.GET.get("next", "/admin/"))

    def password_change(self, request: HttpRequest, extra_context: object = None) -> Any:  # noqa: ARG002
        """A person's own password is changed on their account page."""
        return redirect("account")
