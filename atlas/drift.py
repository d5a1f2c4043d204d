"""How far a table has moved from another, as it is kept and shown. `monitoring` measures it."""

from typing import Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from atlas.vocabulary import Document

MOST_COLUMNS = 10_000
MOST_BINS = 200


class Distribution(Document):
    """How many rows fall into each bin, before and now; both are as long as `bins`."""

    bins: tuple[str, ...] = Field(max_length=MOST_BINS)
    before: tuple[int, ...] = Field(max_length=MOST_BINS)
    now: tuple[int, ...] = Field(max_length=MOST_BINS)

    @model_validator(mode="after")
    def _are_of_the_same_bins(self) -> Self:
        if not len(self.bins) == len(self.before) == len(self.now):
            raise ValueError("There must be as many counts before and now as there are bins.")
        return self


class ColumnDrift(Document):
    """How far one column has moved: see `monitoring.columns.Drift` and `monitoring.tables.ColumnDrift`."""

    name: str = Field(max_length=500)
    kullback_leibler: FiniteFloat
    jensen_shannon: FiniteFloat
    hellinger: FiniteFloat
    population_stability: FiniteFloat
    pairwise_distance: FiniteFloat
    kolmogorov_smirnov: FiniteFloat | None
    wasserstein: FiniteFloat | None
    missing: FiniteFloat
    p_value: FiniteFloat
    adjusted_p: FiniteFloat
    has_moved: bool
    distribution: Distribution


class TableDrift(Document):
    """How far the columns of a table have moved, those that moved first.

    Attributes:
        compared_with: what they have moved from: what the model was trained on, the first version, or the one before.
        version: the number of that version; None of what the model was trained on.
        rows_before, rows_now: how many rows were compared.
        columns: the data's columns.
        labels: the target; None where the other table has none.
        predictions: the model's; None where nothing says what it predicted then.
        gone, new: columns of scalars that only the other table or only this one has.
    """

    compared_with: Literal["reference", "first", "previous"]
    version: int | None = None
    rows_before: int = Field(ge=0)
    rows_now: int = Field(ge=0)
    columns: tuple[ColumnDrift, ...] = Field(max_length=MOST_COLUMNS)
    labels: ColumnDrift | None = None
    predictions: ColumnDrift | None = None
    gone: tuple[str, ...] = Field((), max_length=MOST_COLUMNS)
    new: tuple[str, ...] = Field((), max_length=MOST_COLUMNS)

    @property
    def share_moved(self) -> float:
        """Of the data's columns, the share that has moved; 0 of none."""
        return sum(column.has_moved for column in self.columns) / len(self.columns) if self.columns else 0.0

    @property
    def farthest(self) -> float:
        """The largest Jensen-Shannon distance of the data's columns; 0 of none."""
        return max((column.jensen_shannon for column in self.columns), default=0.0)
