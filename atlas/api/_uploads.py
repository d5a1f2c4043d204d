"""Sending a model in parts, as client and server speak of it."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from atlas.api._common import NO_ZERO, Answer
from atlas.vocabulary import Digest, Document


class UploadStart(Document):
    """The request to send a file: its name, size, and the sha256 of its content."""

    name: str = Field(min_length=1, max_length=255, pattern=NO_ZERO, examples=["Forest-1.0.0-1772452800.atlas"])
    size_bytes: int = Field(ge=1, le=1 << 40, examples=[52_133])
    sha256: Digest = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])


class UploadResult(Answer):
    """What became of a file that arrived whole.

    `model` is the name of the model, `key` where the object store has it. `known` says that it was there before. `id`
    is the model's key; None until the engine has taken the file in, a few seconds later.
    """

    model: str
    key: str
    known: bool
    id: int | None


class UploadState(Answer):
    """Where an upload stands: the next part begins at `received_bytes` and has at most `part_bytes`.

    `result` is there once all has arrived, is verified, and lies where the engine finds it. Until then an upload that
    gets no part is forgotten at the time `expires`.
    """

    id: UUID
    name: str
    size_bytes: int
    sha256: str
    received_bytes: int
    part_bytes: int
    started: datetime
    expires: datetime
    result: UploadResult | None = None
