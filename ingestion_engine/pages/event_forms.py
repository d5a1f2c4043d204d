"""What people fill in about events."""

import math
from typing import Any

from django import forms
from django.db.models import Count
from django.http import QueryDict

from atlas.ingestion import LabelValue
from ingestion_engine.models import Event, Recording
from ingestion_engine.pages import shown
from ingestion_engine.pages.forms import SecondsField

LONGEST = 1000
TRUTHS = {"true": True, "false": False}
MOST_LABELS = 50
"""So many of a recording's labels are offered while one types."""


def read_label(text: str, label_type: str) -> LabelValue | None:
    """What was typed as a label, in the type that the recording's labels have; None for nothing.

    Raises:
        forms.ValidationError: it cannot have this type.
    """
    typed = text.strip()
    if not typed:
        return None
    if label_type.startswith(("list", "large_list")):
        return [part.strip() for part in typed.split(",") if part.strip()]
    if label_type == "bool":
        if typed.lower() not in TRUTHS:
            raise forms.ValidationError("This recording's labels are true or false.")
        return TRUTHS[typed.lower()]
    return _number(typed, label_type) if label_type.startswith(("int", "uint", "float", "double", "half")) else typed


def _number(typed: str, label_type: str) -> int | float:
    try:
        value = float(typed) if label_type.startswith(("float", "double", "half")) else int(typed)
    except ValueError:
        kind = "numbers" if label_type.startswith(("float", "double", "half")) else "whole numbers"
        raise forms.ValidationError(f"This recording's labels are {kind}.") from None
    if not math.isfinite(value):
        raise forms.ValidationError("This is no finite number.")
    return value


def labels_of(recording: Recording) -> list[tuple[str, str]]:
    """The labels of a recording's events as one reads them and their types, the most frequent first."""
    present = Event.objects.filter(recording=recording, until=None).exclude(label_type="")
    counted = present.values_list("label", "label_type").annotate(rows=Count("pk")).order_by("-rows")
    return [(shown.label(value), label_type) for value, label_type, _ in counted[:MOST_LABELS]]


class View:
    """The part of a recording that a person looks at, and what they chose there: it stays when a form is sent."""

    NAMES = ("channel", "from", "to")

    def __init__(self, sent: QueryDict) -> None:
        self._sent = sent

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What a form carries along."""
        return [(name, str(self._sent.get(name, ""))) for name in self.NAMES]

    @property
    def query(self) -> str:
        """The same for an address, with the question mark; empty if nothing was chosen."""
        kept = QueryDict(mutable=True)
        kept.update({name: value for name, value in self.fields if value})
        return f"?{kept.urlencode()}" if kept else ""

    @property
    def chosen(self) -> dict[str, str]:
        """The span that was chosen, for those who come without a script."""
        return {name: str(self._sent[name]) for name in ("start", "end") if name in self._sent}


class FactsForm(forms.Form):
    """What is known of an event."""

    label = forms.CharField(label="Label", required=False, max_length=LONGEST)
    car = forms.CharField(label="Car", required=False, max_length=LONGEST)
    environment = forms.CharField(label="Environment", required=False, max_length=LONGEST)

    def __init__(self, *args: Any, recording: Recording, label_type: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.offered = labels_of(recording)
        self.label_type = label_type or (self.offered[0][1] if self.offered else "string")
        self.fields["label"].widget.attrs |= {"list": "labels", "autocomplete": "off"}
        if self.label_type.startswith(("list", "large_list")):
            self.fields["label"].help_text = "Several have commas between them."

    def clean_label(self) -> LabelValue | None:
        """The label in the type of the recording's labels."""
        return read_label(self.cleaned_data["label"], self.label_type)

    def clean_car(self) -> str | None:
        """The car; None for nothing."""
        return self.cleaned_data["car"].strip() or None

    def clean_environment(self) -> str | None:
        """The conditions; None for nothing."""
        return self.cleaned_data["environment"].strip() or None

    @property
    def facts(self) -> dict[str, Any]:
        """Label, car and environment, as they are given to `labelling`."""
        return {name: self.cleaned_data[name] for name in ("label", "car", "environment")}


class SpanForm(FactsForm):
    """An event of signals: where it lies, and what is known of it."""

    start = SecondsField("Start", help_text="Seconds since the recording began.", required=True)
    end = SecondsField("End", help_text="The start if left empty.")
    field_order = ("start", "end", "label", "car", "environment")

    @property
    def span(self) -> dict[str, Any]:
        """From where to where, as it is given to `labelling`."""
        return {"start": self.cleaned_data["start"], "end": self.cleaned_data["end"]}


class SeenForm(forms.Form):
    """The revision since which an event was as the person saw it."""

    seen = forms.IntegerField(min_value=0)
