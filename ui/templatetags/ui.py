"""The components of `ui.components` and the formats of `ui.formats` as template tags and filters."""

from collections.abc import Iterator
from typing import Any

from django.forms import BaseForm
from django.template import Library
from django.template.context import Context
from django.utils.safestring import SafeString

from ui import components, formats, forms
from ui import menu as side_menu
from ui.icons import icon

register = Library()

for _tag in (
    components.chart,
    components.chip,
    components.confusion,
    components.copy,
    components.confusion_change,
    components.delta,
    components.interval,
    components.metric,
    components.model,
    components.nothing,
    components.score,
    components.spark,
    components.spark_bars,
    components.state,
    components.state_icon,
    components.units,
):
    register.simple_tag(_tag)

for _block in (
    components.card_head,
    components.empty,
    components.more,
    components.page_header,
    components.plain_table,
    components.verdict,
):
    register.simple_block_tag(_block)

for _filter in (
    components.since,
    components.when,
    components.when_short,
    formats.duration,
    formats.figure,
    formats.share,
    formats.short_digest,
    formats.size,
):
    register.filter(_filter)

register.simple_tag(forms.field)
register.simple_tag(icon)
register.simple_tag(formats.num)


@register.simple_tag(takes_context=True)
def menu(context: Context) -> Iterator[side_menu.Link]:
    """The side menu's lines for this request."""
    return side_menu.links(context["request"], context.get("may") or {}, counts=context.get("menu_counts"))


@register.simple_tag(takes_context=True)
def toolbar(context: Context, form: BaseForm, label: str, target: str = "table", help: str = "") -> SafeString:  # noqa: A002
    """The search and the filters above a table, sent to the page that they are on."""
    return components.toolbar(form, label, context["request"].path, target, help)


@register.simple_tag(takes_context=True)
def other_parameters(context: Context, *names: str) -> list[tuple[str, str]]:
    """The address's parameters but for those named, as pairs: what a form must carry along."""
    sent: Any = context["request"].GET
    return [(key, value) for key, values in sent.lists() if key not in names for value in values if value]
