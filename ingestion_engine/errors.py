"""Why the engine refuses a request. `status` is the HTTP status that the caller sees."""

from http import HTTPStatus
from typing import ClassVar

from atlas.errors import AtlasError


class RefusedError(AtlasError):
    """The ingestion engine refused the request."""

    status: ClassVar[HTTPStatus] = HTTPStatus.UNPROCESSABLE_ENTITY


class RecordingError(RefusedError):
    """The file is not a recording that the engine can read."""


class QueryError(RefusedError):
    """The query cannot be understood; `line` and `column`, counted from 1, say where."""

    def __init__(self, problem: str, *, line: int, column: int) -> None:
        super().__init__(f"query, line {line}, column {column}: {problem}")
        self.line = line
        self.column = column


class ConflictError(RefusedError):
    """The name already stands for something else."""

    status = HTTPStatus.CONFLICT


class UnknownError(RefusedError):
    """There is nothing of this name."""

    status = HTTPStatus.NOT_FOUND


class NotSignedInError(RefusedError):
    """Nobody is signed in."""

    status = HTTPStatus.UNAUTHORIZED


class ForbiddenError(RefusedError):
    """Who asks may not do this."""

    status = HTTPStatus.FORBIDDEN


class LostError(AtlasError):
    """Something is not there that the engine's own tables refer to."""
