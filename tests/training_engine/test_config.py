"""What a configuration file may say, and how it is told what is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training_engine.config import TrainingConfiguration, load
from training_engine.errors import ConfigurationError

SCALER = "sklearn.preprocessing.StandardScaler"
GOOD = """\
name: DamageDetector
version: 1.0.0
use_case: damage detector
task: binary
author:
  name: Ines Prado
  email: ines@example.org
dataset: impacts
pipeline:
  - class: sklearn.preprocessing.StandardScaler
    parameters: {with_mean: false}
model:
  class: sklearn.svm.SVC
  parameters:
    C: 2.0
metrics: [f1, accuracy]
"""


def refusal(tmp_path: Path, text: str) -> str:
    path = tmp_path / "train.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    return str(caught.value)


def test_what_is_not_given_has_the_documented_value(tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(GOOD)
    configuration = load(path)
    assert configuration.target == "label"
    assert configuration.benchmark_tags == ("impacts",)
    assert (configuration.seed, configuration.format) == (0, "skops")
    assert configuration.features is None


def test_a_model_can_be_benchmarked_on_other_tags_than_it_learns_from(
    configured: Callable[..., TrainingConfiguration],
) -> None:
    assert configured(tags=["impacts", "winter"]).benchmark_tags == ("impacts", "winter")


def test_all_bundles_of_a_configuration_begin_with_its_name_and_version(
    configured: Callable[..., TrainingConfiguration],
) -> None:
    assert configured().family == "DamageDetector-1.0.0-"


@pytest.mark.parametrize(
    ("good", "wrong", "line", "complaint"),
    [
        ("name: DamageDetector", "name: damage detector", 1, "name: "),
        ("version: 1.0.0", "version: 1.0", 2, "version: a text is wanted, not 1.0"),
        ("task: binary", "task: ranking", 4, "task: "),
        ("  email: ines@example.org", "  email: ines", 7, "author.email: an e-mail address"),
        ("  email: ines@example.org\n", "", 5, "author.email: "),
        (SCALER, "StandardScaler", 10, "pipeline[0].class: 'StandardScaler' is not a full"),
        (SCALER, "sklearn.preprocessing.Scaler", 10, "sklearn.preprocessing has no Scaler"),
        (SCALER, "no.such.Scaler", 10, "no.such cannot be imported"),
        (SCALER, "sklearn.preprocessing.scale", 10, "is not a class"),
        (SCALER, "sklearn.svm.SVC", 10, "sklearn.svm.SVC has no method transform"),
        ("{with_mean: false}", "{with_men: false}", 11, "'with_men'; it takes copy, with_mean, with_std"),
        (SCALER, "xgbost.Scaler", 10, "the package xgbost is not installed: pip install 'xgbost'"),
        ("    C: 2.0", "    C: {class: no.Such}", 15, "model.parameters.C.class: no cannot be imported"),
        ("    C: 2.0", "    C: [{class: sklearn.svm.SVC, parameters: {CC: 1}}]", 15,
         "model.parameters.C[0].parameters: sklearn.svm.SVC got an unexpected keyword argument 'CC'"),
        ("sklearn.svm.SVC", SCALER, 13, "model.class: "),
        ("sklearn.svm.SVC", "sklearn.svm.SVR", 12, "model: sklearn.svm.SVR is not for binary models"),
        ("sklearn.svm.SVC", "sklearn.ensemble.VotingClassifier", 14, "missing a required argument: 'estimators'"),
        ("    C: 2.0", "    CC: 2.0", 14, "model.parameters: sklearn.svm.SVC got an unexpected keyword argument 'CC'"),
        ("[f1, accuracy]", "[f1, acuracy]", 16, "metrics: "),
        ("[f1, accuracy]", "[r2]", 16, "metrics: 'r2' is not for binary models, but for regression"),
        ("[f1, accuracy]", "[f1]\nprimary_metric: accuracy", 17, "primary_metric: 'accuracy' is not one of metrics"),
        ("[f1, accuracy]", "[f1]\nformat: pickel", 17, "format: "),
        ("[f1, accuracy]", "[f1]\nseed: -1", 17, "seed: "),
        ("[f1, accuracy]", "[f1]\ncolour: red", 17, "colour: "),
        ("dataset: impacts", "dataset: impacts\nfeatures: [label]", 9, "features: 'label' is the target"),
        ("dataset: impacts", "dataset: impacts\nfeatures: [a]\nexclude: [b]", 10, "give either features or exclude"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_line_and_key(
    tmp_path: Path, good: str, wrong: str, line: int, complaint: str
) -> None:
    assert good in GOOD
    message = refusal(tmp_path, GOOD.replace(good, wrong))
    assert f"train.yaml, line {line}: " in message
    assert complaint in message


def test_everything_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    message = refusal(tmp_path, GOOD.replace("binary", "ranking").replace("C: 2.0", "CC: 2.0"))
    assert [line.split(": ")[1] for line in message.splitlines()] == ["task", "model.parameters"]


@pytest.mark.parametrize(
    ("text", "complaint"), [("a: [", "is not YAML"), ("- name", "keys and their values"), ("", "keys and their values")]
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    assert complaint in refusal(tmp_path, text)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml cannot be read"):
        load(tmp_path / "nowhere.yaml")


def test_a_value_of_the_wrong_kind_is_no_crash(written: Callable[..., Path]) -> None:
    for key in ("author", "pipeline", "model", "metrics", "features", "tags", "seed"):
        wrong: dict[str, Any] = {key: 3.5}
        with pytest.raises(ConfigurationError, match=f"{key}: "):
            load(written(**wrong))
