"""The details of a report: what the model is, metrics, where it is wrong, what it goes by, data, costs, provenance."""

from collections.abc import Iterator, Sequence
from typing import Any

from atlas.ranking import unlike
from atlas.results import ClassMetrics, Estimate, Explanation, Provenance
from atlas_web import explanations, words
from atlas_web.reports import charts, data
from atlas_web.reports.document import Block, Facts, Picture, Section, Table, Text
from atlas_web.reports.findings import interval, number, score
from storage.queries import Measured, ModelReport
from ui import formats

MOST_CHARTS = 6
MOST_CLASSES = 30
MOST_INPUTS = 40


def sections(found: ModelReport) -> list[Section]:
    """All details of which there is something to tell."""
    parts = (
        ("What it is", _identity(found)),
        ("Metrics over dataset versions", _metrics(found)),
        ("Where it is right and wrong", _errors(found)),
        ("What it goes by", _explanation(found)),
        ("How the data changed", data.changes(found)),
        ("What it costs", _costs(found)),
        ("Provenance", _provenance(found)),
    )
    made = [Section(title=title, blocks=list(blocks)) for title, blocks in parts]
    return [section for section in made if section.blocks]


def _known(rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(term, value) for term, value in rows if value]


# What it is ---------------------------------------------------------------------------------------------------------


def _identity(found: ModelReport) -> Iterator[Block]:
    manifest, model = found.manifest, found.model
    window = manifest.data_window
    yield Facts(
        _known(
            [
                ("Name", model.name),
                ("Version", model.version),
                ("Use case", model.use_case),
                ("Author", f"{manifest.author.name} <{manifest.author.email}>"),
                ("Made", formats.when(model.created)),
                ("Task", manifest.task.value),
                ("Predicts", manifest.target),
                ("Classes", _some([str(each) for each in manifest.classes], MOST_CLASSES)),
                ("From", _some([column.name for column in manifest.input_schema], MOST_INPUTS)),
                ("Judged by", words.metric_title(manifest.primary_metric)),
                ("Dataset tags", ", ".join(manifest.tags)),
                ("Recorded", f"{window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}" if window else ""),
                ("Framework", f"{manifest.framework.name} {manifest.framework.version}"),
                ("File", formats.size(model.size_bytes)),
            ]
        )
    )


def _some(names: Sequence[str], most: int) -> str:
    rest = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{rest}"


# Metrics ------------------------------------------------------------------------------------------------------------


def _metrics(found: ModelReport) -> Iterator[Block]:
    if found.newest is None:
        return
    if found.versions > len(found.measured):
        yield Text(
            f"The model is measured on {found.versions:,} versions of {found.tag}; this report shows the newest "
            f"{len(found.measured):,} of them."
        )
    yield _all_metrics(found, found.newest)
    yield _primary_over_versions(found)
    others = [name for name in found.newest.metrics if name != found.model.primary_metric][:MOST_CHARTS]
    if others and len(found.measured) > 1:
        lines = [line(found, name) for name in others]
        label = f"Line charts over dataset versions: {', '.join(each.title for each in lines)}"
        svg = charts.histories(version_names(found), lines)
        yield Picture(title="Other metrics over dataset versions", svg=svg, label=label)


def version_names(found: ModelReport) -> list[str]:
    """The names of the versions in the report, the oldest first."""
    return [f"v{each.number}" for each in found.measured]


def line(found: ModelReport, name: str) -> charts.Line:
    """A metric over the versions of the report."""
    scores = [score(each.metrics.get(name)) for each in found.measured]
    return charts.Line(
        title=words.metric_title(name),
        values=[each.value for each in scores],
        low=[each.low for each in scores],
        high=[each.high for each in scores],
    )


def _primary_over_versions(found: ModelReport) -> Table:
    rows, before = [], None
    for each in found.measured:
        version, metric = each.benchmark.dataset_version, each.primary
        rows.append(
            (
                f"v{version.number}",
                f"{version.created:%d %b %Y}",
                f"{version.evaluation_rows:,}",
                number(metric.value if metric else None),
                interval(metric.low, metric.high) if metric else formats.NOTHING,
                *_since(metric, before),
            )
        )
        before = metric
    return Table(
        title=f"{words.metric_title(found.model.primary_metric)} on each version",
        head=("Version", "Taken", "Test events", "Value", "95 % interval", "Change", "Beyond noise"),
        rows=rows,
        names=2,
        note="Change: from the version above. It is beyond noise where both intervals have no value in common.",
    )


def _since(metric: Any, before: Any) -> tuple[str, str]:
    """By how much a metric changed, and whether by more than noise."""
    if metric is None or before is None or metric.value is None or before.value is None:
        return formats.NOTHING, formats.NOTHING
    change = number(metric.value - before.value, sign=True)
    if None in (metric.low, metric.high, before.low, before.high):
        return change, "unknown"
    return change, "yes" if unlike(metric.low, metric.high, before.low, before.high) else "no"


def _all_metrics(found: ModelReport, newest: Measured) -> Table:
    """Each metric on the newest version, with its interval, and on the versions before."""
    before = found.measured[-2] if len(found.measured) > 1 else None
    rows = []
    for name, metric in newest.metrics.items():
        earlier = before.metrics.get(name) if before else None
        aim = "more" if metric.greater_is_better else "less"
        title = words.metric_title(name)
        rows.append((title, aim, number(metric.value), interval(metric.low, metric.high), *_since(metric, earlier)))
    reasons = [f"{words.metric_title(name)}: {each.reason}" for name, each in newest.metrics.items() if each.reason]
    return Table(
        title=f"All metrics on v{newest.number}",
        head=("Metric", "Better is", "Value", "95 % interval", "Change", "Beyond noise"),
        rows=rows,
        names=2,
        note=" ".join([f"Change: from v{before.number}."] if before else []) + " ".join(reasons),
    )


# Right and wrong ----------------------------------------------------------------------------------------------------


def _errors(found: ModelReport) -> Iterator[Block]:
    if found.newest is None:
        return
    matrices = [_matrix(each) for each in dict.fromkeys((found.newest, found.measured[0]))]
    drawn = [matrix for matrix in matrices if matrix]
    if drawn:
        label = f"Confusion matrices: {', '.join(matrix.title for matrix in drawn)}"
        note = "A row is a true class; a field is the darker, the larger its share of the row."
        yield Picture(title="Confusion matrix", svg=charts.confusion(drawn), label=label, note=note)
    if found.newest.classes:
        yield _classes(found.newest)
    if found.newest.residuals and found.newest.residuals[0]:
        truth, predicted = found.newest.residuals
        target = found.manifest.target
        label = f"Scatter chart of {len(truth)} events: predicted over true {target}"
        note = f"A point is one of {len(truth):,} events of v{found.newest.number}; on the line both are the same."
        svg = charts.residuals(truth, predicted, target)
        yield Picture(title="Predicted and true values", svg=svg, label=label, note=note)


def _matrix(measured: Measured) -> charts.Matrix | None:
    if measured.confusion_matrix is None:
        return None
    classes, counts = measured.confusion_matrix
    return charts.Matrix(title=f"v{measured.number}", classes=classes, counts=counts)


def _classes(newest: Measured) -> Table:
    left_out = len(newest.classes) - MOST_CLASSES
    return Table(
        title=f"Each class on v{newest.number}",
        head=("Class", "Events", "Precision", "Recall", "F1"),
        rows=[_class(each) for each in newest.classes[:MOST_CLASSES]],
        note=f"{left_out:,} more classes are left out." if left_out > 0 else "With 95 % intervals.",
    )


def _class(each: ClassMetrics) -> tuple[str, ...]:
    return str(each.label), f"{each.rows:,}", *map(_estimate, (each.precision, each.recall, each.f1))


def _estimate(found: Estimate) -> str:
    sure = f" ({interval(found.low, found.high)})" if found.low is not None else ""
    return f"{number(found.value)}{sure}"


# Explanation --------------------------------------------------------------------------------------------------------


def _explanation(found: ModelReport) -> Iterator[Block]:
    newest = found.newest
    if newest is None or newest.explanation is None:
        return
    said = newest.explanation
    if not said.available:
        yield Text(f"No explanation is possible: {said.impossible}")
        return
    yield Text(" ".join(explanations.verdict(said)))
    svg, label, note = charts.importance(said)
    of = "dataset's columns" if said.column_importances else "features"
    yield Picture(title=f"Importance of the {of} on v{newest.number}", svg=svg, label=label, note=note)
    known = [each.explanation if each.explanation and each.explanation.available else None for each in found.measured]
    if len([each for each in known if each]) > 1:
        yield _importances(found, known)
    of_one_output = {"Values add up to"} if len(said.outputs) > 1 else set()
    yield Facts([(term, str(value)) for term, value in explanations.facts(said, 0) if term not in of_one_output])


def _importances(found: ModelReport, known: Sequence[Explanation | None]) -> Picture:
    svg, label = charts.importance_history(version_names(found), known)
    return Picture(title="Importance over dataset versions", svg=svg, label=label)


# Costs and provenance -----------------------------------------------------------------------------------------------


def _costs(found: ModelReport) -> Iterator[Block]:
    if not found.measured:
        return
    yield Table(
        head=(
            "Version",
            "Events",
            "Whole run",
            "Prediction",
            "One event, median",
            "One event, 95 %",
            "Most memory",
        ),
        rows=[_cost(each) for each in found.measured],
        note="Measured on the machine that ran the benchmark; one event: predicted alone, as in production.",
    )


def _cost(measured: Measured) -> tuple[str, ...]:
    run = measured.benchmark
    return (
        f"v{measured.number}",
        formats.NOTHING if run.predictions is None else f"{run.predictions:,}",
        formats.duration(run.wall_seconds),
        formats.duration(run.predict_seconds),
        formats.duration(run.latency_p50_seconds),
        formats.duration(run.latency_p95_seconds),
        formats.size(run.peak_memory_bytes),
    )


def _provenance(found: ModelReport) -> Iterator[Block]:
    training, newest = found.manifest.training, found.newest
    trained = [
        ("Trained on", f"{training.query_id}, {words.plural(training.rows, 'event')}" if training else "not recorded"),
        ("Trained", formats.when(training.date) if training else ""),
        ("Training took", formats.duration(training.duration_seconds) if training else ""),
        ("Training data", training.digest if training else ""),
        ("Model file", found.model.digest),
        ("Object", found.model.key),
    ]
    yield Facts(_known(trained), exact=("Training data", "Model file", "Object"))
    if newest is None:
        return
    run = newest.benchmark
    said = Provenance.model_validate(run.provenance) if run.provenance else None
    measured = [
        ("Measured on", run.dataset_version.query_id),
        ("Measured", formats.when(run.finished)),
        ("Test data", run.dataset_digest),
        ("Metrics", run.metrics_digest),
        *(_machine(said) if said else ()),
        ("Warnings", " ".join(map(str, run.warnings))),
    ]
    yield Facts(_known(measured), exact=("Test data", "Metrics"))


def _machine(said: Provenance) -> Iterator[tuple[str, str]]:
    yield "Machine", said.machine
    yield "Software", f"Atlas {said.atlas}, Python {said.python}"
    yield "Libraries", ", ".join(f"{name} {version}" for name, version in sorted(said.libraries.items()))
    yield "Sandbox", ", ".join(said.sandbox)
