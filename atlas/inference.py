"""Predictions apart from benchmarks, as they are kept and shown: on demand, and on live data."""

from pydantic import Field, FiniteFloat

from atlas.drift import TableDrift
from atlas.results import Explanation, MetricValue
from atlas.vocabulary import Document


class OutOfRange(Document):
    """Values of one column that lie outside what the model was trained on.

    Attributes:
        column: its name.
        known: what values are known, in words, such as `2.1 to 8.4`.
        rows: how many rows lie outside, or have no value where there was always one.
        examples: some of the values, as text.
        events: ids of the first such rows.
    """

    column: str
    known: str
    rows: int
    examples: tuple[str, ...] = Field((), max_length=5)
    events: tuple[str, ...] = Field((), max_length=1_000)


class Counted(Document):
    """How often each bin or class occurs; both have one entry each.

    Of numbers, `edges` are the ends of the bins, ascending, one more than there are bins.
    """

    bins: tuple[str, ...]
    counts: tuple[int, ...]
    edges: tuple[FiniteFloat, ...] = ()


class Labels(Document):
    """How many rows are labelled, and the metrics of these; none of too few."""

    labelled: int
    metrics: tuple[MetricValue, ...] = ()


class Live(Labels):
    """What a model does on live data.

    Attributes:
        predictions: how often each class, or range of numbers, was predicted.
        confidence: the probability of the predicted class, in bins; None of a model without probabilities.
        mean_confidence: its mean; None likewise.
        drift: from what the model was trained on; None if nothing says what that was.
        labelled: how many of the rows have a label.
        estimated: metrics as far as they can be estimated without labels.
        not_estimated: why they cannot be; empty if they are.
        metrics: those of the rows that are labelled; they take the place of what is estimated.
    """

    predictions: Counted
    confidence: Counted | None
    mean_confidence: FiniteFloat | None
    drift: TableDrift | None
    estimated: tuple[MetricValue, ...] = ()
    not_estimated: str = ""


class Inferred(Document):
    """What predicting some rows gave. The predictions themselves lie in the object store, as Parquet.

    Attributes:
        rows: how many were predicted.
        explanation: of some of them, as of a benchmark.
        out_of_range: columns with values outside what the model was trained on.
        warnings: lines for people, as of a benchmark.
        live: what it says of live data; None of predictions on demand.
    """

    rows: int
    explanation: Explanation
    out_of_range: tuple[OutOfRange, ...] = ()
    warnings: tuple[str, ...] = ()
    live: Live | None = None
