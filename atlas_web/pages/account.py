"""A person's own page: who they are, what they may do, their password, and the tokens of their scripts."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from atlas.access import Right, Verb
from atlas.errors import TokenNameTakenError
from atlas_web.forms import PasswordForm, TokenForm, scope_text
from storage import queries, records
from ui.access import rights_of, role_of


@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Everything about the person who is signed in."""
    return _page(request)


@never_cache
@require_POST
def make_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show its secret, this once: no address leads to it again."""
    form = TokenForm(request.POST, rights=rights_of(request.user))
    secret = _made(request, form) if form.is_valid() else None
    if secret is None:
        return _page(request, token_form=form, status=422)
    return _page(request, secret=secret, made=form.cleaned_data["name"])


@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End a token for good."""
    name = records.revoke_token(_person(request).pk, pk)
    if name is None:
        raise Http404
    records.record_action(str(request.user), Verb.REVOKED, "token", name, now=timezone.now())
    messages.success(request, f"The token {name} is revoked.")
    return redirect("account")


@require_POST
def change_password(request: HttpRequest) -> HttpResponse:
    """Change the password of a local account; the directory keeps those of its people."""
    person = _person(request)
    if not person.has_usable_password():
        raise Http404
    form = PasswordForm(person, request.POST)
    if not form.is_valid():
        return _page(request, password_form=form, status=422)
    form.save()
    update_session_auth_hash(request, person)
    records.record_action(str(person), Verb.CHANGED, "password", person.get_username(), now=timezone.now())
    messages.success(request, "Your password is changed. Other browsers are signed out.")
    return redirect("account")


def _person(request: HttpRequest) -> User:
    """Who is signed in, as every page of this module asks for a login."""
    return cast(User, request.user)


def _made(request: HttpRequest, form: TokenForm) -> str | None:
    """The secret of a new token; None, with the reason in the form, if its name is taken."""
    person, now = _person(request), timezone.now()
    name, scopes, expires = form.cleaned_data["name"], form.chosen(), form.expires(now)
    try:
        secret = records.create_token(person.pk, name, scopes, expires=expires, now=now)
    except TokenNameTakenError as error:
        form.add_error("name", str(error))
        return None
    until = f"until {expires:%Y-%m-%d}" if expires else "for good"
    detail = f"{', '.join(scopes)}, {until}"
    records.record_action(str(person), Verb.ADDED, "token", name, detail=detail, now=now)
    return secret


def _page(request: HttpRequest, *, status: int = 200, **parts: Any) -> HttpResponse:
    person, now = _person(request), timezone.now()
    held = rights_of(person)
    context = {
        "person": person,
        "role": role_of(person),
        "rights": [scope_text(right) for right in Right if right in held],
        "tokens": queries.tokens_of(person.pk),
        "now": now,
        "server": request.build_absolute_uri("/").rstrip("/"),
        "token_form": TokenForm(rights=held),
        "password_form": PasswordForm(person) if person.has_usable_password() else None,
        **parts,
    }
    return render(request, "pages/account.html", context, status=status)
