"""What the drift of a whole table costs, beside the predictions of a forest for the same rows.

    python -m benchmarks.drift [--json] [--quick] [--rounds N]

100 columns of 100,000 rows, nine in ten of them numbers, against a reference of as many rows; a forest of 100 trees
predicts them. All computes in one thread and takes turns; figures are ratios of processor times.
"""

import time
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.ensemble import RandomForestClassifier
from threadpoolctl import threadpool_limits

from benchmarks.figures import Figures, Targets, tell, wish
from benchmarks.rounds import Rounds
from monitoring.columns import ascending
from monitoring.drift import Steps
from monitoring.tables import TableReference

TARGETS: Targets = {"drift_over_forest": ("≤", 1.0), "pairwise_over_forest": ("≤", 1.0)}

ROWS, COLUMNS, TREES = 100_000, 100, 100
CATEGORIES = tuple(f"car {number}" for number in range(40))


def table(random: np.random.Generator, rows: int, shift: float) -> pa.Table:
    """Numbers, some of them missing, and every tenth column of names."""
    columns = {f"c{number}": random.normal(shift * number / COLUMNS, size=rows) for number in range(COLUMNS)}
    for number in range(0, COLUMNS, 5):
        columns[f"c{number}"][random.random(rows) < 0.02] = np.nan
    names = {f"c{number}": random.choice(CATEGORIES, size=rows) for number in range(9, COLUMNS, 10)}
    return pa.Table.from_pandas(pd.DataFrame(columns | names))


def numbers_of(rows: pa.Table) -> np.ndarray:
    """(rows, columns) what a forest predicts from."""
    frame = rows.to_pandas().select_dtypes("number").fillna(0.0)
    return np.asarray(frame, np.float32)


def measure(rows: int, rounds: int) -> Figures:
    """Everything once per round, in turns."""
    random = np.random.default_rng(0)
    before, now = table(random, rows, 0.0), table(random, rows, 0.5)
    features = numbers_of(now)
    training = numbers_of(before)[: rows // 10]
    forest = RandomForestClassifier(TREES, random_state=0, n_jobs=1).fit(training, training[:, :3].sum(axis=1) > 0)
    numbers = [name for name in before.column_names if pa.types.is_floating(before.schema.field(name).type)]
    taken = Rounds()
    for _ in range(rounds):
        taken.add(
            {
                "forest": seconds(lambda: forest.predict(features)),
                "drift": seconds(lambda: TableReference(before).drift(now)),
                "pairwise": seconds(lambda: pairwise(before, now, numbers)),
            }
        )
    ratios = {f"{name}_over_forest": taken.ratio(name, "forest") for name in ("drift", "pairwise")}
    return ratios | taken.medians()


def pairwise(before: pa.Table, now: pa.Table, names: Iterable[str]) -> list[float]:
    """The average pairwise distance of each column of numbers, from the rows as they come."""
    return [
        Steps(*(ascending(side.column(name))[0] for side in (before, now))).average_pairwise_distance for name in names
    ]


def seconds(work: Callable[[], object]) -> float:
    """Processor time."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    asked = wish(__doc__ or "", ("drift",), rounds=3)
    with threadpool_limits(1):
        figures = measure(ROWS // 50 if asked.quick else ROWS, asked.rounds)
    tell(figures, TARGETS, as_json=asked.as_json)


if __name__ == "__main__":
    main()
