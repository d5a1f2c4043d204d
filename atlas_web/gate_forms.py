"""What people fill in about stages and gates."""

from typing import Any

from django import forms

from atlas.gates import Rule
from atlas.metrics import REGISTRY
from atlas.watching import GateKind, Stage
from atlas_web.choices import same
from atlas_web.gates import problems_of
from atlas_web.words import metric_title
from storage import queries

LONGEST_REASON = 2000
KINDS = {
    GateKind.BENCHMARKED: "It has a result",
    GateKind.METRIC: "A metric reaches a value",
    GateKind.NOT_WORSE: "It is not worse than the champion",
    GateKind.DRIFT: "Few columns have moved from its training data",
    GateKind.NO_ALERT: "No alert about it is open",
}
"""What each kind of rule asks of a model, for a select."""


class StageForm(forms.Form):
    """Where a model goes, and why."""

    stage = forms.ChoiceField(choices=[(stage.value, stage.value) for stage in Stage])
    why = forms.CharField(
        label="Why",
        max_length=LONGEST_REASON,
        help_text="It is kept in the history, with the checks as they stand now.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Say why, for those who look at the history later."},
    )

    @property
    def chosen(self) -> Stage:
        """Where it goes; the form is right."""
        return Stage(self.cleaned_data["stage"])


class RuleForm(forms.Form):
    """A rule of the gate of a use case."""

    kind = forms.ChoiceField(
        label="What is asked",
        choices=[(kind.value, text) for kind, text in KINDS.items()],
        help_text="On the newest version of each of the model's dataset tags.",
    )
    metric = forms.ChoiceField(
        label="Metric",
        required=False,
        help_text="Of a rule about a metric, or about the champion.",
    )
    threshold = forms.FloatField(
        label="Threshold",
        required=False,
        help_text=(
            "Of a rule about a metric, the value to reach; where less is better, at most that. Of a rule about drift, "
            "the share of columns, such as 0.2."
        ),
        widget=forms.NumberInput(attrs={"step": "any"}),
        error_messages={"invalid": "Write a number, such as 0.85."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {*queries.metric_names(), *REGISTRY, str(self.initial.get("metric", ""))} - {""}
        titles = sorted(((name, metric_title(name)) for name in names), key=lambda each: each[1].casefold())
        self.fields["metric"].choices = [("", "Primary metric"), *titles]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The fields, which have to fit together."""
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            for field, problem in problems_of(self.rule).items():
                self.add_error(field, problem)
        return cleaned

    @property
    def rule(self) -> Rule:
        """The rule that the fields say."""
        said = self.cleaned_data
        return Rule(kind=GateKind(said["kind"]), metric=said["metric"], threshold=said["threshold"])


class NewRuleForm(RuleForm):
    """A rule, and the use case whose gate it is for."""

    field_order = ("use_case", "kind", "metric", "threshold")
    use_case = forms.ChoiceField(
        label="Use case",
        error_messages={
            "required": "Choose a use case.",
            "invalid_choice": "No model is for this use case.",
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["use_case"].choices = same(queries.use_cases_with_gates())  # type: ignore[attr-defined]
