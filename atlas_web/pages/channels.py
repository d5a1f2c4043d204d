"""The channels that alerts are sent by, for administrators."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from atlas.access import Right, Via
from atlas.errors import WatchNameTakenError
from atlas.watching import ChannelKind
from atlas_web import alert_words
from atlas_web.channel_form import ChannelForm
from storage import queries, records
from ui.access import requires


@requires(Right.ADMINISTER)
@require_safe
def channels(request: HttpRequest) -> HttpResponseBase:
    """All channels, and what became of the last message by each."""
    return _list(request)


@requires(Right.ADMINISTER)
@never_cache
@require_http_methods(["GET", "POST"])
def new_channel(request: HttpRequest) -> HttpResponseBase:
    """The form of a new channel. The secret of a webhook is shown in the answer, this once."""
    form = ChannelForm(request.POST) if request.method == "POST" else ChannelForm(initial=request.GET.dict())
    made = _made(request, form) if form.is_bound and form.is_valid() else None
    if made is None:
        return _form(request, form, "A new channel")
    messages.success(request, f"The channel {form.cleaned_data['name']} is made. Rules can choose it now.")
    if not made.secret:
        return redirect("channels")
    return _list(request, secret=made.secret, made=form.cleaned_data["name"])


@requires(Right.ADMINISTER)
@require_http_methods(["GET", "POST"])
def channel(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The form of a channel that there is. Its kind stays, and nobody is shown its address."""
    found = _found(pk)
    kind = ChannelKind(found.kind)
    sent = request.POST if request.method == "POST" else None
    form = ChannelForm(sent, known=kind, initial={"name": found.name})
    if form.is_bound and form.is_valid() and _changed(request, found, form):
        return redirect("channels")
    return _form(request, form, found.name, channel=found)


@requires(Right.ADMINISTER)
@require_POST
def switch_channel(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a channel send, or not."""
    found, enabled = _found(pk), request.POST.get("enabled") == "yes"
    fields = records.ChannelFields(name=found.name, kind=ChannelKind(found.kind), enabled=enabled)
    records.change_channel(pk, fields, by=str(request.user), via=Via.PAGE, now=timezone.now())
    messages.success(request, f"The channel {found.name} is {'enabled' if enabled else 'disabled'}.")
    return redirect("channels")


@requires(Right.ADMINISTER)
@require_http_methods(["GET", "POST"])
def delete_channel(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What goes with a channel, and its deletion."""
    found = _found(pk)
    if request.method == "POST":
        records.delete_channel(pk, by=str(request.user), via=Via.PAGE, now=timezone.now())
        messages.success(request, f"The channel {found.name} is deleted.")
        return redirect("channels")
    context = {"title": f"Delete {found.name}?", "crumbs": _crumbs(), "channel": found}
    return render(request, "pages/delete_channel.html", context)


@requires(Right.ADMINISTER)
@require_POST
def test_channel(request: HttpRequest, pk: int) -> HttpResponse:
    """Have an engine send a test message."""
    name = records.send_test(pk, by=str(request.user), via=Via.PAGE, now=timezone.now())
    if name is None:
        raise Http404
    messages.success(request, f"An engine sends a test message by {name}. Look here again in a few seconds.")
    return redirect("channels")


def _found(pk: int) -> Any:
    found = queries.channel(pk)
    if found is None:
        raise Http404
    return found


def _made(request: HttpRequest, form: ChannelForm) -> records.NewChannel | None:
    """The channel that was made; None, with the reason in the form, if its name is another's."""
    fields = form.fields_of_channel(enabled=True)
    try:
        return records.make_channel(fields, by=str(request.user), via=Via.PAGE, now=timezone.now())
    except WatchNameTakenError as error:
        form.add_error("name", str(error))
        return None


def _changed(request: HttpRequest, found: Any, form: ChannelForm) -> bool:
    fields = form.fields_of_channel(enabled=found.enabled)
    try:
        if not records.change_channel(found.pk, fields, by=str(request.user), via=Via.PAGE, now=timezone.now()):
            raise Http404
    except WatchNameTakenError as error:
        form.add_error("name", str(error))
        return False
    messages.success(request, f"The channel {fields.name} is changed.")
    return True


def _list(request: HttpRequest, **parts: str) -> HttpResponse:
    shown = [(each, alert_words.CHANNELS[each.kind], alert_words.where(each)) for each in queries.channels()]
    return render(request, "pages/channels.html", {"channels": shown, "crumbs": _crumbs(), **parts})


def _form(request: HttpRequest, form: ChannelForm, title: str, *, channel: Any = None) -> HttpResponse:
    crumbs = [*_crumbs(), ("Channels", reverse("channels"))]
    context = {"form": form, "title": title, "channel": channel, "crumbs": crumbs}
    return render(request, "pages/channel.html", context, status=422 if form.errors else 200)


def _crumbs() -> list[tuple[str, str]]:
    return [("Alerts", reverse("alerts"))]
