from pathlib import Path

import pytest
from pydantic import Field

from atlas.errors import SettingsError
from atlas.settings import Settings


class Workshop(Settings):
    """Settings of a process that exists in these tests only."""

    workers: int = Field(default=2, ge=1)
    folder: Path = Path("here")
    database_url: str = Field(default="sqlite", validation_alias="DATABASE_URL")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ATLAS_WORKERS", "ATLAS_FOLDER", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_defaults_hold_where_nothing_is_set() -> None:
    assert Workshop.from_environment().workers == 2


def test_variables_are_typed_and_carry_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_WORKERS", "5")
    monkeypatch.setenv("ATLAS_FOLDER", "/srv")
    monkeypatch.setenv("DATABASE_URL", "postgres://")
    found = Workshop.from_environment()
    assert (found.workers, found.folder, found.database_url) == (5, Path("/srv"), "postgres://")


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_WORKERS", "")
    assert Workshop.from_environment().workers == 2


def test_an_override_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_WORKERS", "5")
    assert Workshop.from_environment(workers=7).workers == 7


@pytest.mark.parametrize(("value", "why"), [("many", "integer"), ("0", "greater than or equal to 1")])
def test_a_wrong_value_is_reported_with_its_variable(monkeypatch: pytest.MonkeyPatch, value: str, why: str) -> None:
    monkeypatch.setenv("ATLAS_WORKERS", value)
    with pytest.raises(SettingsError, match=rf"ATLAS_WORKERS: .*{why}.*got '{value}'"):
        Workshop.from_environment()


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Workshop.from_environment().workers = 3  # type: ignore[misc]


@pytest.mark.parametrize(("field", "variable"), [("workers", "ATLAS_WORKERS"), ("database_url", "DATABASE_URL")])
def test_each_field_knows_its_variable(field: str, variable: str) -> None:
    assert Workshop.variable(field) == variable


def test_a_value_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable, text in {"ATLAS_WORKERS": "7\n", "DATABASE_URL": "postgres://secret\n"}.items():
        (tmp_path / variable).write_text(text)
        monkeypatch.setenv(f"{variable}_FILE", str(tmp_path / variable))
    found = Workshop.from_environment()
    assert (found.workers, found.database_url) == (7, "postgres://secret")


def test_a_file_that_cannot_be_read_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match=r"DATABASE_URL_FILE: .*nowhere cannot be read"):
        Workshop.from_environment()


def test_a_value_and_a_file_of_it_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATLAS_WORKERS", "5")
    monkeypatch.setenv("ATLAS_WORKERS_FILE", str(tmp_path / "workers"))
    with pytest.raises(SettingsError, match="ATLAS_WORKERS and ATLAS_WORKERS_FILE are both set"):
        Workshop.from_environment()
