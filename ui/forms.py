"""A form's field as pages show it: label, control, help, and what is wrong with it, in one place."""

from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, Select
from django.template.loader import get_template
from django.utils.safestring import SafeString


def field(bound: BoundField) -> SafeString:
    """A field with its label, its help and its errors, which the control refers to for those who cannot see them."""
    several = isinstance(bound.field.widget, CheckboxSelectMultiple)
    context = {"field": bound, "control": "" if several else _control(bound), "several": several}
    return SafeString(get_template("components/field.html").render(context).strip())


def _control(bound: BoundField) -> SafeString:
    attributes: dict[str, str | bool] = {"class": _css(bound)}
    described = [f"{bound.id_for_label}-help"] if bound.help_text else []
    if bound.errors:
        described.append(f"{bound.id_for_label}-error")
        attributes |= {"class": f"{_css(bound)} is-invalid", "aria-invalid": "true"}
    if described:
        attributes["aria-describedby"] = " ".join(described)
    return bound.as_widget(attrs=attributes)


def _css(bound: BoundField) -> str:
    if isinstance(bound.field.widget, Select):
        return "form-select"
    return "form-check-input" if isinstance(bound.field.widget, CheckboxInput) else "form-control"
