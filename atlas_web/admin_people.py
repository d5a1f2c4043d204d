"""People, their roles, their tokens, and failed sign-ins, in Django's admin."""

from typing import Any

from axes.models import AccessAttempt
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from atlas.access import Role
from atlas.errors import LastAdministratorError
from atlas_web.audited import Audited
from storage import records

_ROLES = [(role.value, role.value.capitalize()) for role in Role]


def _role_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=_ROLES,
        initial=Role.VIEWER.value,
        help_text="Viewers read; data scientists also send, run again and delete; administrators do everything.",
    )


class NewPersonForm(AdminUserCreationForm):  # type: ignore[type-arg]  # generic to mypy alone
    """A new account and its role."""

    role = _role_field()


class PersonForm(UserChangeForm):  # type: ignore[type-arg]  # generic to mypy alone
    """An account and its role, in place of Django's many permissions."""

    role = _role_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["role"] = _held(self.instance).value

    def clean(self) -> dict[str, Any]:
        """The account, if somebody administers Atlas when it is kept."""
        cleaned: dict[str, Any] = super().clean() or {}
        stays = cleaned.get("is_active") and cleaned.get("role") == Role.ADMINISTRATOR
        if not stays and _held(self.instance) is Role.ADMINISTRATOR and self.instance.is_active:
            try:
                records.keep_an_administrator({self.instance.pk})
            except LastAdministratorError as error:
                self.add_error("role" if cleaned.get("role") != Role.ADMINISTRATOR else "is_active", str(error))
        return cleaned


def _held(person: User) -> Role:
    """A person's role, whether the account is open or not."""
    if person.is_superuser:
        return Role.ADMINISTRATOR
    held = {group.name for group in person.groups.all()} if person.pk else set()
    return next((role for role in reversed(Role) if role in held), Role.VIEWER)


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class PersonAdmin(Audited, UserAdmin):  # type: ignore[type-arg]  # generic to mypy alone
    """Accounts. The role is chosen here, or for several people at once above the list."""

    form = PersonForm
    add_form = NewPersonForm
    list_display = ("username", "full_name", "email", "role", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    filter_horizontal = ()
    actions = ("make_viewers", "make_data_scientists", "make_administrators")
    fieldsets = (
        (None, {"fields": ("username", "password", "role", "is_active")}),
        ("About", {"fields": ("first_name", "last_name", "email")}),
    )
    add_fieldsets: Any = ((None, {"fields": ("username", "usable_password", "password1", "password2", "role")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Everybody, with their groups in one query."""
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="Name")
    def full_name(self, person: User) -> str:
        """The first and the last name."""
        return person.get_full_name()

    @admin.display(description="Role")
    def role(self, person: User) -> str:
        """What a person is."""
        return _held(person).value.capitalize()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Keep the role too, which is kept as a group."""
        super().save_related(request, form, formsets, change)
        records.set_role(form.instance.pk, Role(form.cleaned_data["role"]))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with people who are deleted; the last administrator is protected."""
        listed, counts, missing, protected = super().get_deleted_objects(objs, request)
        try:
            with transaction.atomic():
                records.keep_an_administrator({person.pk for person in objs})
        except LastAdministratorError as error:
            protected = [*protected, str(error)]
        return listed, counts, missing, protected

    @admin.action(description="Make viewers of the selected")
    def make_viewers(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """They read."""
        self._give(request, people, Role.VIEWER)

    @admin.action(description="Make data scientists of the selected")
    def make_data_scientists(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """They also send, run again, cancel and delete."""
        self._give(request, people, Role.DATA_SCIENTIST)

    @admin.action(description="Make administrators of the selected")
    def make_administrators(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """They do everything."""
        self._give(request, people, Role.ADMINISTRATOR)

    def _give(self, request: HttpRequest, people: QuerySet[User], role: Role) -> None:
        try:
            with transaction.atomic():
                if role is not Role.ADMINISTRATOR:
                    records.keep_an_administrator({person.pk for person in people})
                for person in people:
                    self.log_change(request, person, f"role: {_held(person)} → {role}")
                    records.set_role(person.pk, role)
        except LastAdministratorError as error:
            messages.error(request, str(error))


@admin.register(Group)
class RoleAdmin(Audited):
    """The roles. What each may do is fixed; who has them is chosen with the people."""

    list_display = ("name", "members")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """The roles with how many people have them."""
        roles: QuerySet[Group] = super().get_queryset(request).annotate(number=Count("user"))
        return roles

    @admin.display(description="Members")
    def members(self, role: Any) -> int:
        """How many people have the role."""
        return int(role.number)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  # Django's
        """Nobody: roles are a part of Atlas."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:  # noqa: ARG002
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:  # noqa: ARG002
        """Nobody."""
        return False


@admin.register(AccessAttempt)
class AccessAttemptAdmin(Audited):
    """Failed sign-ins. Whoever is locked out can try again as soon as theirs are deleted."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    search_fields = ("username", "ip_address")
    date_hierarchy = "attempt_time"
    fields = ("username", "ip_address", "failures_since_start", "attempt_time", "user_agent", "path_info")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  # Django's
        """Nobody: those who fail to sign in write them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AccessAttempt | None = None) -> bool:  # noqa: ARG002
        """Nobody."""
        return False
