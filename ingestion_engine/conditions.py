"""From a query's condition to one on the table of events, on SQLite and PostgreSQL alike.

Values reach the database as parameters, and columns by the key that the engine gave them: nothing of the query's text
becomes SQL. A comparison with a missing value does not hold, so that its negation does.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import reduce
from operator import and_, or_

from django.db.models import F, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from ingestion_engine.expressions import Comparison, Expression, Junction, Negation, Operator, Presence, RelativeTime
from ingestion_engine.models import SEVERAL_LABELS, Column
from ingestion_engine.query import DURATION

KINDS: Mapping[type, str] = {float: "number", str: "text", bool: "boolean"}
LABEL_SEPARATOR = "\x1f"
NOTHING = Q(pk__in=())
PATHS: Mapping[str, str] = {
    "label": "label",
    "time": "time",
    "car": "car",
    "environment": "environment",
    "recording": "recording__name",
    "id": "event_id",
    DURATION: DURATION,
}
"""What every event may have, and where it stands."""
LOOKUPS: Mapping[Operator, str] = {
    Operator.EQUAL: "exact",
    Operator.NOT_EQUAL: "exact",
    Operator.IN: "exact",
    Operator.LESS: "lt",
    Operator.LESS_OR_EQUAL: "lte",
    Operator.GREATER: "gt",
    Operator.GREATER_OR_EQUAL: "gte",
}


def condition(expression: Expression, columns: Mapping[str, Column], *, now: datetime, negated: bool = False) -> Q:
    """The expression as a condition on `Event`. A column that is unknown or of another kind has no values.

    Where it is to be `negated`, it is false, not unknown, for missing values; elsewhere both are the same, and less to
    ask.
    """
    match expression:
        case Comparison():
            return _comparison(_at(expression, now), columns, guarded=negated)
        case Presence():
            present = _presence(expression.column, columns)
            return ~present if expression.missing else present
        case Negation(part):
            return ~condition(part, columns, now=now, negated=True)
        case Junction(parts, every):
            found = (condition(part, columns, now=now, negated=negated) for part in parts)
            return reduce(and_ if every else or_, found, Q())


def _at(comparison: Comparison, now: datetime) -> Comparison:
    """The comparison with moments in place of relative times."""
    values = (value.at(now) if isinstance(value, RelativeTime) else value for value in comparison.values)
    return replace(comparison, values=tuple(values))


def _presence(name: str, columns: Mapping[str, Column]) -> Q:
    """Where a column has a value."""
    feature = Q(scalars__has_key=columns[name].key) if name in columns else NOTHING
    if name == DURATION:
        return Q(duration_seconds__isnull=False) | feature
    return Q(**{f"{PATHS[name]}__isnull": False}) if name in PATHS else feature


def _comparison(comparison: Comparison, columns: Mapping[str, Column], *, guarded: bool) -> Q:
    """The comparison; if it is `guarded`, it is false where the value is missing."""
    if comparison.column == "label":
        return _label(comparison, guarded=guarded)
    if comparison.column == DURATION:
        own = _compared(comparison, DURATION, F(DURATION), guarded=guarded)
        return own | (Q(duration_seconds=None) & _feature(comparison, columns, guarded=guarded))
    if path := PATHS.get(comparison.column):
        return _compared(comparison, path, F(path), guarded=guarded)
    return _feature(comparison, columns, guarded=guarded)


def _feature(comparison: Comparison, columns: Mapping[str, Column], *, guarded: bool) -> Q:
    column = columns.get(comparison.column)
    if column is None or column.kind != KINDS[type(comparison.values[0])]:
        return NOTHING
    text = KeyTextTransform(column.key, "scalars")
    return _compared(comparison, f"scalars__{column.key}", text, guarded=guarded)


def _compared(comparison: Comparison, path: str, text: Combinable, *, guarded: bool) -> Q:
    """The comparison of a field; `text` is its value to look for a text in."""
    if comparison.operator is Operator.CONTAINS:
        holds = _contains(text, str(comparison.values[0]))
    else:
        lookup = LOOKUPS[comparison.operator]
        holds = reduce(or_, (Q(**{f"{path}__{lookup}": value}) for value in comparison.values))
    return _guarded(comparison, path, holds, guarded=guarded)


def _guarded(comparison: Comparison, path: str, holds: Q, *, guarded: bool) -> Q:
    """What holds, or for != what does not, where there is a value."""
    present = Q(**{f"{path}__isnull": False})
    if comparison.operator is Operator.NOT_EQUAL:
        return present & ~holds
    return present & holds if guarded else holds


def _contains(text: Combinable, part: str) -> Q:
    """Unlike LIKE, this tells upper from lower case in every database, and knows no wildcards."""
    return Q(GreaterThan(StrIndex(text, Value(part)), 0))


def _label(comparison: Comparison, *, guarded: bool) -> Q:
    if not isinstance(comparison.values[0], str):
        return _compared(comparison, "label_number", F("label_number"), guarded=guarded)
    if comparison.operator is Operator.CONTAINS:
        return _compared(comparison, "label_text", F("label_text"), guarded=guarded)
    one_of = _has_label(tuple(map(str, comparison.values)))
    return _guarded(comparison, "label_text", one_of, guarded=guarded)


def _has_label(labels: tuple[str, ...]) -> Q:
    """Where the label is one of these texts, or one of several labels is.

    Each half can be answered from an index of its own: few events have several labels.
    """
    parts = (_contains(F("label_text"), LABEL_SEPARATOR + label + LABEL_SEPARATOR) for label in labels)
    return Q(label_text__in=labels) | (Q(label_type=SEVERAL_LABELS) & reduce(or_, parts))
