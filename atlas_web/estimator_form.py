"""The form that describes a fitted model whose file is no bundle."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms

from atlas.datasets import DatasetDescription
from atlas.errors import ManifestError
from atlas.manifest import Author, Manifest
from atlas.metrics import default_metrics, metrics_for
from atlas.vocabulary import Outputs, Task
from atlas.wrapping import FittedFile, describe_file
from atlas_web import estimators

TASKS = {
    Task.BINARY: "One of two classes (binary)",
    Task.MULTICLASS: "One of several classes (multiclass)",
    Task.MULTILABEL: "Any of several classes (multilabel)",
    Task.REGRESSION: "A number (regression)",
}
OUTPUTS = {
    "": "What the file says",
    Outputs.PROBABILITIES: "Probabilities",
    Outputs.LOGITS: "Logits",
    Outputs.LABELS: "Labels",
    Outputs.VALUES: "Values",
}
SILENT_FORMATS = ("torch",)
"""Formats whose files never say what a classifier's numbers mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the choices of a form depend on.

    Attributes:
        file: the fitted model.
        created: the time that the model's unique name ends in.
        tags: the names of all dataset tags that have a version.
        chosen: the names of those that the model is for.
        dataset: the newest version of the first of them.
        target: the column that it predicts.
        task: what it predicts.
    """

    file: FittedFile
    created: datetime
    tags: tuple[str, ...]
    chosen: tuple[str, ...]
    dataset: DatasetDescription
    target: str
    task: Task

    def guesses(self) -> dict[str, Any]:
        """What the form begins with: what follows from the file's name and from the dataset."""
        metrics = default_metrics(self.task)
        return {
            "name": estimators.family_of(self.file.name),
            "version": "1.0.0",
            **self.following(),
            "primary_metric": metrics[0],
        }

    def following(self) -> dict[str, Any]:
        """What follows from the dataset, the target and the task alone, and changes with them."""
        classes = estimators.classes_of(self.dataset, self.target) if self.task.is_classification else ()
        return {
            "tags": list(self.chosen),
            "target": self.target,
            "task": self.task.value,
            "columns": "\n".join(estimators.columns_of(self.dataset, self.target)),
            "classes": "\n".join(map(str, classes)),
            "metrics": list(default_metrics(self.task)),
            "primary_metric": default_metrics(self.task)[0],
        }


class EstimatorForm(forms.Form):
    """What a manifest says of a model, as far as a file and a dataset do not say it. `manifest` is there once valid."""

    name = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        label="Name",
        max_length=64,
        help_text="Of the family of models. Version and time are added to it.",
        error_messages={"invalid": "Letters, digits, '.', '_' and '-' alone, such as DamageDetector."},
    )
    version = forms.RegexField(
        r"^[A-Za-z0-9._-]+$",
        label="Version",
        max_length=40,
        help_text="Such as 1.0.0.",
        error_messages={"invalid": "Letters, digits, '.', '_' and '-' alone, such as 1.0.0."},
    )
    use_case = forms.CharField(
        label="Use case",
        max_length=200,
        help_text="What it is for, such as damage detector. Models of one use case are ranked together.",
        widget=forms.TextInput(attrs={"list": "use-cases", "autocomplete": "off"}),
    )
    author_name = forms.CharField(label="Author", max_length=200)
    author_email = forms.EmailField(label="Author's e-mail address")
    tags = forms.MultipleChoiceField(
        label="Dataset tags",
        widget=forms.CheckboxSelectMultiple,
        help_text="It is benchmarked on every version of these.",
        error_messages={"required": "Choose at least one."},
    )
    target = forms.ChoiceField(label="Target", help_text="The column that it predicts.")
    task = forms.ChoiceField(label="It predicts", choices=[(task.value, text) for task, text in TASKS.items()])
    columns = forms.CharField(
        label="Columns that it reads",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="One a line, in the order in which it was trained.",
    )
    classes = forms.CharField(
        label="Classes",
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="One a line, in the order of its probabilities; scikit-learn sorts them. Empty for a regression.",
    )
    metrics = forms.MultipleChoiceField(
        label="Metrics",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )
    primary_metric = forms.ChoiceField(label="Primary metric", help_text="The one that ranks; one of those chosen.")
    outputs = forms.ChoiceField(
        label="Its numbers are",
        required=False,
        choices=list(OUTPUTS.items()),
        help_text="A network's file does not say whether it gives probabilities or logits.",
    )
    framework = forms.CharField(
        label="Library and version",
        required=False,
        max_length=120,
        help_text="What it was made with, such as scikit-learn 1.7.2. Another version here is a warning.",
    )
    hyperparameters = forms.CharField(
        label="Hyperparameters",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="As a note, one a line: max_depth = 5. Those in the file itself are read with each benchmark.",
    )

    def __init__(self, *args: Any, given: Circumstances, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.given = given
        self.manifest: Manifest | None = None
        metrics = [(each.name, each.title) for each in metrics_for(given.task)]
        self._choose("tags", [(tag, tag) for tag in given.tags])
        self._choose("target", [(each.name, each.name) for each in given.dataset.columns])
        self._choose("metrics", metrics)
        self._choose("primary_metric", metrics)
        if given.file.format.takes_transformers:  # an estimator, which has methods for either
            del self.fields["outputs"]

    def _choose(self, field: str, choices: list[tuple[str, str]]) -> None:
        self.fields[field].choices = choices  # type: ignore[attr-defined]  # these are fields of choices

    def clean_columns(self) -> Any:
        """The columns with their types."""
        names = estimators.lines_of(self.cleaned_data["columns"])
        return _told(estimators.schema_of, self.given.dataset, names, self.given.target)

    def clean_classes(self) -> Any:
        """The classes as the target's column holds them."""
        dtype = estimators.dtype_of(self.given.dataset, self.given.target)
        labels = estimators.lines_of(self.cleaned_data["classes"])
        return tuple(_told(estimators.label_of, label, dtype) for label in labels)

    def clean_framework(self) -> Any:
        """The library, or None."""
        return _told(estimators.framework_of, self.cleaned_data["framework"])

    def clean_hyperparameters(self) -> Any:
        """The hyperparameters by name."""
        return _told(estimators.hyperparameters_of, self.cleaned_data["hyperparameters"])

    def clean_outputs(self) -> Any:
        """What the numbers mean, which has to be said where no file says it."""
        outputs = self.cleaned_data["outputs"]
        if not outputs and self.given.task.is_classification and self.given.file.format.name in SILENT_FORMATS:
            raise forms.ValidationError("A torch file does not say it: choose what its numbers are.")
        return Outputs(outputs) if outputs else None

    def clean(self) -> dict[str, Any]:
        """Make the manifest, if every field is right by itself."""
        fields: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                self.manifest = self._manifest(fields)
            except ManifestError as error:
                for field, problem in estimators.fields_of(error, [*self.fields, *_OF_MANIFEST]):
                    self.add_error(_OF_MANIFEST.get(field or "", field), _sentence(problem))
        return fields

    def _manifest(self, fields: dict[str, Any]) -> Manifest:
        return describe_file(
            self.given.file,
            name=fields["name"],
            version=fields["version"],
            use_case=fields["use_case"],
            task=self.given.task,
            author=Author(name=fields["author_name"], email=fields["author_email"]),
            tags=fields["tags"],
            target=self.given.target,
            input_schema=fields["columns"],
            classes=fields["classes"],
            metrics=fields["metrics"],
            primary_metric=fields["primary_metric"],
            created=self.given.created,
            outputs=fields.get("outputs"),
            framework=fields["framework"],
            hyperparameters=fields["hyperparameters"],
        )


_OF_MANIFEST = {"input_schema": "columns"}
"""Fields of a manifest that the form calls otherwise."""


def _told(read: Any, *arguments: Any) -> Any:
    """What a reader makes of a text, or its complaint as the field's."""
    try:
        return read(*arguments)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from error


def _sentence(problem: str) -> str:
    return f"{problem[:1].upper()}{problem[1:].rstrip('.')}."
