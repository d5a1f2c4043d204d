"""What administrators fill in for channels. Pages and API check with the same form."""

import re
from typing import Any
from urllib.parse import urlsplit

import apprise
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email

from atlas.watching import ChannelKind
from atlas_web.alert_forms import LONGEST_NAME, REFILLS
from atlas_web.alert_words import CHANNELS
from storage.records import ChannelFields

MOST_ADDRESSES = 50
LONGEST_ADDRESS = 4000
_BETWEEN = re.compile(r"[\s,]+")
_is_url = URLValidator(schemes=("http", "https"))


class ChannelForm(forms.Form):
    """A channel. The kind says what an address is."""

    name = forms.CharField(
        label="Name",
        max_length=LONGEST_NAME,
        help_text="What rules call it, such as the team's mailbox.",
        error_messages={"required": "Give the channel a name: rules choose it by that."},
    )
    kind = forms.ChoiceField(
        label="Kind",
        choices=[(kind.value, CHANNELS[kind].text) for kind in ChannelKind],
        widget=forms.Select(attrs=REFILLS),
    )
    address = forms.CharField(
        max_length=LONGEST_ADDRESS, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, *args: Any, known: ChannelKind | None = None, **kwargs: Any) -> None:
        """`known` is the kind of a channel that there is, which stays, as its address does if none is given."""
        super().__init__(*args, **kwargs)
        self.known = known
        address = self.fields["address"]
        address.label, address.help_text, missing = _ADDRESSES[self.chosen_kind]
        address.error_messages["required"] = missing
        if known is not None:
            del self.fields["kind"]
            address.required = False
            address.help_text += " Leave it empty to keep the one that there is."

    @property
    def chosen_kind(self) -> ChannelKind:
        """The kind that is chosen; the first one if that is none."""
        if self.known is not None:
            return self.known
        chosen = str(self["kind"].value() or "")
        return ChannelKind(chosen) if chosen in list(ChannelKind) else ChannelKind.EMAIL

    def clean_address(self) -> str:
        """The address as it is kept."""
        given = self.cleaned_data["address"].strip()
        return _CHECKS[self.chosen_kind](given) if given else ""

    def fields_of_channel(self, *, enabled: bool) -> ChannelFields:
        """What the channel is to be, once the form is valid."""
        said = self.cleaned_data
        return ChannelFields(name=said["name"], kind=self.chosen_kind, address=said["address"], enabled=enabled)


_ADDRESSES = {
    ChannelKind.EMAIL: (
        "Addresses",
        "E-mail addresses with commas or blanks between them.",
        "Write at least one e-mail address.",
    ),
    ChannelKind.WEBHOOK: (
        "URL",
        "Where messages are posted to. They are signed with a secret, shown once when the channel is made.",
        "Write the URL that messages are posted to.",
    ),
    ChannelKind.CHAT: (
        "URL of the service",
        "As apprise writes it, such as discord://id/token. It holds a password, so it is never shown again.",
        "Write the URL of the chat service.",
    ),
}


def _mailboxes(given: str) -> str:
    """E-mail addresses, checked one by one."""
    found = [each for each in _BETWEEN.split(given) if each]
    if not found or len(found) > MOST_ADDRESSES:
        raise ValidationError(f"Write between one and {MOST_ADDRESSES} addresses with commas or blanks between them.")
    for each in found:
        try:
            validate_email(each)
        except ValidationError as error:
            raise ValidationError(f"{each} is no e-mail address.") from error
    return ", ".join(found)


def _receiver(given: str) -> str:
    """The URL of a webhook."""
    try:
        _is_url(given)
    except ValidationError as error:
        raise ValidationError("Write a whole URL, such as https://example.org/atlas.") from error
    if urlsplit(given).username:
        raise ValidationError("Leave the user and the password out: messages are signed instead.")
    return given


def _service(given: str) -> str:
    """The URL of a chat service, if apprise knows it."""
    if apprise.Apprise.instantiate(given) is None:
        raise ValidationError("Apprise knows no such service, or a part is missing. Look at its list of URLs.")
    return given


_CHECKS = {ChannelKind.EMAIL: _mailboxes, ChannelKind.WEBHOOK: _receiver, ChannelKind.CHAT: _service}
