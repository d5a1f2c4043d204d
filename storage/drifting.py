"""Which dataset versions the benchmark engine has still to compare with those before them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery

from storage.catalog import KnownVersion
from storage.models import DatasetVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasured:
    """A version whose drift is not known, and what it is compared with: earlier versions of its tag that have rows.

    Attributes:
        version: the version.
        previous: the nearest one before; None of the first that has rows.
        first: the first one, which may be `previous`.
    """

    version: KnownVersion
    previous: KnownVersion | None
    first: KnownVersion | None


def next_unmeasured(now: datetime) -> Unmeasured | None:
    """The version to measure next; None if there is none.

    Tags that had a new version last come first, and the versions of a tag from the oldest on; after all others those
    that were tried in vain, as soon as their time has come.
    """
    latest = DatasetVersion.objects.filter(tag=OuterRef("tag")).order_by().values("tag").annotate(at=Max("created"))
    wanted = DatasetVersion.objects.filter(Q(drift=None) | Q(drift__again__lte=now))
    ordered = wanted.annotate(latest=Subquery(latest.values("at"))).order_by(
        F("drift__again").asc(nulls_first=True), "-latest", "tag", "number"
    )
    row = ordered.first()
    return None if row is None else _unmeasured(row)


def _unmeasured(row: DatasetVersion) -> Unmeasured:
    earlier = DatasetVersion.objects.filter(tag=row.tag_id, number__lt=row.number, evaluation_rows__gt=0)
    return Unmeasured(
        version=KnownVersion.of(row),
        previous=_known(earlier.order_by("-number")),
        first=_known(earlier.order_by("number")),
    )


def _known(versions: QuerySet[DatasetVersion]) -> KnownVersion | None:
    row = versions.first()
    return None if row is None else KnownVersion.of(row)
