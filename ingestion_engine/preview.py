"""What a query selects now, in numbers."""

from collections import Counter
from datetime import datetime

from django.db.models import Count, Q

from atlas.ingestion import QueryPreview
from ingestion_engine.query import parse
from ingestion_engine.selection import check, known_columns, matching

MOST_LABELS = 1000
"""So many labels, the most frequent ones, are counted."""


def preview(text: str, *, now: datetime) -> QueryPreview:
    """How many events a query selects of those that are present, and how many have each label.

    An event with several labels is counted under each. Labels that are fractional numbers are not counted.

    Raises:
        QueryError: the query cannot be understood, or says what can never hold.
    """
    check(parse(text), known_columns())
    found = matching(text, Q(until=None), now=now)
    classes = found.exclude(label_type="double").filter(label__isnull=False)
    counted = classes.values_list("label").annotate(events=Count("pk")).order_by("-events")
    labels: Counter[str] = Counter()
    for label, events in counted[:MOST_LABELS]:
        for each in label if isinstance(label, list) else [label]:
            labels[str(each)] += events
    ordered = sorted(labels.items(), key=lambda each: (-each[1], each[0]))
    return QueryPreview(rows=found.count(), labels=dict(ordered))
