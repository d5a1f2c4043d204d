"""Alerts with their messages, the rules that open them, and the channels that they are sent by."""

from uuid import UUID

from django.db.models import Count, F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from atlas.states import ModelState
from atlas.watching import AlertState
from storage.models import Alert, AlertRule, Channel, DatasetTag, Delivery, Model
from storage.queries._lists import LONG_FIELDS

_HEAVY = ("model__manifest", "benchmark__dataset_version__description", *(f"benchmark__{name}" for name in LONG_FIELDS))
_STATES = {
    AlertState.OPEN: Q(recovered=None, acknowledged=None),
    AlertState.ACKNOWLEDGED: Q(recovered=None, acknowledged__isnull=False),
    AlertState.RECOVERED: Q(recovered__isnull=False),
}


def alerts() -> QuerySet[Alert]:
    """All alerts with what they are about, the latest first."""
    about = ("rule", "model", "benchmark__dataset_version__tag")
    return Alert.objects.select_related(*about).defer(*_HEAVY)


def plain_alerts() -> QuerySet[Alert]:
    """The same, without what they are about: to be counted, narrowed, sorted, and cut into pages."""
    return Alert.objects.all()


def in_state(state: AlertState) -> Q:
    """Which alerts stand so."""
    return _STATES[state]


def alerts_now() -> QuerySet[Alert]:
    """The alerts that have not recovered: those first that nobody has acknowledged, of these the latest."""
    order = (F("acknowledged").desc(nulls_first=True), "-opened", "-pk")
    return alerts().filter(recovered=None).order_by(*order)


def number_of_open_alerts() -> int:
    """How many alerts nobody has acknowledged."""
    return Alert.objects.filter(in_state(AlertState.OPEN)).count()


def is_watched() -> bool:
    """Whether there is a rule that could open an alert."""
    return AlertRule.objects.filter(enabled=True).exists()


def alert(pk: int) -> Alert | None:
    """An alert with what it is about."""
    return alerts().filter(pk=pk).first()


def deliveries_of(alert: int) -> list[Delivery]:
    """The messages about an alert, in the order in which they were to be sent."""
    return list(Delivery.objects.filter(alert=alert).select_related("channel"))


def delivery(pk: UUID) -> Delivery | None:
    """A message, with its channel and the alert that it is about."""
    return Delivery.objects.select_related("channel", "alert").filter(pk=pk).first()


def alert_rules() -> QuerySet[AlertRule]:
    """All rules by name, with what they are about and their channels. Annotation: `open`, its alerts that have not
    recovered."""
    now = Alert.objects.filter(rule=OuterRef("pk"), recovered=None).order_by()
    return (
        AlertRule.objects.select_related("model", "tag")
        .defer("model__manifest")
        .prefetch_related(Prefetch("channels", Channel.objects.defer("address", "secret")))
        .annotate(open=Coalesce(Subquery(now.values("rule").values(number=Count("pk"))), 0))
    )


def alert_rule(pk: int) -> AlertRule | None:
    """A rule, as `alert_rules` has it."""
    return alert_rules().filter(pk=pk).first()


def names_of_alert_rules() -> list[str]:
    """The names of all rules."""
    return list(AlertRule.objects.values_list("name", flat=True))


def channels() -> QuerySet[Channel]:
    """All channels by name, without their secrets. Annotations: of the message that was written last `last_state`,
    `last_sent` and `last_problem`; `number_of_rules` says how many rules send by it."""
    last = Delivery.objects.filter(channel=OuterRef("pk")).order_by("-not_before", "-pk")
    rules = Channel.rules.through.objects.filter(channel=OuterRef("pk")).order_by()
    return Channel.objects.defer("secret").annotate(
        last_state=Subquery(last.values("state")[:1]),
        last_sent=Subquery(last.values("sent")[:1]),
        last_problem=Subquery(last.values("problem")[:1]),
        number_of_rules=Coalesce(Subquery(rules.values("channel").values(number=Count("pk"))), 0),
    )


def channel(pk: int) -> Channel | None:
    """A channel, as `channels` has it."""
    return channels().filter(pk=pk).first()


def names_of_channels() -> list[tuple[int, str]]:
    """The keys and names of all channels."""
    return list(Channel.objects.values_list("pk", "name"))


def keys_of_tags() -> dict[str, int]:
    """The keys of all dataset tags, by their names."""
    return dict(DatasetTag.objects.values_list("name", "pk"))


_OFFERED = 100


def newest_names() -> list[str]:
    """The names of the models that arrived last, to choose from."""
    ready = Model.objects.filter(state=ModelState.READY).order_by("-arrived", "-pk")
    return list(ready.values_list("name", flat=True)[:_OFFERED])
