"""The same model on the same data by `mlflow.models.evaluate` without SHAP: run by mlflow's own Python.

    python -m benchmarks.evaluate_with_mlflow MODEL.joblib DATA.arrow TARGET IGNORED_COLUMN SCRATCH

It knows nothing of Atlas. It says `ready` once all is imported and the model lies where mlflow keeps models, waits for
a line, works, and says how many seconds that took.
"""

import os
import sys
import time
from pathlib import Path

import joblib
import mlflow
import mlflow.sklearn
import pyarrow as pa

WARM_ROWS = 500
"""Evaluated before the clock starts: the first evaluation makes the tables and imports what is imported late."""


def main(model: Path, data: Path, target: str, ignored: str, scratch: Path) -> None:
    """Get ready, wait, evaluate, and print the seconds."""
    os.chdir(scratch)
    mlflow.set_tracking_uri(f"sqlite:///{scratch}/mlflow.db")
    mlflow.sklearn.save_model(joblib.load(model), scratch / "model", serialization_format="cloudpickle")
    evaluate(scratch / "model", mapped(data, ignored).slice(0, WARM_ROWS), target)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    began = time.perf_counter()
    evaluate(scratch / "model", mapped(data, ignored), target)
    sys.stdout.write(f"seconds {time.perf_counter() - began}\n")


def mapped(data: Path, ignored: str) -> pa.Table:
    """The rows without the column that the model does not know."""
    return pa.ipc.open_file(pa.memory_map(str(data))).read_all().drop_columns([ignored])


def evaluate(model: Path, table: pa.Table, target: str) -> None:
    """Load the model and compute the metrics of a classifier."""
    with mlflow.start_run():
        mlflow.models.evaluate(
            str(model),
            table.to_pandas(),
            targets=target,
            model_type="classifier",
            evaluators="default",
            evaluator_config={"log_model_explainability": False},
        )


if __name__ == "__main__":
    given = sys.argv[1:]
    main(Path(given[0]), Path(given[1]), given[2], given[3], Path(given[4]))
