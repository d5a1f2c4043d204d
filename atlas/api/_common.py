"""What all answers of the API have in common: their base, pages of lists, problems, and who asks."""

from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from atlas.access import Right, Role, Verb, Via

Item = TypeVar("Item")
NO_ZERO = r"^[^\x00]*$"
"""The pattern of texts without a zero character, which no database holds."""


class Answer(BaseModel):
    """Base of what the server answers: immutable. Fields that a newer server adds are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Page(Answer, Generic[Item]):
    """A part of a list: `total` is how many items there are in all, `next` the address of the part after this one."""

    items: tuple[Item, ...]
    total: int = Field(ge=0)
    next: str | None = None


class FieldProblem(Answer):
    """What is wrong with one field of a request, or with one of its parameters."""

    field: str
    message: str


class Problem(Answer):
    """Why a request was not carried out (RFC 9457), as `application/problem+json`.

    `title` says it in general, `detail` for this request, and `errors` names each field that was wrong.
    """

    type: str = "about:blank"
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = ""
    errors: tuple[FieldProblem, ...] = ()


class UploadProblem(Problem):
    """Why a part of an upload was not taken: it has to begin at `received_bytes`, where that is known."""

    received_bytes: int | None = None


class Person(Answer):
    """Who made a model."""

    name: str
    email: str


class Identity(Answer):
    """Who asks, and what they may do; `token` and `expires` are of the token that they signed in with, if they did."""

    name: str
    full_name: str
    role: Role
    rights: tuple[Right, ...]
    token: str = ""
    expires: datetime | None = None


class TokenSummary(Answer):
    """An API token, without its secret; `start` is what its secret begins with."""

    id: int
    name: str
    start: str
    scopes: tuple[Right, ...]
    created: datetime
    expires: datetime | None
    used: datetime | None


class ActionEntry(Answer):
    """Something that a person did, as the audit log tells it."""

    id: int
    time: datetime
    person: str
    via: Via
    verb: Verb
    kind: str
    thing: str
    detail: str
