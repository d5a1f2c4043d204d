"""How Atlas is doing, as the API tells of it: queue, components, log."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from atlas.api._benchmarks import BenchmarkSummary
from atlas.api._common import NO_ZERO, Answer, Page
from atlas.api._models import ModelReference
from atlas.states import ComponentState, Level, State
from atlas.vocabulary import Document

RowKey = Annotated[int, Field(ge=1, le=2**63 - 1)]


class LogLine(Answer):
    """What a component did or met. `detail` is a traceback or captured output, `benchmark` the key of what it is of."""

    id: int
    time: datetime
    level: Level
    component: str
    message: str
    detail: str
    model: ModelReference | None
    benchmark: int | None


class ComponentStatus(Answer):
    """How a component of the pipeline is doing. `state` and `seen` are None if nobody has heard of it.

    `silent` says that it has given no sign of life for too long; `waiting` benchmarks wait for it then.
    """

    name: str
    state: ComponentState | None
    message: str
    seen: datetime | None
    silent: bool
    waiting: int


class Counters(Answer):
    """How much of everything there is; `benchmarks` by their state."""

    models: int
    invalid_files: int
    benchmarks: dict[State, int]
    tags: int
    versions: int
    authors: int


class PauseNotice(Answer):
    """Who paused the queue, when and why."""

    by: str
    since: datetime
    reason: str


class PauseRequest(Document):
    """The request to let no engine start a benchmark, and why."""

    reason: str = Field(default="", max_length=500, pattern=NO_ZERO, examples=["The disk is full."])


class QueuePlace(BenchmarkSummary):
    """A benchmark that waits, and its place: 1 is next."""

    position: int = Field(ge=1)


class Queue(Page[QueuePlace]):
    """What waits, in the order in which engines take it, and the pause, if there is one."""

    pause: PauseNotice | None


class BulkRequest(Document):
    """The keys of what is meant, at most a thousand."""

    ids: tuple[RowKey, ...] = Field(min_length=1, max_length=1000, examples=[[12, 13]])


class BulkResult(Answer):
    """For which keys it was done, and for which not: they are unknown, or in a state that does not allow it."""

    done: tuple[int, ...]
    skipped: tuple[int, ...]


class OrphanObject(Answer):
    """An object of the store that nothing refers to: `found` says since when that is known, `why` what it was."""

    key: str
    size_bytes: int
    modified: datetime
    found: datetime
    why: str


class CleanUpRequest(Document):
    """The keys of the orphans that are to go, at most a thousand; all of them if there are none."""

    keys: tuple[Annotated[str, Field(min_length=1, max_length=1024, pattern="^[^\\x00]*$")], ...] | None = Field(
        default=None, min_length=1, max_length=1000
    )


class CleanUpResult(Answer):
    """How many objects an engine will delete; keys that are no orphan's are passed over."""

    objects: int
