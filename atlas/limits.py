"""What benchmarks of one model may use, where that is not what all may use."""

from typing import Annotated

from pydantic import Field

from atlas.vocabulary import Document

Seconds = Annotated[float, Field(gt=0, le=10**9, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1 << 40)]


class ModelLimits(Document):
    """What one model's benchmarks may use; a field that is None says nothing.

    In a bundle it asks for less than the engine's settings allow, so that a fault is found sooner. As a grant of an
    administrator's it takes the place of both, for a model that needs more.

    Attributes:
        wall_seconds: longest time, explanation included.
        cpu_seconds: of all threads together.
        memory_mb: memory, in MiB.
        threads: at a time.
        scratch_mb: disk space, in MiB.
        output_mb: what it prints, in MiB.
    """

    wall_seconds: Seconds | None = None
    cpu_seconds: Seconds | None = None
    memory_mb: Count | None = None
    threads: Count | None = None
    scratch_mb: Count | None = None
    output_mb: Count | None = None
