"""Sending a model in parts, as client and server speak of it."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from atlas.api._common import Answer
from atlas.vocabulary import Digest, Document


class UploadStart(Document):
    """The request to send a file: its name, size, and the sha256 of its content."""

    name: str = Field(min_length=1, max_length=255)
    size_bytes: int = Field(ge=1, le=1 << 40)
    sha256: Digest


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
