"""How the `atlas` command shows predictions."""

import csv
import sys
from collections.abc import Iterator, Sequence

from rich.text import Text

from atlas.api import PredictedRow, PredictionDetail, RowExplanation
from atlas.terminal import console, printable, table

MOST_REASONS = 3
"""So many features of a row are named."""


def show_prediction(found: PredictionDetail, rows: Sequence[PredictedRow]) -> None:
    """Print each row with what moved it most, and what is new to the model."""
    out = console()
    out.print(Text(printable(f"{found.model.name}: {len(rows):,} rows, prediction {found.id}"), style="bold"))
    out.print(table("Row", "Predicted", "Confidence", "New to the model", "Because of", rows=map(_line, rows)))
    for each in found.out_of_range:
        examples = ", ".join(each.examples)
        out.print(printable(f"{each.column}: {each.rows:,} rows are new, such as {examples}; known: {each.known}"))
    for warning in found.warnings:
        out.print(printable(warning))
    if found.unexplained:
        out.print(printable(f"Not explained: {found.unexplained}"))


def _line(row: PredictedRow) -> tuple[str, ...]:
    sure = row.probabilities.get(str(row.prediction))
    confidence = "" if sure is None else f"{sure:.1%}"
    said = (row.id, str(row.prediction), confidence, ", ".join(row.out_of_range), _because(row.explanation, row))
    return tuple(map(printable, said))


def _because(explanation: RowExplanation | None, row: PredictedRow) -> str:
    """The features that moved the predicted output most."""
    if explanation is None:
        return ""
    names = explanation.outputs
    output = names.index(str(row.prediction)) if str(row.prediction) in names else 0
    strongest = sorted(explanation.effects, key=lambda each: -abs(each.effects[output]))[:MOST_REASONS]
    return ", ".join(f"{each.feature} ({each.effects[output]:+.3g})" for each in strongest)


def print_csv(rows: Sequence[PredictedRow]) -> None:
    """Print one line a row, with a column for the probability of each class."""
    classes = list(rows[0].probabilities) if rows else []
    writer = csv.writer(sys.stdout)
    writer.writerow(["id", "prediction", *(f"probability {name}" for name in classes), "truth", "out_of_range"])
    writer.writerows(_cells(row, classes) for row in rows)


def _cells(row: PredictedRow, classes: Sequence[str]) -> Iterator[object]:
    yield row.id
    yield row.prediction
    yield from (row.probabilities.get(name) for name in classes)
    yield row.truth
    yield " ".join(row.out_of_range)
