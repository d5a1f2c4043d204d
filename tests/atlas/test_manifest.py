import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import atlas
from atlas import manifest as manifests
from atlas.errors import ManifestError, SchemaVersionError
from atlas.manifest import Manifest, parse_manifest
from atlas.metrics import Needs
from tests import bundles


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A sound manifest as it stands in a bundle."""
    content = bundles.members(bundles.packed(tmp_path_factory.mktemp("sound")))["manifest.json"]
    return dict(json.loads(content))


def parsed(document: dict[str, Any], **changes: Any) -> Manifest:
    return parse_manifest(json.dumps({**document, **changes}).encode())


def custom(**fields: Any) -> dict[str, Any]:
    return {"name": "cost", "function": "costs:cost", "greater_is_better": False, "needs": "labels", **fields}


def with_code(document: dict[str, Any], *metrics: dict[str, Any], **changes: Any) -> Manifest:
    members = {**document["members"], "code/costs.py": {"sha256": "0" * 64, "size_bytes": 1}}
    return parsed(document, members=members, custom_metrics=metrics, **changes)


def test_a_manifest_survives_json(document: dict[str, Any]) -> None:
    once = parsed(document)
    assert parse_manifest(once.model_dump_json().encode()) == once


def test_a_manifest_cannot_be_changed(document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        parsed(document).name = "Other"  # type: ignore[misc]


def test_an_older_manifest_is_upgraded_step_by_step(document: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def first(old: dict[str, Any]) -> dict[str, Any]:
        return {
            "schema_version": 2,
            **{("purpose" if k == "use_case" else k): v for k, v in old.items() if k != "schema_version"},
        }

    def second(old: dict[str, Any]) -> dict[str, Any]:
        return {
            **{k: v for k, v in old.items() if k != "purpose"},
            "use_case": old["purpose"].upper(),
            "schema_version": 3,
        }

    monkeypatch.setattr(Manifest, "SCHEMA_VERSION", 3)
    monkeypatch.setattr(manifests, "UPGRADES", {1: first, 2: second})
    assert parsed(document).use_case == "DAMAGE DETECTOR"


def test_there_is_an_upgrade_from_every_older_version() -> None:
    assert sorted(manifests.UPGRADES) == list(range(1, Manifest.SCHEMA_VERSION))


def test_a_newer_manifest_is_refused_by_its_version(document: dict[str, Any]) -> None:
    with pytest.raises(
        SchemaVersionError, match="schema_version 2 was written by a newer Atlas; this one reads up to 1"
    ):
        parsed(document, schema_version=2, unheard_of=True)


@pytest.mark.parametrize("version", [0, -1, 1.0, "1", True, None])
def test_a_schema_version_is_a_whole_number_from_one(document: dict[str, Any], version: object) -> None:
    with pytest.raises(ManifestError, match="schema_version: a whole number from 1"):
        parsed(document, schema_version=version)


def test_every_required_field_is_named_when_it_is_missing(document: dict[str, Any]) -> None:
    required = [name for name, field in Manifest.model_fields.items() if field.is_required()]
    for name in required:
        with pytest.raises(ManifestError, match=rf"^manifest\.json: {name}: this field is missing$"):
            parse_manifest(json.dumps({key: value for key, value in document.items() if key != name}).encode())


def test_a_classification_needs_classes_and_a_regression_has_none(document: dict[str, Any]) -> None:
    regression = {"task": "regression", "metrics": ["r2"], "primary_metric": "r2"}
    assert parsed(document, classes=[], **regression).classes == ()
    with pytest.raises(ManifestError, match="classes: a regression model has none"):
        parsed(document, **regression)
    with pytest.raises(ManifestError, match="classes: a multiclass model needs at least two"):
        parsed(document, task="multiclass", metrics=["accuracy"], primary_metric="accuracy", classes=[])


@pytest.mark.parametrize("classes", [["a", "b"], [0, 1], [False, True], [0.5, 1.5]])
def test_classes_keep_their_types(document: dict[str, Any], classes: list[Any]) -> None:
    found = parsed(document, classes=classes).classes
    assert [(type(one), one) for one in found] == [(type(one), one) for one in classes]


def test_needs_are_those_of_the_chosen_metrics(document: dict[str, Any]) -> None:
    assert parsed(document).needs == {Needs.LABELS}
    assert parsed(document, metrics=["f1", "log_loss"]).needs == {Needs.LABELS, Needs.PROBABILITIES}
    own = with_code(document, custom(needs="scores"), metrics=["f1", "cost"])
    assert own.needs == {Needs.LABELS, Needs.SCORES}


def test_the_metric_specification_depends_on_what_is_measured_alone(document: dict[str, Any]) -> None:
    usual = parsed(document).metric_specification
    assert parsed(document, metrics=["accuracy", "f1"], use_case="other").metric_specification == usual
    assert parsed(document, metrics=["f1"]).metric_specification != usual
    one = with_code(document, custom(), metrics=["f1", "cost"]).metric_specification
    other = with_code(document, custom(greater_is_better=True), metrics=["f1", "cost"]).metric_specification
    assert one != other


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        (custom(name="accuracy"), "custom_metrics: 'accuracy' is a metric of Atlas"),
        (custom(name="My cost"), r"custom_metrics\[0\]\.name: a name of lower-case letters"),
        (custom(function="costs.cost"), r"custom_metrics\[0\]\.function: module:function is wanted, not 'costs\.cost'"),
        (custom(function="elsewhere:cost"), "'cost' is in module 'elsewhere', which is not in code/"),
    ],
)
def test_a_custom_metric_has_a_name_of_its_own_and_a_function_in_code(
    document: dict[str, Any], metric: dict[str, Any], says: str
) -> None:
    with pytest.raises(ManifestError, match=says):
        with_code(document, metric)


def test_a_custom_metric_is_declared_once(document: dict[str, Any]) -> None:
    with pytest.raises(ManifestError, match="custom_metrics: cost is named twice"):
        with_code(document, custom(), custom())


def test_an_input_column_is_named_once(document: dict[str, Any]) -> None:
    column = {"name": "peak", "dtype": "double"}
    with pytest.raises(ManifestError, match="input_schema: peak is named twice"):
        parsed(document, input_schema=[column, column])


def test_a_data_window_runs_forward(document: dict[str, Any]) -> None:
    with pytest.raises(ManifestError, match="data_window: start is later than end"):
        parsed(document, data_window={"start": "2026-02-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"})


def test_a_long_wrong_value_is_not_repeated_in_full(document: dict[str, Any]) -> None:
    with pytest.raises(ManifestError) as caught:
        parsed(document, name="x y" * 10_000, **{"z" * 10_000: 1})
    assert len(str(caught.value)) < 500


def test_the_hyperparameters_that_a_database_refuses_are_refused_here(document: dict[str, Any]) -> None:
    with pytest.raises(ManifestError, match="strict JSON"):
        parse_manifest(json.dumps(document).replace('"C": 1.0', '"C": 1e999').encode())
    with pytest.raises(ManifestError, match="NUL"):
        parsed(document, hyperparameters={"a": ["\0"]})
    assert parsed(document, hyperparameters={"a": "\\u0000"}).hyperparameters == {"a": "\\u0000"}


def test_the_package_offers_what_a_data_scientist_needs() -> None:
    assert {name for name in atlas.__all__ if getattr(atlas, name)} >= {"pack", "inspect", "Manifest", "Author"}
    with pytest.raises(AttributeError, match="no attribute 'unpack'"):
        _ = atlas.unpack


def test_a_repeated_field_or_tag_does_not_take_long_to_refuse(tmp_path: Path) -> None:
    """A small zip can hold a long list: a quadratic check would stop the engine for hours."""
    path = bundles.packed(tmp_path)
    bundles.edited(path, lambda manifest: manifest.update(tags=["a"] * 100_000))
    with pytest.raises(ManifestError, match="tags: at most 100 are allowed"):
        atlas.inspect(path)


REFERENCE = (Path(__file__).parents[2] / "docs" / "reference" / "bundle.md").read_text(encoding="utf-8")


def test_the_reference_describes_every_field() -> None:
    described = re.findall(r"^\| `(\w+)` \| (yes|no|for classification) \|", REFERENCE, re.MULTILINE)
    assert [name for name, _ in described] == list(Manifest.model_fields)
    required = {name for name, field in Manifest.model_fields.items() if field.is_required()}
    assert {name for name, word in described if word == "yes"} == required | {"schema_version"}


def test_the_references_example_is_a_manifest() -> None:
    example = re.search(r"```json\n(.*?)```", REFERENCE, re.DOTALL)
    assert example is not None
    assert set(json.loads(example[1])) == set(Manifest.model_fields)
    assert parse_manifest(example[1].encode()).name == "DamageDetector-1.0.0-1767323045"
