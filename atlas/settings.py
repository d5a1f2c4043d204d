"""Reading settings from the environment: typed, and with errors that name the variable."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from atlas.errors import SettingsError


class Settings(BaseSettings):
    """Base of each process' settings; a field `workers` of prefix `ATLAS_` is read from `ATLAS_WORKERS`.

    Where `ATLAS_WORKERS_FILE` is set instead, its value is the text of that file: so secrets need not be variables.
    """

    model_config = SettingsConfigDict(env_prefix="ATLAS_", extra="ignore", frozen=True, env_ignore_empty=True)

    @classmethod
    def from_environment(cls, **overrides: Any) -> Self:
        """The settings that the environment gives.

        Raises:
            SettingsError: a variable is missing or wrong, or a file cannot be read; the message names every one.
        """
        try:
            return cls(**{**dict(cls._from_files()), **overrides})
        except ValidationError as error:
            wrong = [cls._wrong(str(each["loc"][0]), each["msg"], each["input"]) for each in error.errors()]
            raise SettingsError("; ".join(wrong)) from error

    @classmethod
    def _from_files(cls) -> Iterator[tuple[str, str]]:
        """What `<VARIABLE>_FILE` names the file of, by the name under which the field is given."""
        for name, field in cls.model_fields.items():
            variable = cls.variable(name)
            path = os.environ.get(f"{variable}_FILE")
            if path:
                given = name if field.validation_alias is None else str(field.validation_alias)
                yield given, _text_of(variable, Path(path))

    @classmethod
    def _wrong(cls, name: str, problem: str, value: object) -> str:
        """What is wrong with a variable; a value that may hold a password is not repeated."""
        field = cls.model_fields.get(name)
        got = f" (got {value!r})" if field is None or field.repr else ""
        return f"{cls.variable(name)}: {problem}{got}"

    @classmethod
    def variable(cls, name: str) -> str:
        """The environment variable that sets the field `name`; a field's alias is the variable itself."""
        field = cls.model_fields.get(name)
        if field is None or (field.alias or field.validation_alias) is not None:
            return name.upper() if field is None else str(field.validation_alias or field.alias)
        return f"{cls.model_config.get('env_prefix', '')}{name}".upper()


def _text_of(variable: str, path: Path) -> str:
    """The file's text without the line's end.

    Raises:
        SettingsError: it cannot be read, or the variable is set beside it.
    """
    if os.environ.get(variable):
        raise SettingsError(f"{variable} and {variable}_FILE are both set: which one counts?")
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable}_FILE: {path} cannot be read: {error}") from error
