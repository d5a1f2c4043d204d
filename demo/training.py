"""The models of the demo: their configurations, and which of them are trained already."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.objects import ObjectStore
from training_engine.config import TrainingConfiguration, load

CONFIGURATIONS = Path(__file__).parent / "models"
PREFIX = "models/"
SUFFIX = ".atlas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A model to train, and the file that says how."""

    path: Path
    configuration: TrainingConfiguration


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A bundle in the object store, and the tag that it is benchmarked on."""

    name: str
    tag: str

    @property
    def key(self) -> str:
        """Where the bundle is kept."""
        return f"{PREFIX}{self.name}{SUFFIX}"


def plans() -> list[Plan]:
    """All models of the demo.

    Raises:
        ConfigurationError: a file is wrong.
    """
    return [Plan(path=path, configuration=load(path)) for path in sorted(CONFIGURATIONS.glob("*.yaml"))]


def trained(wanted: Sequence[Plan], store: ObjectStore) -> dict[Path, TrainedModel]:
    """The newest bundle of each plan that has one, by the plan's file."""
    names = sorted(found.key.removeprefix(PREFIX).removesuffix(SUFFIX) for found in store.list(PREFIX))
    return {
        plan.path: TrainedModel(name=name, tag=plan.configuration.dataset)
        for plan in wanted
        for name in names
        if name.startswith(plan.configuration.family)
    }
