"""What people fill in for alerts. Pages and API check rules with the same form."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import capfirst

from atlas.metrics import REGISTRY
from atlas.watching import AlertKind
from atlas_web import words
from atlas_web.alert_words import CONDITIONS, THRESHOLDS
from storage import queries
from storage.records import RuleFields

LONGEST_NOTE = 2000
LONGEST_NAME = 100
REFILLS = {
    "hx-get": "",
    "hx-trigger": "change",
    "hx-include": "closest form",
    "hx-params": "not csrfmiddlewaretoken",
    "hx-target": "#of-kind",
    "hx-select": "#of-kind",
    "hx-swap": "outerHTML",
}
"""Attributes of a select of kinds: it asks its page for the fields that a thing of the chosen kind has."""
_ABOUT_MODELS = ("model", "use_case", "tag")
FIELDS_OF: Mapping[AlertKind, tuple[str, ...]] = {
    AlertKind.METRIC: ("metric", "threshold", *_ABOUT_MODELS),
    AlertKind.DROP: ("metric", "threshold", *_ABOUT_MODELS),
    AlertKind.DRIFT: ("threshold", *_ABOUT_MODELS),
    AlertKind.FAILED: _ABOUT_MODELS,
    AlertKind.DOWN: ("component",),
}
"""Which fields a rule of each kind has beside its name and channels."""
_CONDITIONAL = ("metric", "threshold", *_ABOUT_MODELS, "component")
_NEEDS_THRESHOLD = (AlertKind.METRIC, AlertKind.DRIFT)
_SHARES = (AlertKind.DROP, AlertKind.DRIFT)


class RuleForm(forms.Form):
    """A rule. The kind says which fields it has; a value in one of the others is an error."""

    name = forms.CharField(
        label="Name",
        max_length=LONGEST_NAME,
        help_text="What messages call it, such as damage detector falls.",
        error_messages={"required": "Give the rule a name: messages are sent in it."},
    )
    kind = forms.ChoiceField(
        label="Alert when",
        choices=[(kind.value, CONDITIONS[kind]) for kind in AlertKind],
        initial=AlertKind.DROP,
        widget=forms.Select(attrs=REFILLS),
    )
    metric = forms.ChoiceField(
        label="Metric", required=False, error_messages={"invalid_choice": "No model is measured by %(value)s."}
    )
    threshold = forms.FloatField(
        label="Threshold",
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"invalid": "Write a number with a point, such as 0.85."},
    )
    model = forms.CharField(
        label="Model",
        required=False,
        max_length=500,
        help_text="The whole name of one model, or nothing for all.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "list": "models"}),
    )
    use_case = forms.ChoiceField(
        label="Use case", required=False, error_messages={"invalid_choice": "No model is for %(value)s."}
    )
    tag = forms.ChoiceField(
        label="Dataset", required=False, error_messages={"invalid_choice": "There is no dataset tag %(value)s."}
    )
    component = forms.ChoiceField(
        label="Component", required=False, error_messages={"invalid_choice": "Nobody has heard of %(value)s."}
    )
    channels = forms.TypedMultipleChoiceField(
        label="Send to",
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text="Without a channel its alerts stand on the home page alone.",
        error_messages={"invalid_choice": "There is no channel with the key %(value)s."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tags = queries.keys_of_tags()
        self._offer("metric", "The primary metric of each model", _metrics())
        self._offer("use_case", "All use cases", [(name, name) for name in queries.use_cases()])
        self._offer("tag", "All datasets", [(name, name) for name in self._tags])
        self._offer("component", "All components", _components())
        self._offer("channels", "", queries.names_of_channels())
        self.fields["threshold"].help_text = THRESHOLDS.get(self.chosen_kind, "")

    def _offer(self, name: str, everything: str, options: Sequence[tuple[Any, str]]) -> None:
        first = [("", everything)] if everything else []
        self.fields[name].choices = [*first, *options]  # type: ignore[attr-defined]

    @property
    def chosen_kind(self) -> AlertKind:
        """The kind that is chosen; the first one if that is none."""
        chosen = str(self["kind"].value() or "")
        return AlertKind(chosen) if chosen in list(AlertKind) else AlertKind.DROP

    @property
    def shown(self) -> Iterator[forms.BoundField]:
        """The fields that a rule of this kind has, and any other in which something is wrong."""
        chosen = FIELDS_OF[self.chosen_kind]
        return (self[name] for name in _CONDITIONAL if name in chosen or name in self.errors)

    def clean_model(self) -> int | None:
        """The key of the model that is named."""
        name = self.cleaned_data["model"].strip()
        found = queries.ready_model_named(name) if name else None
        if name and found is None:
            raise ValidationError(f"There is no model named {name}. Copy its whole name from its page.")
        self._use_case = found.use_case if found else ""
        return found.pk if found else None

    def clean(self) -> dict[str, Any]:
        """What one field alone cannot tell."""
        said = super().clean() or {}
        if "kind" in said:
            self._check_for(AlertKind(said["kind"]), said)
        if said.get("model") and said.get("use_case") not in ("", None, self._use_case):
            self.add_error("use_case", f"This model is for {self._use_case}. Leave the use case out.")
        return said

    def _check_for(self, kind: AlertKind, said: dict[str, Any]) -> None:
        for name in _CONDITIONAL:
            if name not in FIELDS_OF[kind] and said.get(name) not in ("", None):
                self.add_error(name, f"An alert of this kind has no {name.replace('_', ' ')}. Leave it out.")
        threshold = said.get("threshold")
        if threshold is None and kind in _NEEDS_THRESHOLD and "threshold" not in self.errors:
            self.add_error("threshold", "Say from where on it is an alert.")
        if threshold is not None and kind in _SHARES and not 0 <= threshold <= 1:
            self.add_error("threshold", "A share lies between 0 and 1: 0.05 is 5 %.")

    def fields_of_rule(self, *, enabled: bool) -> RuleFields:
        """What the rule is to be, once the form is valid."""
        said = self.cleaned_data
        return RuleFields(
            name=said["name"],
            kind=AlertKind(said["kind"]),
            metric=said["metric"],
            threshold=said["threshold"],
            model=said["model"],
            use_case=said["use_case"],
            tag=self._tags.get(said["tag"]),
            component=said["component"],
            channels=frozenset(said["channels"]),
            enabled=enabled,
        )


def said_of_rule(rule: Any) -> dict[str, Any]:
    """A rule as its form has it."""
    return {
        "name": rule.name,
        "kind": rule.kind,
        "metric": rule.metric,
        "threshold": rule.threshold,
        "model": rule.model.name if rule.model else "",
        "use_case": rule.use_case,
        "tag": rule.tag.name if rule.tag else "",
        "component": rule.component,
        "channels": [channel.pk for channel in rule.channels.all()],
    }


def _metrics() -> list[tuple[str, str]]:
    return [(name, words.metric_title(name)) for name in sorted({*REGISTRY, *queries.metric_names()})]


def _components() -> list[tuple[str, str]]:
    return [(each.name, capfirst(each.name)) for each in queries.components(timezone.now(), queued=0)]


class NoteForm(forms.Form):
    """What a person says when they acknowledge an alert."""

    note = forms.CharField(
        label="Note",
        required=False,
        max_length=LONGEST_NOTE,
        help_text="What you know or do about it, for the others. It may stay empty.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
