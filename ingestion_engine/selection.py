"""From a query's expression to the events in the database, on SQLite and PostgreSQL alike.

Values reach the database as parameters, and columns by the key that the engine gave them: nothing of the query's text
becomes SQL. A comparison with a missing value does not hold, so that its negation does.
"""

from collections.abc import Mapping
from functools import reduce
from operator import and_, or_

from django.db.models import F, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from ingestion_engine import query
from ingestion_engine.models import Column
from ingestion_engine.query import Comparison, Expression, Junction, Negation, Operator

KINDS: Mapping[type, str] = {float: "number", str: "text", bool: "boolean"}
LABEL_SEPARATOR = "\x1f"
NOTHING = Q(pk__in=())
PATHS: Mapping[str, str] = {
    "id": "event_id",
    "recording": "recording__name",
    "car": "car",
    "environment": "environment",
}


def known_columns() -> dict[str, Column]:
    """All feature columns by name."""
    return {column.name: column for column in Column.objects.all()}


def check(expression: Expression, columns: Mapping[str, Column]) -> None:
    """Refuses a comparison that can never hold, because the column holds other values.

    Columns that no recording has yet are accepted: the tag may be made before its data arrive.

    Raises:
        QueryError: at the comparison's value.
    """
    for comparison in query.comparisons(expression):
        column = columns.get(comparison.column)
        if column and column.kind != KINDS.get(type(comparison.values[0])):
            comparison.refuse(f"the column {column.name} holds values of kind {column.kind}")


def condition(expression: Expression, columns: Mapping[str, Column]) -> Q:
    """The expression as a condition on `Event`. A column that is unknown or of another kind has no values."""
    match expression:
        case Comparison():
            return _comparison(expression, columns)
        case Negation(part):
            return ~condition(part, columns)
        case Junction(parts, every):
            return reduce(and_ if every else or_, (condition(part, columns) for part in parts), Q())


def _comparison(comparison: Comparison, columns: Mapping[str, Column]) -> Q:
    if comparison.column == "label":
        return _label(comparison)
    if comparison.column == "time":
        return _compared(comparison, "time", Q(time__isnull=False), F("time"))
    if path := PATHS.get(comparison.column):
        return _compared(comparison, path, Q(**{f"{path}__isnull": False}), F(path))
    column = columns.get(comparison.column)
    if column is None or column.kind != KINDS[type(comparison.values[0])]:
        return NOTHING
    present = Q(scalars__has_key=column.key)
    return _compared(comparison, f"scalars__{column.key}", present, KeyTextTransform(column.key, "scalars"))


def _compared(comparison: Comparison, path: str, present: Q, text: Combinable) -> Q:
    """The comparison of a field; `present` where it has a value, `text` its value to look for a text in."""
    value = comparison.values[0]
    match comparison.operator:
        case Operator.IN:
            return present & reduce(or_, (Q(**{path: value}) for value in comparison.values))
        case Operator.NOT_EQUAL:
            return present & ~Q(**{path: value})
        case Operator.CONTAINS:
            return present & _contains(text, str(value))
    return present & Q(**{f"{path}__{LOOKUPS[comparison.operator]}": value})


LOOKUPS: Mapping[Operator, str] = {
    Operator.EQUAL: "exact",
    Operator.LESS: "lt",
    Operator.LESS_OR_EQUAL: "lte",
    Operator.GREATER: "gt",
    Operator.GREATER_OR_EQUAL: "gte",
}


def _contains(text: Combinable, part: str) -> Q:
    """Unlike LIKE, this tells upper from lower case in every database, and knows no wildcards."""
    return Q(GreaterThan(StrIndex(text, Value(part)), 0))


def _label(comparison: Comparison) -> Q:
    if not isinstance(comparison.values[0], str):
        return _compared(comparison, "label_number", Q(label_number__isnull=False), F("label_number"))
    present = Q(label_text__isnull=False)
    if comparison.operator is Operator.CONTAINS:
        return present & _contains(F("label_text"), str(comparison.values[0]))
    one_of = reduce(or_, (_has_label(str(value)) for value in comparison.values))
    return present & (~one_of if comparison.operator is Operator.NOT_EQUAL else one_of)


def _has_label(label: str) -> Q:
    """Where the label is this text, or where it is one of several."""
    return Q(label_text=label) | _contains(F("label_text"), LABEL_SEPARATOR + label + LABEL_SEPARATOR)
