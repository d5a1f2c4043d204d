"""The parts that pages are made of, each rendered from the template of its own name in `templates/components/`.

Pages use them as template tags (`{% load ui %}`), table columns call them as functions. Those whose first argument is
`content` are block tags: what stands between the tag and its end tag is their slot.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, wraps
from typing import Literal, ParamSpec, cast
from urllib.parse import urlencode

from django.forms import BaseForm, BoundField, Select
from django.template.loader import get_template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from atlas.ingestion import RecordingState
from atlas.states import CellState, ComponentState, Level, ModelState, State
from atlas.watching import AlertState, DeliveryState, Stage
from ui import charts, formats, shapes

Tone = Literal["", "ok", "warn", "bad", "info", "idle"]


@dataclass(frozen=True)
class Look:
    """How a state is shown: its tone, icon and word."""

    tone: Tone
    glyph: str
    text: str


STATES: dict[str, Look] = {
    State.QUEUED: Look("idle", "clock", "Queued"),
    State.RUNNING: Look("info", "arrow-path", "Running"),
    State.DONE: Look("ok", "check-circle", "Done"),
    State.FAILED: Look("bad", "x-circle", "Failed"),
    State.INCOMPATIBLE: Look("idle", "no-symbol", "Not possible"),
    State.CANCELLED: Look("idle", "minus-circle", "Cancelled"),
    CellState.STALE: Look("warn", "exclamation-circle", "Stale"),
    ModelState.READY: Look("ok", "check-circle", "Ready"),
    ModelState.INVALID: Look("bad", "x-circle", "Invalid"),
    ModelState.DUPLICATE: Look("idle", "document-duplicate", "Duplicate"),
    RecordingState.WAITING: Look("idle", "clock", "Waiting"),
    RecordingState.DECODING: Look("info", "arrow-path", "Being decoded"),
    "lossy": Look("warn", "exclamation-triangle", "Partly lost"),
    ComponentState.HEALTHY: Look("ok", "check-circle", "Healthy"),
    ComponentState.DEGRADED: Look("warn", "exclamation-triangle", "Degraded"),
    ComponentState.DOWN: Look("bad", "x-circle", "Down"),
    Stage.CANDIDATE: Look("info", "flag", "Candidate"),
    Stage.CHAMPION: Look("ok", "trophy", "Champion"),
    Stage.RETIRED: Look("idle", "archive-box", "Retired"),
    "best": Look("ok", "trophy", "Best"),
    "approximate": Look("warn", "information-circle", "Approximation"),
    "moved": Look("warn", "exclamation-triangle", "Moved"),
    "right": Look("ok", "check", "Right"),
    "wrong": Look("bad", "x-mark", "Wrong"),
    Level.INFO: Look("idle", "information-circle", "Info"),
    Level.WARNING: Look("warn", "exclamation-triangle", "Warning"),
    Level.ERROR: Look("bad", "x-circle", "Error"),
    AlertState.OPEN: Look("bad", "bell-alert", "Open"),
    AlertState.ACKNOWLEDGED: Look("idle", "check", "Acknowledged"),
    AlertState.RECOVERED: Look("ok", "check-circle", "Recovered"),
    DeliveryState.SENDING: Look("info", "arrow-path", "Being sent"),
    DeliveryState.SENT: Look("ok", "check-circle", "Sent"),
    DeliveryState.GIVEN_UP: Look("bad", "x-circle", "Given up"),
    "enabled": Look("ok", "check-circle", "Enabled"),
    "disabled": Look("idle", "no-symbol", "Disabled"),
}
"""How each state looks: of a benchmark, a model file, a recording, a component, a prediction, a log entry, an alert, a
message, a rule; and the stage of a model."""

_KINDS = {"benchmark": ("chart-bar", "Benchmark"), "explanation": ("light-bulb", "Explanation")}
_WHISKER_WIDTH = 96
_WIDE = 5
"""More classes than this make a confusion matrix's cells smaller."""


_KEPT = 8_192
"""So many of the latest answers of a component are kept."""
Arguments = ParamSpec("Arguments")


def kept(component: Callable[Arguments, SafeString]) -> Callable[Arguments, SafeString]:
    """Keeps the latest answers of a component whose answer depends on nothing but its arguments, all of them hashable.

    Lists show the same few things again and again, and to fill in a template takes longer than all else about a cell.
    `SafeString` and `str` are told apart, since only one of them is escaped.
    """
    return cast(Callable[Arguments, SafeString], wraps(component)(lru_cache(_KEPT, typed=True)(component)))


@kept
def nothing() -> SafeString:
    """What stands where nothing is known."""
    return format_html('<span class="muted">{}</span>', formats.NOTHING)


@kept
def score(value: float | None) -> SafeString:
    """A score, rounded, with all its digits on hover."""
    if value is None:
        return nothing()
    return format_html('<span title="{}">{}</span>', repr(value), formats.num(value))


@kept
def ci(low: float | None, high: float | None) -> SafeString:
    """A 95 % interval as `[lo, hi]`; nothing where there is none."""
    if low is None or high is None:
        return SafeString("")
    text = f"[{formats.num(low)}, {formats.num(high)}]"
    return format_html('<span class="nowrap" title="95 % interval">{}</span>', text)


@kept
def interval(
    value: float | None,
    low: float | None,
    high: float | None,
    ends: tuple[float, float] | None = None,
    reference: float | None = None,
    above: str = "",
) -> SafeString:
    """A score and its 95 % interval, if there is one.

    Args:
        value: the score.
        low: where its interval begins.
        high: where its interval ends.
        ends: the ends of the line on which a whisker shows the interval, the same ones for a whole column; with none
            there is no whisker.
        reference: where on that line stands a mark to compare with.
        above: the width of the window from which on the interval is shown, such as `sm`; at any width if empty.
    """
    plot = None
    if ends and value is not None and low is not None and high is not None:
        places = shapes.whisker((low, value, high), ends, _WHISKER_WIDTH)
        mark = [] if reference is None else shapes.whisker((reference,), ends, _WHISKER_WIDTH)
        plot = {"width": str(_WHISKER_WIDTH), "places": [*map(str, places)], "mark": [*map(str, mark)]}
    return _render("interval", score=score(value), ci=ci(low, high), plot=plot, above=above)


@kept
def state(name: str, text: str = "", title: str = "") -> SafeString:
    """Where something stands. `text` replaces the state's word: `63 %`, `9 of 10`."""
    return _render("state", look=STATES[name], text=text, title=title)


@kept
def state_icon(kind: Literal["benchmark", "explanation"], what: str, href: str = "", reason: str = "") -> SafeString:
    """A model's benchmark or explanation in a list: a link if there is one, struck out if `reason` says why not."""
    glyph, name = _KINDS[kind]
    return _render("state_icon", glyph=glyph, name=name, what=what, href=href, reason=reason)


@kept
def model(name: str, href: str, sub: str = "", stage: Stage | None = None) -> SafeString:
    """A model's name, never cut; a time stamp at its end is grey. `sub` is a second line. A champion and a candidate
    have a small mark."""
    head, dash, stamp = name.rpartition("-")
    if not stamp.isdecimal():
        head, dash, stamp = name, "", ""
    return _render("model", head=head, stamp=dash + stamp, href=href, sub=sub, mark=_mark(stage))


def _mark(stage: Stage | None) -> Look | None:
    return STATES[stage] if stage in (Stage.CHAMPION, Stage.CANDIDATE) else None


@kept
def delta(
    change: float | None,
    noise: bool | None = None,
    decimals: int = 3,
    better_down: bool = False,
    unit: str = "",
) -> SafeString:
    """A change: green or red with an arrow if it is more than noise, else grey.

    Args:
        change: by how much.
        noise: whether it lies within noise; None if nobody measured that.
        decimals: how many are shown.
        better_down: whether less is better, as for costs and losses.
        unit: what follows the number.
    """
    if change is None:
        return nothing()
    quiet = noise is not False or change == 0
    better = (change > 0) != better_down
    return _render(
        "delta",
        exact=repr(change),
        tone="idle" if quiet else "ok" if better else "bad",
        arrow="" if quiet else "arrow-up" if change > 0 else "arrow-down",
        text=formats.num(change, decimals, sign=True) + unit,
        meaning=("within noise" if noise else "") if quiet else "better" if better else "worse",
    )


def spark(
    values: Sequence[float | None],
    label: str,
    tone: Tone = "",
    width: int = 88,
    height: int = 26,
    area: bool = True,
) -> SafeString:
    """A trend in a row, without axes. `tone` only if the last point is a state; `label` says the trend in words."""
    known = tuple(value for value in values if value is not None)
    return _spark(known, label, tone, width, height, area) if known else nothing()


@kept
def _spark(known: tuple[float, ...], label: str, tone: Tone, width: int, height: int, area: bool) -> SafeString:
    points = shapes.line(known, width, height)
    path = " ".join(f"{x},{y}" for x, y in points)
    frame = {"width": str(width), "height": str(height), "right": str(width - shapes.PAD), "left": str(shapes.PAD)}
    x, y = points[-1]
    return _render("spark", frame=frame, label=label, tone=tone, path=path, area=area, x=str(x), y=str(y))


def spark_bars(counts: Sequence[float], label: str, width: int = 88, height: int = 26) -> SafeString:
    """A histogram in a row, without axes."""
    if not counts:
        return nothing()
    bars = [tuple(map(str, bar)) for bar in shapes.bars(counts, width, height)]
    return _render("spark_bars", width=str(width), height=str(height), label=label, bars=bars)


def metric(
    label: str,
    value: str,
    unit: str = "",
    foot: str = "",
    values: Sequence[float | None] = (),
    tone: Tone = "",
    note: str = "",
    href: str = "",
    ci: str = "",
) -> SafeString:
    """A number that matters, written out in `value`, with its past `values` as a sparkline.

    Below it stand its interval, `ci`, and a line of text, `foot`.
    """
    known = [past for past in values if past is not None]
    trend = spark(known, f"{label}, its last {len(known)} values", tone, 48, 28) if len(known) > 1 else ""
    return _render("metric", label=label, value=value, unit=unit, foot=foot, trend=trend, note=note, href=href, ci=ci)


def confusion(
    classes: Sequence[object],
    counts: Sequence[Sequence[int]],
    label: str,
    id: str,  # noqa: A002
    href: str = "",
) -> SafeString:
    """A confusion matrix: rows are the truth, columns the prediction. Counts and row shares are both in the page.

    The switch `{% units id %}` chooses which of them shows. `href` is the address of the list of events, to which each
    cell leads, with its truth and prediction as parameters.
    """
    names = [str(name) for name in classes]
    rows = [
        (truth, [_cell(count, sum(row), (truth, predicted), href) for predicted, count in zip(names, row, strict=True)])
        for truth, row in zip(names, counts, strict=True)
    ]
    return _render("confusion", classes=names, rows=rows, label=label, id=id, dense=len(names) > _WIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """By how much a cell of a confusion matrix differs from that of another: in events, None where both are of other
    data, and in its share of the row. More on the diagonal is better, elsewhere less."""

    count: int | None
    share: float | None
    noise: bool
    diagonal: bool

    @property
    def tone(self) -> Tone:
        """Green or red if it is more than noise."""
        if self.noise or not self.share:
            return ""
        return "ok" if (self.share > 0) == self.diagonal else "bad"

    @property
    def counted(self) -> str:
        """The difference in events, or in percentage points if these are all that compare."""
        return self.shared if self.count is None else formats.num(self.count, 0, sign=True)

    @property
    def shared(self) -> str:
        """The difference in percentage points."""
        if self.share is None:
            return formats.NOTHING
        return f"{formats.num(100 * self.share, 1, sign=True)}{formats.NARROW_SPACE}pp"


def confusion_change(classes: Sequence[object], rows: Sequence[Sequence[Shift]], label: str) -> SafeString:
    """The difference of two confusion matrices, as `confusion` shows one."""
    names = [str(name) for name in classes]
    shown = list(zip(names, rows, strict=True))
    return _render("confusion_change", classes=names, rows=shown, label=label, dense=len(names) > _WIDE)


def checks(found: Sequence[tuple[bool, str]], text: str, sub: str) -> SafeString:
    """A text, and folded below it checks: whether each is passed, and a sentence. `sub` is a line between."""
    return _render("checks", checks=found, passed=sum(passed for passed, _ in found), text=text, sub=sub)


def chip(text: str, href: str, remove: str, remove_href: str, mark: str = "") -> SafeString:
    """A chosen thing, with the letter that stands for it, and a link that takes it away; `remove` says so."""
    return _render("chip", text=text, href=href, remove=remove, remove_href=remove_href, mark=mark)


def units(id: str) -> SafeString:  # noqa: A002
    """The switch between the counts and the shares of the confusion matrix with this id."""
    return _render("units", id=id)


def chart(
    content: charts.Chart,
    id: str,  # noqa: A002
    label: str,
    caption: str = "",
    tall: bool = False,
    savable: bool = True,
) -> SafeString:
    """A figure, drawn in the browser. `label` says what it shows in words, for those who cannot see it.

    Below it stand its content as a table, folded, if the chart has one, and a button that saves it as a picture if it
    is `savable`.
    """
    data, source = charts.as_json(content), f"{id}-data"
    parts = {"kind": content.kind, "data": data, "source": source, "id": id, "label": label}
    extras = {"table": charts.as_table(content), "savable": savable}
    return _render("chart", **parts, **extras, caption=caption, tall=tall)


def copy(target: str, what: str, text: str = "") -> SafeString:
    """A button that copies the text of the element with the id `target`; `what` says what that is.

    What can be folded is copied too. `text` stands beside the icon.
    """
    return _render("copy", target=target, what=what, text=text)


def when(moment: datetime | None) -> SafeString:
    """An exact time, which programs can read too."""
    return nothing() if moment is None else _time(moment, formats.when(moment))


def when_short(moment: datetime | None, seconds: bool = False) -> SafeString:
    """A short time for lists, with the exact one on hover."""
    return nothing() if moment is None else _time(moment, formats.when_short(moment, timezone.now(), seconds))


def since(moment: datetime | None) -> SafeString:
    """How long ago a time was, with the exact one on hover."""
    return nothing() if moment is None else _time(moment, formats.since(moment, timezone.now()))


def toolbar(form: BaseForm, label: str, action: str, target: str = "table", help: str = "") -> SafeString:  # noqa: A002
    """The search and the filters above a table: the form's field `q` searches, all others are selects.

    `action` is the page's address, `target` the table's `html_id`, `help` the id of a popover that explains the search.
    """
    fields = [(field, _control(field)) for field in form]
    return _render("toolbar", fields=fields, label=label, action=action, target=target, help=help)


def page_header(
    content: str,
    title: str,
    crumbs: Sequence[tuple[str, str]] = (),
    badge: str = "",
    lead: str = "",
    facts: Sequence[tuple[str, object]] = (),
) -> SafeString:
    """The head of a page, once a page: its trail of (text, address), badge, and facts of (term, value).

    The slot holds actions, with at most one primary button, on the right.
    """
    parts = {"title": title, "crumbs": crumbs, "badge": badge, "lead": lead, "facts": facts}
    return _render("page_header", slot=_trimmed(content), **parts)


def card_head(content: str, title: str, text: str = "", id: str = "") -> SafeString:  # noqa: A002
    """The head of a card, whose section is `aria-labelledby` the id. The slot holds actions."""
    return _render("card_head", slot=_trimmed(content), title=title, text=text, id=id)


def more(content: str) -> SafeString:
    """The actions of a page's head that are seldom wanted, behind one button. The slot holds list items."""
    return _render("more", slot=content)


def verdict(content: str, tone: Tone, glyph: str) -> SafeString:
    """The conclusion in words, above the figures. The slot holds its paragraphs."""
    return _render("verdict", slot=content, tone=tone, glyph=glyph)


def plain_table(content: str, label: str) -> SafeString:
    """A table that is neither sorted nor paged. The slot holds its head and body."""
    return _render("plain_table", slot=content, label=label)


def empty(content: str, glyph: str, title: str, text: str, tone: Tone = "", level: int = 2) -> SafeString:
    """Nothing to show: why, and what to do, below a heading of this level. The slot holds actions."""
    parts = {"glyph": glyph, "title": title, "text": text, "tone": tone}
    return _render("empty", slot=_trimmed(content), heading=f"h{level}", **parts)


def _time(moment: datetime, text: str) -> SafeString:
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), formats.when(moment), text)


def _trimmed(content: str) -> str:
    """The slot without the space around it, so that an empty one is false; safe only if it was safe."""
    return SafeString(content.strip()) if isinstance(content, SafeString) else content.strip()


def _cell(count: int, total: int, names: tuple[str, str], href: str) -> dict[str, object]:
    part = count / total if total else None
    texts = {"count": formats.num(count, 0), "share": formats.share(part)}
    truth, predicted = names
    link = {
        "href": f"{href}?{urlencode({'truth': truth, 'predicted': predicted})}" if href and count else "",
        "title": f"Events that truly are {truth} and were predicted as {predicted}",
    }
    return {**texts, **link, "heat": shapes.heat(part or 0), "diagonal": truth == predicted}


def _control(field: BoundField) -> SafeString:
    if isinstance(field.field.widget, Select):
        return _select(field)
    return field.as_widget(attrs={"class": "form-control"})


def _select(field: BoundField) -> SafeString:
    """A select, put together here since Django renders each of its options by a template of its own."""
    chosen = str(field.value() or "")
    options = format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        (
            (value, SafeString(" selected") if str(value) == chosen else "", text)
            for value, text in field.field.widget.choices
        ),
    )
    return format_html(
        '<select class="form-select" name="{}" id="{}">{}</select>', field.html_name, field.id_for_label, options
    )


def _render(template: str, /, **context: object) -> SafeString:
    return SafeString(get_template(f"components/{template}.html").render(context).strip())
