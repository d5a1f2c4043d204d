"""What the audit lets pass: named, with a reason, and until a date."""

import tomllib
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

FILE = Path(__file__).with_name("exceptions.toml")


class Pass(BaseModel):
    """Why something may pass, and until when it need not be looked at again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    why: str = Field(min_length=10)
    until: date


class Exceptions(BaseModel):
    """All that may pass: vulnerabilities by their id, licences by the package's name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vulnerabilities: dict[str, Pass] = Field(default_factory=dict)
    licences: dict[str, Pass] = Field(default_factory=dict)


def on(day: date, path: Path = FILE) -> Exceptions:
    """What may pass on a day.

    Raises:
        ValueError: the file is wrong; the message names the field.
    """
    told = Exceptions.model_validate(tomllib.loads(path.read_text()))
    return Exceptions(
        vulnerabilities={name: each for name, each in told.vulnerabilities.items() if each.until > day},
        licences={name: each for name, each in told.licences.items() if each.until > day},
    )
