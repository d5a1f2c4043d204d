"""What one benchmark may use."""

from pydantic import Field

from atlas.vocabulary import Document


class Limits(Document):
    """What each child of a benchmark may use.

    Attributes:
        wall_seconds: from start to end.
        memory_bytes: of address space, and of memory in use, besides the libraries which are loaded beforehand.
        threads: at a time.
        scratch_bytes: on the disk in its scratch folder, deleted files that it still holds open included.
        scratch_files: and folders in its scratch folder.
        output_bytes: that it prints; the first and the last 64 KiB are kept.
    """

    wall_seconds: float = Field(default=600.0, gt=0)
    memory_bytes: int = Field(default=8 << 30, gt=0)
    threads: int = Field(default=64, gt=0)
    scratch_bytes: int = Field(default=1 << 30, gt=0)
    scratch_files: int = Field(default=2_000, gt=0)
    output_bytes: int = Field(default=64 << 20, gt=0)
