"""The form by which people sign in, on the dashboard and on the ingestion engine's pages."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm

LONGEST_PASSWORD = 4096
"""The most characters of a password that are looked at: whoever has no account makes nobody hash megabytes."""


class SignInForm(AuthenticationForm):
    """Name and password, neither longer than anybody's is."""

    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
