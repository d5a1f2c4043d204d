"""Which values lie outside what a model was trained on."""

import pyarrow as pa
import pytest

from atlas.datasets import ColumnStatistics, Lengths, Statistics
from benchmark_engine.known_values import out_of_range


def known(dtype: str, *, missing: int = 0, **fields: object) -> Statistics:
    """Ten known rows of the column `x`."""
    column = ColumnStatistics.model_validate({"name": "x", "dtype": dtype, "missing": missing, **fields})
    return Statistics(rows=10, labels={}, cars={}, environments={}, columns=(column,))


NUMBERS = known("double", minimum=1.0, maximum=2.5)
TEXTS = known("string", values={"Polo": 7, "Golf": 3})
LISTS = known("list<item: float>", lengths=Lengths(minimum=2, mean=2.5, maximum=3))


@pytest.mark.parametrize(
    ("statistics", "values", "rows", "words", "examples"),
    [
        (NUMBERS, [1.0, 2.5, 0.5, 3.0, 3.0], [2, 3, 4], "1 to 2.5", ("0.5", "3")),
        (NUMBERS, [1.0, None, float("nan")], [1, 2], "1 to 2.5", ("missing",)),
        (TEXTS, ["Polo", "Passat", None], [1, 2], "Polo, Golf", ("Passat", "missing")),
        (LISTS, [[1.0, 2.0], [1.0]], [1], "lists of 2 to 3 values", ("1 values",)),
        (known("bool", values={"True": 10}), [True, False], [1], "True", ("False",)),
        (known("timestamp[us, tz=UTC]"), [None], [0], "never missing", ("missing",)),
    ],
)
def test_new_values_are_named_with_their_rows_and_what_is_known(
    statistics: Statistics, values: list[object], rows: list[int], words: str, examples: tuple[str, ...]
) -> None:
    (found,) = out_of_range(pa.table({"x": values}), [f"e{n}" for n in range(len(values))], statistics)
    assert (found.column, found.known, found.rows, found.examples) == ("x", words, len(rows), examples)
    assert found.events == tuple(f"e{row}" for row in rows)


@pytest.mark.parametrize(
    ("statistics", "values"),
    [
        (NUMBERS, [1.0, 2.5]),
        (known("double", missing=1, minimum=1.0, maximum=2.0), [None, float("nan")]),
        (known("string", values={"Polo": 6}), ["Passat"]),
        (None, [1e9]),
    ],
    ids=["within", "sometimes missing", "only the most frequent texts are known", "nothing known"],
)
def test_what_may_be_known_is_no_warning(statistics: Statistics | None, values: list[object]) -> None:
    assert out_of_range(pa.table({"x": values}), ["e"] * len(values), statistics) == ()
