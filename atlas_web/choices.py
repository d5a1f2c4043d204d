"""Forms of what a page shows: choices in the address, checked once, and answered in place if they are wrong."""

from collections.abc import Iterable
from typing import Any

from django import forms

from atlas_web import words
from storage import queries

SIZES = (25, 50, 100)
"""How many rows a page may have."""


def select(label: str, everything: str, options: Iterable[tuple[str, str]]) -> forms.ChoiceField:
    """A select of (value, text), first of all `everything`."""
    return forms.ChoiceField(label=label, choices=[("", everything), *options], required=False)


def same(options: Iterable[str]) -> list[tuple[str, str]]:
    """Options whose texts are their values."""
    return [(option, option) for option in options]


class Choices(forms.Form):
    """What a person chose, as the address says it."""

    def chosen(self, name: str) -> Any:
        """What was chosen; the field's empty value if that is nothing, or wrong."""
        self.full_clean()
        return self.cleaned_data.get(name, "")

    @property
    def problems(self) -> list[str]:
        """What is wrong, with the field's name."""
        return [f"{self.fields[name].label}: {' '.join(map(str, texts))}" for name, texts in self.errors.items()]


class Part(Choices):
    """Which part of a list a page shows, and as what. What is wrong counts as not chosen."""

    page = forms.IntegerField(min_value=1, required=False)
    per_page = forms.TypedChoiceField(choices=[(size, size) for size in SIZES], coerce=int, required=False)
    format = forms.ChoiceField(choices=[("csv", "CSV")], required=False)

    @property
    def number(self) -> int:
        """Which page, from 1 on."""
        return self.chosen("page") or 1

    @property
    def size(self) -> int:
        """How many rows it has."""
        return self.chosen("per_page") or SIZES[0]

    @property
    def as_csv(self) -> bool:
        """Whether it is asked for as a file."""
        return bool(self.chosen("format"))


def search_field(label: str, hint: str) -> forms.CharField:
    """A search box."""
    widget = forms.TextInput(attrs={"type": "search", "placeholder": hint})
    return forms.CharField(label=label, widget=widget, required=False, max_length=200)


def metric_field() -> forms.ChoiceField:
    """A select of the metrics that there are, whatever the use case: so a choice outlives that of another use case."""
    return select("Metric", "Primary metric", [(name, words.metric_title(name)) for name in queries.metric_names()])
