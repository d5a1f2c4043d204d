"""Columns that moved: between both versions, and from what the model was trained on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.safestring import SafeString

from atlas.drift import ColumnDrift, TableDrift
from atlas_web import words
from atlas_web.drift_table import Key, Part
from atlas_web.drops.card import Reason
from storage.queries import Moved, StoredResult
from ui import components, formats

MOST_COLUMNS = 8
CARD = "columns"
NOTES = {Part.LABELS: "truth", Part.PREDICTIONS: "predictions"}
NOTHING_KNOWN: Mapping[str, float] = MappingProxyType({})
NOT_YET = "The engine has not measured this yet."
NEVER = "That was not measured. Run the benchmark again to have it measured."
NOT_STORED = (
    "Versions are compared with the one before and with the first one alone, so nothing is known of how the data moved "
    "between v{} and v{}."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A column that moved.

    Attributes:
        name: of the column.
        href: where its distributions are shown.
        note: what it is, if it is no column of the data.
        before, now: how many rows fall into each of its bins, as bars.
        distance: that of Jensen and Shannon.
        earlier: the same of the reference version.
        importance: its share of all effects on the predictions.
        has_moved: whether by more than noise.
    """

    name: str
    href: str
    note: str
    before: SafeString
    now: SafeString
    distance: str
    earlier: str
    importance: str
    has_moved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The columns that moved farthest from one other table.

    Attributes:
        title: what they moved from.
        text: how many moved.
        unknown: why there are none.
        rows: truth and predictions where they are known, then the columns that moved farthest.
        earlier: what the distances of the reference version are of, where they are known too.
        tells_importance: whether it says how much each column matters, which one table does.
    """

    title: str
    text: str
    unknown: str
    rows: Sequence[Row]
    earlier: str = ""
    tells_importance: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The card: what it says, its tables, and what it says of why the metric changed."""

    finding: str
    tables: Sequence[Table]
    reason: Reason | None

    @property
    def are_known(self) -> bool:
        """Whether anything was measured."""
        return any(table.rows for table in self.tables)


def columns(now: StoredResult, then: StoredResult | None) -> Columns:
    """What moved, as far as it is stored."""
    effects = _effects(now)
    since = now.since(then.version) if then else Moved()
    between = [_since(since, now, then, effects)] if then else []
    tables = [*between, _from_training(now, then, effects, tells_importance=since.drift is None)]
    reason = _reason(since.drift, effects, f"since v{then.version}") if then else None
    reason = reason or _reason(now.from_training.drift, effects, "from what the model was trained on")
    return Columns(finding=reason.text if reason else _quiet(since, now), tables=tables, reason=reason)


def _since(moved: Moved, now: StoredResult, then: StoredResult, effects: Mapping[str, float]) -> Table:
    title, drift = f"Since v{then.version}", moved.drift
    if drift is None:
        return Table(title=title, text="", unknown=moved.unknown or _unmeasured(now, then), rows=())
    predictions = now.predictions_moved if drift.compared_with == "previous" else None

    def address(key: Key) -> str:
        return _of_model(now, key) if key.part is Part.PREDICTIONS else _of_dataset(now, drift.compared_with, key)

    rows = [_row(*noted, address, effects) for noted in _first(drift, predictions)]
    return Table(title=title, text=_counted(drift), unknown="", rows=rows)


def _unmeasured(now: StoredResult, then: StoredResult) -> str:
    """Why there is no drift between two versions without a problem: it comes, or nobody measures it."""
    measured = getattr(now.benchmark.dataset_version, "drift", None) is not None
    return NOT_STORED.format(then.version, now.version) if measured else NOT_YET


def _from_training(
    now: StoredResult, then: StoredResult | None, effects: Mapping[str, float], *, tells_importance: bool
) -> Table:
    title, moved = "From what the model was trained on", now.from_training
    if moved.drift is None:
        return Table(title=title, text="", unknown=moved.unknown or NEVER, rows=())
    earlier = then.from_training.drift if then else None
    distances = {each.name: each.jensen_shannon for each in earlier.columns} if earlier else {}
    address = partial(_of_model, now)
    return Table(
        title=title,
        text=_counted(moved.drift),
        unknown="",
        rows=[_row(*noted, address, effects, distances) for noted in _first(moved.drift, moved.drift.predictions)],
        earlier=f"On v{then.version}" if then and earlier else "",
        tells_importance=tells_importance,
    )


def _of_dataset(now: StoredResult, since: str, key: Key) -> str:
    """The address of a column's distributions since an earlier version."""
    tag = now.benchmark.dataset_version.tag.name
    asked = {"since": since, "version": now.version, "column": str(key)}
    return f"{reverse('dataset-drift', args=[tag])}?{urlencode(asked)}"


def _of_model(now: StoredResult, key: Key) -> str:
    """The address of a column's distributions since training, or of predictions since the version before."""
    asked = {"tag": now.benchmark.dataset_version.tag.name, "version": now.version, "column": str(key)}
    return f"{reverse('model-drift', args=[now.benchmark.model_id])}?{urlencode(asked)}"


def _first(drift: TableDrift, predictions: ColumnDrift | None) -> list[tuple[ColumnDrift, Key]]:
    """Truth and predictions where they are known, and the columns that moved farthest."""
    ordered = sorted(drift.columns, key=lambda column: (not column.has_moved, -column.jensen_shannon))
    beside = ((drift.labels, Key(Part.LABELS)), (predictions, Key(Part.PREDICTIONS)))
    return [
        *((column, key) for column, key in beside if column),
        *((column, Key(Part.COLUMN, column.name)) for column in ordered[:MOST_COLUMNS]),
    ]


def _counted(drift: TableDrift) -> str:
    moved = sum(column.has_moved for column in drift.columns)
    compared = f"{words.plural(drift.rows_before, 'row')} before, {formats.num(drift.rows_now, 0)} now"
    gone = f" Gone: {', '.join(drift.gone[:MOST_COLUMNS])}." if drift.gone else ""
    new = f" New: {', '.join(drift.new[:MOST_COLUMNS])}." if drift.new else ""
    return f"{moved:,} of {words.plural(len(drift.columns), 'column')} moved; {compared}.{gone}{new}"


def _row(
    column: ColumnDrift,
    key: Key,
    address: Callable[[Key], str],
    effects: Mapping[str, float],
    earlier: Mapping[str, float] = NOTHING_KNOWN,
) -> Row:
    name, is_column = column.name, key.part is Part.COLUMN
    return Row(
        name=name,
        href=address(key),
        note=NOTES.get(key.part, ""),
        before=components.spark_bars(column.distribution.before, f"{name} before, as bars"),
        now=components.spark_bars(column.distribution.now, f"{name} now, as bars"),
        distance=formats.num(column.jensen_shannon, 2),
        earlier=formats.num(earlier.get(name) if is_column else None, 2),
        importance=formats.share(effects.get(name) if is_column else None, 0),
        has_moved=column.has_moved,
    )


def _effects(of: StoredResult) -> dict[str, float]:
    """By column, its share of all effects on the predictions; empty without an explanation."""
    found = of.explanation
    importances = (found.column_importances or found.importances) if found else ()
    whole = sum(each.total for each in importances)
    return {each.feature: each.total / whole for each in importances} if whole else {}


def _reason(drift: TableDrift | None, effects: Mapping[str, float], whence: str) -> Reason | None:
    """The column that moved and matters most: the largest distance, times its share of the effects if that is known."""
    moved = [column for column in drift.columns if column.has_moved] if drift else []
    if not moved:
        return None
    worst = max(
        moved, key=lambda column: (column.jensen_shannon * effects.get(column.name, 0.0), column.jensen_shannon)
    )
    return Reason(
        text=f"{worst.name} has moved by {formats.num(worst.jensen_shannon, 2)} {whence}{_weighs(worst, effects)}.",
        card=CARD,
    )


def _weighs(column: ColumnDrift, effects: Mapping[str, float]) -> str:
    share = effects.get(column.name)
    return f", and has {formats.share(share, 0)} of the effects on the predictions" if share else ""


def _quiet(since: Moved, now: StoredResult) -> str:
    if since.drift is None and now.from_training.drift is None:
        return "It is not known whether the data moved."
    return "No column moved by more than noise."
