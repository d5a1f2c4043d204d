"""What may be removed when it is old, and for how many days the settings have it kept.

Nothing is removed unless a setting says so, but for sessions that have expired. What a number on a page rests on stays.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from atlas.settings import Settings
from atlas.states import State
from atlas.watching import DeliveryState, InferenceKind
from storage.models import Action, Benchmark, Delivery, Inference, LogEntry
from storage.objects import ObjectStore

COMPONENT = "retention"
"""Under this name the log page has what was removed."""


class RetentionSettings(Settings):
    """For how many days what is kept; 0 is for ever."""

    model_config = SettingsConfigDict(env_prefix="ATLAS_KEEP_")

    predictions_days: int = Field(
        0, ge=0, description="Predictions of benchmarks whose model has been benchmarked on a newer version since"
    )
    inferences_days: int = Field(0, ge=0, description="Predictions that people asked for")
    log_days: int = Field(0, ge=0, description="Lines of the log page")
    messages_days: int = Field(0, ge=0, description="Messages of alerts that were delivered")
    audit_days: int = Field(0, ge=0, description="Lines of the audit log; `atlas retention` alone removes them")
    version_files_days: int = Field(
        0, ge=0, description="Files of dataset versions, which are made again when somebody asks for them"
    )
    versions: int = Field(3, ge=1, description="The newest so many versions of each tag keep their files")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Rows of one kind that may be removed when they are old.

    Attributes:
        what: they are called, in the plural.
        days: that they are kept; 0 is for ever.
        rows: all of the kind.
        moment: the field that tells how old one is.
        old: those among the rows that may go, given the time until which they are old.
        remove: what they hold that is old.
        keys: the fields with the keys of their objects in Atlas' store.
        folder: in which these lie.
    """

    what: str
    days: int
    rows: QuerySet[Any]
    moment: str
    old: Callable[[datetime], QuerySet[Any]]
    remove: Callable[[QuerySet[Any]], object]
    keys: tuple[str, ...] = ()
    folder: str = ""

    def removable(self, now: datetime) -> QuerySet[Any]:
        """The rows that the policy removes."""
        return self.old(now - timedelta(days=self.days)) if self.days else self.rows.none()


@dataclass(frozen=True, slots=True, kw_only=True)
class Removable:
    """What a policy removes.

    Attributes:
        what: it is called, in the plural.
        days: that it is kept.
        count: how much it is.
        size_bytes: of its objects; None where it has none.
        oldest_kept: how old the oldest is that stays; None if nothing does.
    """

    what: str
    days: int
    count: int
    size_bytes: int | None
    oldest_kept: datetime | None


def of_the_engine(settings: RetentionSettings) -> list[Policy]:
    """What the benchmark engine removes by itself."""
    log = _lines("lines of the log", LogEntry.objects.all(), settings.log_days)
    return [_predictions(settings), _inferences(settings), log, _messages(settings)]


def of_people(settings: RetentionSettings) -> list[Policy]:
    """What is removed by `atlas retention`, run by an administrator: no component may delete lines of the audit log."""
    return [_lines("lines of the audit log", Action.objects.all(), settings.audit_days)]


def remove_expired_sessions(now: datetime) -> int:
    """Remove sessions of people who are signed in no more; how many there were."""
    return Session.objects.filter(expire_date__lt=now).delete()[0]


def look(policies: Iterable[Policy], objects: ObjectStore, now: datetime) -> list[Removable]:
    """What policies remove, without removing it.

    Raises:
        ObjectStoreError: the store does not answer.
    """
    return [_look(policy, objects, now) for policy in policies]


def _look(policy: Policy, objects: ObjectStore, now: datetime) -> Removable:
    removable = policy.removable(now)
    kept = policy.rows.exclude(pk__in=removable.values("pk"))
    return Removable(
        what=policy.what,
        days=policy.days,
        count=removable.count(),
        size_bytes=_size(removable, policy, objects) if policy.keys else None,
        oldest_kept=kept.aggregate(oldest=Min(policy.moment))["oldest"],
    )


def _size(removable: QuerySet[Any], policy: Policy, objects: ObjectStore) -> int:
    keys = {key for row in removable.values_list(*policy.keys).iterator() for key in row if key}
    return sum(found.size_bytes for found in objects.list(policy.folder) if found.key in keys) if keys else 0


def _predictions(settings: RetentionSettings) -> Policy:
    """Metrics, intervals and explanations stay; the newest predictions of a model on a tag do as well."""
    kept = Benchmark.objects.filter(state=State.DONE, finished__isnull=False).exclude(predictions_key="")
    newer = kept.filter(
        model=OuterRef("model"),
        dataset_version__tag=OuterRef("dataset_version__tag"),
        dataset_version__number__gt=OuterRef("dataset_version__number"),
    )
    return Policy(
        what="predictions of benchmarks",
        days=settings.predictions_days,
        rows=kept,
        moment="finished",
        old=lambda until: kept.filter(Exists(newer), finished__lt=until),
        remove=lambda rows: rows.update(predictions_key=""),
        keys=("predictions_key",),
        folder="predictions/",
    )


def _inferences(settings: RetentionSettings) -> Policy:
    ended = Inference.objects.filter(kind=InferenceKind.ON_DEMAND).exclude(state__in=(State.QUEUED, State.RUNNING))
    return Policy(
        what="predictions on demand",
        days=settings.inferences_days,
        rows=ended,
        moment="asked",
        old=lambda until: ended.filter(asked__lt=until, finished__lt=until),
        remove=QuerySet.delete,
        keys=("rows_key", "predictions_key", "values_key", "events_key"),
        folder="inferences/",
    )


def _lines(what: str, lines: QuerySet[Any], days: int) -> Policy:
    """All lines of a log that are old go."""
    return Policy(
        what=what,
        days=days,
        rows=lines,
        moment="time",
        old=lambda until: lines.filter(time__lt=until),
        remove=QuerySet.delete,
    )


def _messages(settings: RetentionSettings) -> Policy:
    """Alerts themselves stay; of one that is open, so do its messages, since who was told of it is told of its end."""
    sent = Delivery.objects.filter(state=DeliveryState.SENT)
    ended = sent.filter(Q(alert=None) | Q(alert__recovered__isnull=False))
    return Policy(
        what="messages of alerts",
        days=settings.messages_days,
        rows=sent,
        moment="sent",
        old=lambda until: ended.filter(sent__lt=until),
        remove=QuerySet.delete,
    )
