"""The client's calls about predictions on demand."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from atlas.api import PredictedRow, PredictionDetail, PredictionRequest, PredictionSummary
from atlas.connection import Connection
from atlas.errors import WaitError
from atlas.paging import all_of
from atlas.states import State

PREDICTION_SECONDS = 0.5
"""How often it is asked whether predictions are there."""
SEND_SECONDS = 600.0
"""How long a file of rows may take on its way."""
UNFINISHED = (State.QUEUED, State.RUNNING)


def model_path(model: str | int) -> str:
    """Where a model is, by its name or key."""
    return f"models/{quote(str(model), safe='')}"


class PredictionCalls:
    """What can be asked about predictions."""

    _connection: Connection

    def predict(self, model: str | int, asked: PredictionRequest) -> PredictionSummary:
        """Ask a model for predictions; `wait_for_prediction` says when they are there."""
        body = asked.model_dump(mode="json", exclude_none=True)
        return self._connection.ask(PredictionSummary, "POST", f"{model_path(model)}/predictions", json=body)

    def predict_file(self, model: str | int, file: Path, *, explains: bool = True) -> PredictionSummary:
        """Send rows, a CSV, Parquet or JSON file, and ask a model for predictions."""
        params = {"filename": file.name, "explains": str(explains).lower()}
        headers = {"Content-Type": "application/octet-stream"}
        path, content = f"{model_path(model)}/predictions/file", file.read_bytes()
        return self._connection.ask(
            PredictionSummary, "POST", path, params=params, headers=headers, content=content, timeout=SEND_SECONDS
        )

    def predictions(self, **filters: str) -> Iterator[PredictionSummary]:
        """All predictions that people asked for, the latest first, narrowed by `q`, `model` or `state`."""
        return all_of(self._connection, PredictionSummary, "predictions", filters)

    def prediction(self, prediction: int) -> PredictionDetail:
        """How far predictions are, and what is said of them."""
        return self._connection.ask(PredictionDetail, "GET", f"predictions/{prediction}")

    def predicted_rows(self, prediction: int) -> Iterator[PredictedRow]:
        """The rows in their order, each with its explanation if it has one."""
        return all_of(self._connection, PredictedRow, f"predictions/{prediction}/rows", {})

    def cancel_prediction(self, prediction: int) -> PredictionSummary:
        """Take predictions out of the queue, or end them."""
        return self._connection.ask(PredictionSummary, "POST", f"predictions/{prediction}/cancel")

    def wait_for_prediction(
        self, prediction: int, *, timeout_seconds: float = 600.0, sleep: Callable[[float], None] = time.sleep
    ) -> PredictionDetail:
        """Wait until predictions are there.

        Args:
            prediction: their key.
            timeout_seconds: how long to wait.
            sleep: how to pass the time between.

        Raises:
            WaitError: they failed, with the reason, were cancelled, or are not there in time.
        """
        end = time.monotonic() + timeout_seconds
        while (found := self.prediction(prediction)).state in UNFINISHED:
            if time.monotonic() >= end:
                raise WaitError(
                    f"Prediction {prediction} is {found.state} after {timeout_seconds:,.0f} s. {found.reason}"
                )
            sleep(PREDICTION_SECONDS)
        if found.state is not State.DONE:
            raise WaitError(f"Prediction {prediction} {found.state}: {found.reason}")
        return found
