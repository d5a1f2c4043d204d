"""What is guessed and read of a fitted model that is no bundle."""

import pytest

from atlas.datasets import ColumnStatistics, Statistics
from atlas.errors import ManifestError
from atlas.manifest import Framework
from atlas.vocabulary import ColumnSchema, Task
from atlas_web import estimators
from tests.samples import description


def statistics(labels: dict[str, int], *columns: ColumnStatistics) -> Statistics:
    return Statistics(rows=100, labels=labels, cars={}, environments={}, columns=columns)


@pytest.mark.parametrize(
    ("file", "name"), [("my model (2).joblib", "my-model-2"), ("a/b/Forest.pkl", "Forest"), ("...", "")]
)
def test_a_file_s_name_gives_the_family_s(file: str, name: str) -> None:
    assert estimators.family_of(file) == name


@pytest.mark.parametrize(
    ("dtype", "labels", "task", "classes"),
    [
        ("string", {"wet": 3, "dry": 1}, Task.BINARY, ("dry", "wet")),
        ("string", {"c": 3, "a": 1, "b": 1}, Task.MULTICLASS, ("a", "b", "c")),
        ("int64", {"10": 3, "9": 1, "2": 1}, Task.MULTICLASS, (2, 9, 10)),
        ("bool", {"True": 3, "False": 1}, Task.BINARY, (False, True)),
        ("list<item: string>", {"b": 3, "a": 1}, Task.MULTILABEL, ("a", "b")),
        ("double", {}, Task.REGRESSION, ()),
    ],
    ids=["two texts", "three texts", "numbers", "truth values", "lists", "continuous"],
)
def test_the_target_gives_the_task_and_the_classes(
    dtype: str, labels: dict[str, int], task: Task, classes: tuple[object, ...]
) -> None:
    found = description(columns=(ColumnSchema(name="label", dtype=dtype),), statistics=statistics(labels))
    assert estimators.task_of(found, "label") is task
    assert estimators.classes_of(found, "label") == classes


def test_another_target_has_the_classes_that_its_column_has() -> None:
    surface = ColumnStatistics(name="surface", dtype="string", missing=0, values={"wet": 2, "dry": 98})
    columns = (ColumnSchema(name="label", dtype="string"), ColumnSchema(name="surface", dtype="string"))
    found = description(columns=columns, statistics=statistics({"hit": 1}, surface))
    assert estimators.classes_of(found, "surface") == ("dry", "wet")


def test_a_model_reads_what_is_neither_target_nor_origin() -> None:
    assert estimators.columns_of(description(), "label") == ["peak", "rms"]
    assert estimators.columns_of(description(), "rms") == ["peak"]


def test_columns_keep_the_order_in_which_they_are_written() -> None:
    chosen = estimators.schema_of(description(), ["rms", "peak"], "label")
    assert [(column.name, column.dtype) for column in chosen] == [("rms", "double"), ("peak", "double")]


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["peek"], r"impacts v1 has no column peek\. Did you mean peak\?"),
        (["zzz"], r"impacts v1 has no column zzz\.$"),
        (["peak", "label"], "label is the target, which a model must not see"),
    ],
    ids=["near", "far", "target"],
)
def test_a_wrong_column_is_named(names: list[str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        estimators.schema_of(description(), names, "label")


@pytest.mark.parametrize(("text", "dtype"), [("x", "int64"), ("1.5", "uint8"), ("maybe", "bool")])
def test_a_class_that_the_column_cannot_hold_is_named(text: str, dtype: str) -> None:
    with pytest.raises(ValueError, match=repr(text)):
        estimators.label_of(text, dtype)


def test_hyperparameters_are_json_or_text() -> None:
    text = "max_depth = 5\n\nkernel=rbf\nalphas = [0.1, 1]\nfit_prior = true"
    found = estimators.hyperparameters_of(text)
    assert found == {"max_depth": 5, "kernel": "rbf", "alphas": [0.1, 1], "fit_prior": True}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("depth", "write name = value"), ("= 5", "write name = value"), ("a=1\na=2", "a stands there")],
)
def test_another_line_is_no_hyperparameter(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        estimators.hyperparameters_of(text)


def test_a_library_has_a_version() -> None:
    assert estimators.framework_of("scikit-learn 1.7.2") == Framework(name="scikit-learn", version="1.7.2")
    assert estimators.framework_of("") is None
    with pytest.raises(ValueError, match="Write the library and its version"):
        estimators.framework_of("scikit-learn")


def test_a_manifest_s_complaints_find_their_fields() -> None:
    error = ManifestError("pack: classes: too few; tags[0]: a name is wanted, not 'a b'; something else: is wrong")
    assert estimators.fields_of(error, ["classes", "tags"]) == [
        ("classes", "too few"),
        ("tags", "a name is wanted, not 'a b'"),
        (None, "something else: is wrong"),
    ]
