"""Bags are records one after another: the walk from record to record, which goes on behind damaged parts."""

import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from bags.losses import Losses

Bytes = mmap.mmap | bytes


class Record(Protocol):
    """A record: `start` and `stop` of its content, as its header says; perhaps behind the end of the file."""

    @property
    def start(self) -> int: ...

    @property
    def stop(self) -> int: ...


AnyRecord = TypeVar("AnyRecord", bound=Record)


@dataclass(frozen=True, slots=True)
class Format(Generic[AnyRecord]):
    """How records are written.

    Attributes:
        read: the record at a position; None if there is none.
        find: where the next record begins, from a position on, that is surely one; None if there is none.
        find_after: the same after a record whose length may be wrong, so that others are within it.
        following: where to go on after a record: behind it, or within a chunk.
    """

    read: Callable[[Bytes, int], AnyRecord | None]
    find: Callable[[Bytes, int], int | None]
    find_after: Callable[[Bytes, AnyRecord], int | None]
    following: Callable[[Bytes, AnyRecord], int]

    def walk(self, content: Bytes, position: int, losses: Losses) -> Iterator[tuple[AnyRecord, bool]]:
        """Records from a position on, each with whether what follows it is a record or the end.

        Where none follows, a length may be wrong: reading goes on with the next record that is surely one, and the
        record before is left out if that one lies within it.
        """
        before: AnyRecord | None = None
        while position < len(content):
            record = self.read(content, position)
            if record is not None:
                if before is not None:
                    yield before, True
                before, position = record, self.following(content, record)
                continue
            found = self.find(content, position + 1) if before is None else self.find_after(content, before)
            stop, first = len(content) if found is None else found, position
            if before is not None and stop < position:
                first = before.start
            elif before is not None:
                yield before, False
            losses.damage(first, stop)
            before, position = None, stop
        if before is not None:
            if before.stop > len(content):
                losses.add(f"The file ends within a record: what followed byte {before.start} is incomplete.")
            yield before, True


def is_zeroed(content: Bytes, stop: int) -> bool:
    """Whether what ends here ends in zeros that go on behind it, as where a block of the disk was lost."""
    return content[stop - 1 : stop + 8] == bytes(9)
