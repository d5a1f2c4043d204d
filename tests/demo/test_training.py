"""The demo's models: configurations that hold, of many families."""

from pathlib import Path

import pytest

from atlas.metrics import Needs, metric
from demo.datasets import SOURCES
from demo.training import TrainedModel, plans, trained
from storage.objects import DirectoryStore
from training_engine.components import find_class

FAMILIES = {
    "sklearn.linear_model": "linear",
    "sklearn.tree": "tree",
    "sklearn.svm": "support vectors",
    "sklearn.neighbors": "neighbours",
    "sklearn.neural_network": "neural network",
    "sklearn.naive_bayes": "naive Bayes",
}


def family(path: str) -> str:
    if path.startswith("sklearn.ensemble."):
        return "boosting" if "Boosting" in path else "forest"
    return FAMILIES[path.rpartition(".")[0]]


def test_there_are_ten_models_or_more_of_every_family() -> None:
    configurations = [plan.configuration for plan in plans()]
    assert len(configurations) >= 10
    assert {family(configuration.model.path) for configuration in configurations} == {
        *FAMILIES.values(), "boosting", "forest",
    }  # fmt: skip


def test_every_configuration_holds_and_says_all_that_the_demo_shows() -> None:
    tags = {source.tag for source in SOURCES}
    for plan in plans():
        assert plan.configuration.dataset in tags, plan.path
        assert plan.configuration.pipeline, f"{plan.path}: each model has its preprocessing"
        assert plan.configuration.primary_metric, plan.path


def test_every_dataset_has_models_that_one_metric_ranks() -> None:
    ranked = {
        source.tag: [plan.configuration for plan in plans() if plan.configuration.dataset == source.tag]
        for source in SOURCES
    }
    for models in ranked.values():
        assert len(models) >= 3
        assert len({model.primary_metric for model in models}) == 1


def test_no_bundle_could_be_taken_for_one_of_another_configuration() -> None:
    families = [plan.configuration.family for plan in plans()]
    assert len(set(families)) == len(families)
    assert not [one for one in families for other in families if one != other and one.startswith(other)]


def test_a_model_is_asked_for_probabilities_exactly_if_it_has_them() -> None:
    for plan in plans():
        if not plan.configuration.task.is_classification:
            continue
        needs = {metric(name).needs for name in plan.configuration.metrics}
        has = hasattr(find_class(plan.configuration.model.path)(), "predict_proba")
        assert (Needs.PROBABILITIES in needs) == has, plan.path


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path)


def test_nothing_is_trained_at_first(store: DirectoryStore) -> None:
    assert trained(plans(), store) == {}


def test_the_newest_bundle_of_a_configuration_counts(store: DirectoryStore) -> None:
    plan = plans()[0]
    family = plan.configuration.family
    for key in (f"{family}1700000002", f"{family}1700000001", f"Other{family}1700000003"):
        store.put(f"models/{key}.atlas", b"")
    name, tag = f"{family}1700000002", plan.configuration.dataset
    assert trained(plans(), store) == {plan.path: TrainedModel(name=name, tag=tag)}
