"""What is said of training is so: the reference has every key, and the tutorial's blocks run."""

import re
from collections.abc import Iterator
from inspect import signature
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt
from pydantic import BaseModel
from pytest_django.live_server_helper import LiveServer

import atlas
from atlas.access import Right
from atlas.signals import FEATURES, SignalFeatures
from tests import dashboards
from tests.ingestion_engine.engine import COMPONENTS_TOKEN
from training_engine.components import Step
from training_engine.config import TrainingConfiguration
from training_engine.space import Range, SearchConfiguration

DOCS = Path(__file__).resolve().parents[2] / "docs"
REFERENCE = DOCS / "reference" / "training.md"


def section(title: str) -> str:
    """What stands below a heading of the reference, up to the next."""
    return re.split(r"^#+ ", REFERENCE.read_text().partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def rows(title: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \|", section(title), re.MULTILINE)


def keys(model: type[BaseModel]) -> list[str]:
    return sorted(field.alias or name for name, field in model.model_fields.items())


@pytest.mark.parametrize(
    ("title", "model"),
    [
        ("The model", TrainingConfiguration),
        ("Steps and estimators", Step),
        ("Search", SearchConfiguration),
        ("Ranges", Range),
    ],
)
def test_the_reference_has_each_key_and_no_other(title: str, model: type[BaseModel]) -> None:
    assert sorted(rows(title)) == keys(model)


def test_the_reference_has_each_parameter_and_feature_of_signals() -> None:
    wanted = [*signature(SignalFeatures).parameters, *FEATURES]
    assert sorted(rows("Signal features")) == sorted(wanted)


def blocks(document: Path, language: str) -> Iterator[str]:
    for token in MarkdownIt().parse(document.read_text()):
        if token.type == "fence" and token.info == language:
            yield token.content


def test_the_searches_and_pipelines_of_the_guide_can_be_read() -> None:
    found = [yaml.safe_load(block) for block in blocks(DOCS / "how-to" / "train-a-model.md", "yaml")]
    (whole,) = (each for each in found if "dataset" in each)
    parts = [each for each in found if each is not whole]
    assert len(parts) >= 4
    for part in parts:
        TrainingConfiguration.model_validate({**whole, "exclude": []} | part)


@pytest.mark.system
@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
def test_the_tutorial_runs_from_the_first_block_to_the_last(
    live_server: LiveServer, ingestion_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATLAS_INGESTION_URL", ingestion_url)
    monkeypatch.setenv("ATLAS_INGESTION_TOKEN", COMPONENTS_TOKEN)
    monkeypatch.setenv("ATLAS_URL", live_server.url)
    monkeypatch.setenv("ATLAS_TOKEN", dashboards.token(Right.READ, Right.WRITE))
    namespace: dict[str, object] = {}
    for block in blocks(DOCS / "tutorial-training.md", "python"):
        exec(compile(block, "tutorial-training.md", "exec"), namespace)
    (stored,) = dashboards.objects().list("models/")
    manifest = atlas.inspect(Path(f"{stored.key.removeprefix('models/')}"))
    assert manifest.training is not None
    assert manifest.training.digest == namespace["dataset"].digest  # type: ignore[attr-defined]
    assert float(str(namespace["scores"].mean())) > 0.9  # type: ignore[attr-defined]
    namespace["ingestion"].close()  # type: ignore[attr-defined]
