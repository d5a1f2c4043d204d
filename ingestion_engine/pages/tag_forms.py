"""What people fill in about tags, and how a fault of a query is shown."""

from typing import Any

from django import forms

from ingestion_engine.errors import QueryError
from ingestion_engine.pages.forms import check_name
from ingestion_engine.query import MAX_LENGTH

SCHEDULES = {"": "At every change of the data", "3600": "Every hour", "86400": "Every day", "604800": "Every week"}


def schedule(every_seconds: int | None) -> str:
    """How often a tag looks for a new version, in words."""
    if every_seconds is None:
        return SCHEDULES[""]
    return SCHEDULES.get(str(every_seconds), f"Every {every_seconds:,} s")


def pointed(query: str, error: QueryError) -> str:
    """The line of a query that is wrong, and below it a caret at the column."""
    lines = query.splitlines() or [""]
    line = lines[min(error.line, len(lines)) - 1]
    return f"{line}\n{' ' * (error.column - 1)}^"


class TagForm(forms.Form):
    """A tag to make: its name, its query, and how often it looks for a new version."""

    name = forms.CharField(label="Name", max_length=100, help_text="Training configurations and models refer to it.")
    query = forms.CharField(
        label="Query",
        required=False,
        max_length=MAX_LENGTH,
        help_text="Without one the tag holds all events that have a label.",
        widget=forms.Textarea(
            attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "none", "autocomplete": "off", "class": "mono"}
        ),
    )
    every_seconds = forms.TypedChoiceField(
        label="New versions", required=False, choices=list(SCHEDULES.items()), coerce=int, empty_value=None
    )
    pointed = ""
    """The line of the query that is wrong, with a caret below it."""

    def clean_name(self) -> str:
        """The name, if a tag can have it."""
        return check_name(self.cleaned_data["name"])

    def refuse_query(self, error: QueryError) -> None:
        """Tell what is wrong with the query, and where."""
        self.pointed = pointed(str(self.data.get("query", "")), error)
        self.add_error("query", str(error))

    @property
    def values(self) -> dict[str, Any]:
        """What was filled in."""
        return self.cleaned_data
