"""What people fill in about themselves."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm

from atlas.access import Right

EXPIRIES = {"30": "30 days", "90": "90 days", "365": "A year", "": "Never"}
"""After how many days a token may expire."""
_SCOPES = {
    Right.READ: "see and download everything",
    Right.WRITE: "send models, run benchmarks again, cancel them, promote models, ask for predictions",
    Right.DELETE: "delete models and benchmarks",
    Right.ADMINISTER: "pause the queue, clean up, change rules, tables and people",
}
"""What each right is good for, in the words of those who choose it."""


def scope_text(right: Right) -> str:
    """A right and what it is good for."""
    return f"{right.value.capitalize()}: {_SCOPES[right]}"


class PasswordForm(PasswordChangeForm):
    """A new password in place of the old one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = "Current password"
        self.fields["old_password"].widget.attrs.pop("autofocus", None)  # it stands in the middle of a page
        self.fields["new_password1"].help_text = "At least 8 characters; no common word, and nothing like your name."
        self.fields["new_password2"].label = "New password, once more"
        self.fields["new_password2"].help_text = ""


class TokenForm(forms.Form):
    """A new API token: its name, what it is good for, and for how long."""

    name = forms.CharField(
        label="Name",
        max_length=100,
        help_text="What it is for, such as nightly training.",
        error_messages={"required": "Give the token a name, so that you know later what it is for."},
    )
    scopes = forms.MultipleChoiceField(
        label="It may",
        widget=forms.CheckboxSelectMultiple,
        initial=[Right.READ.value],
        error_messages={"required": "Choose at least one."},
    )
    days = forms.ChoiceField(label="It expires after", choices=list(EXPIRIES.items()), initial="90", required=False)

    def __init__(self, *args: Any, rights: frozenset[Right], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(right.value, scope_text(right)) for right in Right if right in rights]
        self.fields["scopes"].choices = choices  # type: ignore[attr-defined]

    def expires(self, now: datetime) -> datetime | None:
        """From when on the token is no good; never if None."""
        days = self.cleaned_data["days"]
        return now + timedelta(days=int(days)) if days else None

    def chosen(self) -> list[Right]:
        """What the token is good for."""
        return [Right(scope) for scope in self.cleaned_data["scopes"]]
