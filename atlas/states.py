"""Where things stand: benchmarks, model files, components, log entries. Each word is declared here and nowhere else."""

from enum import StrEnum


class State(StrEnum):
    """Where a benchmark stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INCOMPATIBLE = "incompatible"
    CANCELLED = "cancelled"


class CellState(StrEnum):
    """Where one model stands on one dataset version, whether or not there is a benchmark."""

    DONE = State.DONE.value
    STALE = "stale"
    QUEUED = State.QUEUED.value
    RUNNING = State.RUNNING.value
    FAILED = State.FAILED.value
    INCOMPATIBLE = State.INCOMPATIBLE.value
    CANCELLED = State.CANCELLED.value
    MISSING = "missing"
    UNASKED = "not asked for"


class Phase(StrEnum):
    """What a running benchmark is doing."""

    WAITING_FOR_DATA = "waiting for data"
    LOADING = "loading"
    PREDICTING = "predicting"
    MEASURING = "measuring"
    EXPLAINING = "explaining"


class FailureClass(StrEnum):
    """Why a benchmark failed, as a class that a person understands and that says whether another try can help."""

    OUT_OF_MEMORY = "out of memory"
    TIMEOUT = "timeout"
    LOAD_ERROR = "load error"
    MISSING_PACKAGE = "missing package"
    SCHEMA_MISMATCH = "schema mismatch"
    PREDICTION_ERROR = "prediction error"
    METRIC_ERROR = "metric error"
    CRASH = "crash"
    SANDBOX_VIOLATION = "sandbox violation"
    SANDBOX_UNAVAILABLE = "sandbox unavailable"
    LOST_WORKER = "lost worker"
    DATA_UNAVAILABLE = "data unavailable"
    ENGINE_FAULT = "engine fault"

    @property
    def retry_helps(self) -> bool:
        """Whether the same benchmark may succeed if it is run again unchanged."""
        return self in {FailureClass.LOST_WORKER, FailureClass.DATA_UNAVAILABLE, FailureClass.ENGINE_FAULT}


class ModelState(StrEnum):
    """What became of a file in the object store."""

    READY = "ready"
    INVALID = "invalid"
    DUPLICATE = "duplicate"


class ComponentState(StrEnum):
    """How a component of the pipeline is doing."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"


class Level(StrEnum):
    """How serious a log entry is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
