"""`manage.py train`: from files to objects."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

import atlas
from storage.objects import open_store
from tests.ingestion_engine.engine import COMPONENTS_TOKEN


@pytest.fixture(autouse=True)
def _environment(ingestion_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_INGESTION_URL", ingestion_url)
    monkeypatch.setenv("ATLAS_INGESTION_TOKEN", COMPONENTS_TOKEN)


def stored(settings: Settings) -> list[str]:
    return sorted(found.key for found in open_store(settings.ATLAS_OBJECT_STORE).list("models/"))


def test_models_are_trained_and_stored_where_the_benchmark_engine_looks(
    written: Callable[..., Path], settings: Settings, tmp_path: Path
) -> None:
    output = StringIO()
    call_command("train", written("one.yaml", name="One"), written("two.yaml", name="Two"), stdout=output)
    keys = stored(settings)
    assert [key.rsplit("-", 1)[0] for key in keys] == ["models/One-1.0.0", "models/Two-1.0.0"]
    assert "rows of impacts version 1, 2 features" in output.getvalue()
    open_store(settings.ATLAS_OBJECT_STORE).get(keys[0], tmp_path / "one.atlas")
    assert f"models/{atlas.inspect(tmp_path / 'one.atlas').name}.atlas" == keys[0]


def test_nothing_is_trained_when_one_file_is_wrong(written: Callable[..., Path], settings: Settings) -> None:
    with pytest.raises(CommandError, match="task: "):
        call_command("train", written("good.yaml"), written("bad.yaml", task="ranking"), stdout=StringIO())
    assert not stored(settings)


def test_a_model_that_cannot_be_trained_keeps_no_other_from_it(
    written: Callable[..., Path], settings: Settings
) -> None:
    output = StringIO()
    with pytest.raises(CommandError, match="1 of 2 models were not trained"):
        call_command("train", written("a.yaml", features=["peek"]), written("b.yaml", name="Two"), stdout=output)
    assert len(stored(settings)) == 1
    assert "DamageDetector: Dataset impacts version 1 has no column peek" in output.getvalue()


def test_a_dataset_version_can_be_chosen(written: Callable[..., Path]) -> None:
    output = StringIO()
    with pytest.raises(CommandError):
        call_command("train", written(), query_id="impacts-v7", stdout=output)
    assert "there is no dataset version 'impacts-v7'" in output.getvalue()


def test_an_ingestion_engine_that_is_silent_is_told(
    written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATLAS_INGESTION_URL", "http://127.0.0.1:1")
    output = StringIO()
    with pytest.raises(CommandError):
        call_command("train", written(), stdout=output)
    assert "cannot be reached" in output.getvalue()
