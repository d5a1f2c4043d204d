"""Why a model that was run gave no result, in the words that are kept and shown."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from atlas.errors import AtlasError, BundleError, DatasetError, MetricError
from atlas.results import Failure
from atlas.states import FailureClass


class BenchmarkError(AtlasError):
    """The run gave no result; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def failure_of(error: Exception) -> Failure:
    """What a run failed of, whatever was raised where it ran."""
    if isinstance(error, BenchmarkError):
        return error.failure
    if isinstance(error, AtlasError):
        return Failure(failure_class=FailureClass.DATA_UNAVAILABLE, reason=str(error))
    reason = f"Atlas itself failed ({type(error).__name__}: {error}). Please report this with the log."
    trace = "".join(traceback.format_exception(error))
    return Failure(failure_class=FailureClass.ENGINE_FAULT, reason=reason, output=trace)


@contextmanager
def named_failures() -> Iterator[None]:
    """Turn errors in a bundle, a dataset or a metric into failures of their class."""
    try:
        yield
    except BundleError as error:
        raise BenchmarkError(Failure(failure_class=FailureClass.LOAD_ERROR, reason=str(error))) from error
    except DatasetError as error:
        raise BenchmarkError(Failure(failure_class=FailureClass.SCHEMA_MISMATCH, reason=str(error))) from error
    except MetricError as error:
        raise BenchmarkError(Failure(failure_class=FailureClass.METRIC_ERROR, reason=str(error))) from error
