"""The drift in short, for the pages of a dataset and of a benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.safestring import SafeString

from atlas.drift import ColumnDrift
from atlas_web import drifted
from atlas_web.drift_table import Key, Part
from atlas_web.drifted import Verdict
from storage import queries
from storage.queries import DriftScore, Since
from ui import components


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftCard:
    """What is said of the drift at one version.

    Attributes:
        verdict: in words.
        trend: the largest distance of a column over the versions up to this one.
        href: the page that tells more.
    """

    verdict: Verdict
    trend: SafeString
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnCard:
    """How far one column has moved since the version before, and the address of its distributions."""

    drift: ColumnDrift
    href: str


def of_version(tag: str, number: int) -> tuple[DriftCard | None, dict[str, ColumnCard]]:
    """How far a version has moved since the one before, and each of its columns by name; None if it is unknown here."""
    point = queries.version_drift(tag, number, Since.PREVIOUS)
    if point is None:
        return None, {}
    href = f"{reverse('dataset-drift', args=[tag])}?{urlencode({'version': number})}"
    columns = {
        column.name: ColumnCard(drift=column, href=f"{href}&{_column(column.name)}")
        for column in (point.drift.columns if point.drift else ())
    }
    trend = _trend(queries.drift_scores(tag, number), f"Drift of {tag}")
    return DriftCard(verdict=drifted.verdict(point), trend=trend, href=href), columns


def _column(name: str) -> str:
    return urlencode({"column": str(Key(Part.COLUMN, name))})


def of_benchmark(benchmark: int, model: int, tag: str, number: int) -> DriftCard | None:
    """How far the data of a benchmark lie from what its model was trained on; None if there is no such benchmark."""
    point = queries.benchmark_drift(benchmark)
    if point is None:
        return None
    href = f"{reverse('model-drift', args=[model])}?{urlencode({'tag': tag, 'version': number})}"
    trend = _trend(queries.drift_scores_of_model(model, tag, number), f"Drift on {tag}")
    return DriftCard(verdict=drifted.verdict(point), trend=trend, href=href)


def _trend(scores: Sequence[DriftScore], what: str) -> SafeString:
    """A line of the farthest column's distance, if there are versions to draw one of."""
    if len(scores) < 2:
        return SafeString("")
    return components.spark([each.farthest for each in scores], f"{what}, the last {len(scores)} versions")
