"""Stages of models and the gates before them, as the API tells of them."""

from datetime import datetime

from pydantic import Field

from atlas.api._common import Answer
from atlas.api._models import ModelReference
from atlas.gates import Rule
from atlas.vocabulary import Document
from atlas.watching import GateCheck, GateKind, Stage

A_REASON = r"^[^\x00]*[^\x00\s][^\x00]*$"
"""The pattern of texts that say something, without a zero character, which no database holds."""


class GateReport(Answer):
    """What the gate of a model's use case says of it now.

    `passed` is whether it may become champion, `sentence` says so in a line, and `checks` why. `stage` is where the
    model stands, None if nobody gave it one.
    """

    model: ModelReference
    use_case: str
    stage: Stage | None
    passed: bool
    sentence: str
    checks: tuple[GateCheck, ...]


class StageRequest(Document):
    """The request to move a model to a stage, and why, for those who look at the history later."""

    stage: Stage
    why: str = Field(min_length=1, max_length=2000, pattern=A_REASON, examples=["Half the misses on crash v7."])


class StageEntry(Answer):
    """Who moved a model from one stage to another, when and why, and the checks of its gate as they stood then.

    `model` is its key, None if it was deleted meanwhile; `before` is None if nobody had given it a stage.
    """

    id: int
    model: int | None
    name: str
    use_case: str
    before: Stage | None
    after: Stage
    by: str
    why: str
    checks: tuple[GateCheck, ...]
    made: datetime


class Champion(Answer):
    """The champion of a use case: its key and name, the sha256 of its file, and since when it is that."""

    model: int
    name: str
    use_case: str
    sha256: str
    since: datetime


class GateRuleRequest(Rule):
    """A rule for the gate of a use case."""

    use_case: str = Field(min_length=1, max_length=200, pattern=A_REASON, examples=["damage detector"])


class GateRuleEntry(Answer):
    """A rule of a gate; who made it, and when."""

    id: int
    use_case: str
    kind: GateKind
    metric: str
    threshold: float | None
    created: datetime
    by: str
