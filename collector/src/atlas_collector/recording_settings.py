"""What a person may set about recordings."""

from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """How sets are written.

    Attributes:
        folder: where the parts lie.
        part_megabytes: a part that is this long is closed.
        part_minutes: a part that is this old is closed.
        sync_seconds: how often what was written is brought onto the disk: a power cut loses no more than that.
        keep_free_megabytes: room that is never recorded into, so that the open part can be closed properly.
    """

    folder: Path
    part_megabytes: float = 200
    part_minutes: float = 10
    sync_seconds: float = 2
    keep_free_megabytes: float = 200
