"""What a model's code raises, as a failure class and a sentence for a person."""

from collections.abc import Iterator
from contextlib import contextmanager

from atlas.errors import AtlasError, MissingPackageError
from atlas.formats import requirement
from atlas.states import FailureClass


class StageError(AtlasError):
    """A stage could not be done; carries the failure class."""

    def __init__(self, failure_class: FailureClass, reason: str) -> None:
        super().__init__(reason)
        self.failure_class = failure_class


@contextmanager
def failing_as(failure_class: FailureClass, what: str) -> Iterator[None]:
    """Turn whatever the model's code raises into a failure of one class, with the message kept."""
    try:
        yield
    except StageError:
        raise
    except MemoryError as error:
        raise StageError(FailureClass.OUT_OF_MEMORY, f"{what}: it needs more memory than is allowed.") from error
    except MissingPackageError as error:
        raise StageError(FailureClass.MISSING_PACKAGE, f"{what}: {error}") from error
    except ModuleNotFoundError as error:
        install = f"pip install '{requirement(str(error.name).partition('.')[0])}'"
        reason = f"{what}: the package {error.name!r} is not installed where the engine runs: {install}"
        raise StageError(FailureClass.MISSING_PACKAGE, reason) from error
    except Exception as error:  # process boundary: the model's code may raise anything
        raise StageError(failure_class, f"{what}: {type(error).__name__}: {error}") from error
