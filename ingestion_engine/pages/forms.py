"""What people fill in on the pages. The documents of `atlas.ingestion` check the values, forms name the fields."""

from datetime import UTC
from pathlib import Path
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from pydantic import TypeAdapter, ValidationError

from atlas.ingestion import RecordingSettings
from atlas.vocabulary import Name

WRONG_NAME = "A name has 1 to 128 letters, digits, dots, hyphens and underscores, and begins with a letter or digit."
LONGEST_LABEL = 200


def check_name(name: str) -> str:
    """The name of a recording or tag.

    Raises:
        forms.ValidationError: it is none.
    """
    try:
        return TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise forms.ValidationError(WRONG_NAME) from error


class NumberInput(forms.NumberInput):
    """A number of seconds with any fraction."""

    def __init__(self, hint: str = "") -> None:
        super().__init__(attrs={"step": "any", "placeholder": hint})


class SecondsField(forms.FloatField):
    """Seconds, written as a plain number."""

    def __init__(self, label: str, *, help_text: str = "", required: bool = False) -> None:
        super().__init__(label=label, required=required, widget=NumberInput(), help_text=help_text)


class RecordingForm(forms.Form):
    """A recording to send: its file, perhaps its labels, and how it becomes events."""

    file = forms.FileField(
        label="Recording",
        help_text="A ROS 1 or ROS 2 bag, MCAP, WAV, CSV or Parquet file.",
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )
    labels = forms.FileField(
        label="Labels, if there are any", required=False, help_text="CSV or JSON: start, end, label, car, environment."
    )
    name = forms.CharField(
        label="Name", required=False, max_length=128, help_text="That of the file, without its ending, if left empty."
    )
    start = forms.DateTimeField(
        label="Began at",
        required=False,
        help_text="In UTC, where the file does not say.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"),
    )
    car = forms.CharField(label="Car", required=False, max_length=200)
    environment = forms.CharField(label="Environment", required=False, max_length=200)
    before_seconds = SecondsField("Seconds before a label", help_text="How much earlier the event begins.")
    after_seconds = SecondsField("Seconds after a label", help_text="How much later it ends.")
    window_seconds = SecondsField(
        "Length of windows", help_text="Seconds. Left empty, each label becomes one event; else each window does."
    )
    step_seconds = SecondsField("From window to window", help_text="Seconds; the length of a window if left empty.")

    def clean_name(self) -> str:
        """The name, if one is given."""
        name: str = self.cleaned_data["name"]
        return check_name(name) if name else ""

    def clean(self) -> dict[str, Any]:
        """What was filled in, with the name that the recording gets and its settings."""
        file: UploadedFile[bytes] | None = self.cleaned_data.get("file")
        if file and not self.errors and not self.cleaned_data["name"]:
            self._name_after(file)
        self._settle()
        return self.cleaned_data

    def _name_after(self, file: "UploadedFile[bytes]") -> None:
        try:
            self.cleaned_data["name"] = check_name(Path(file.name or "").stem)
        except forms.ValidationError:
            self.add_error("name", f"The file's own name is no name for a recording. {WRONG_NAME}")

    def _settle(self) -> None:
        known = RecordingSettings.model_fields
        given = {name: value for name, value in self.cleaned_data.items() if name in known and value not in ("", None)}
        if "start" in given:
            given["start"] = given["start"].astimezone(UTC)
        try:
            self.cleaned_data["settings"] = RecordingSettings.model_validate(given)
        except ValidationError as error:
            for each in error.errors():
                self.add_error(str(each["loc"][0]), each["msg"])
