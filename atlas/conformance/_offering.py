"""Rules of what an engine may offer beyond what others need of it."""

from io import BytesIO

import httpx
import pyarrow as pa
import pyarrow.parquet as pq

from atlas.conformance._rules import BrokenError, SkippedError, expect, rule
from atlas.conformance._trial import FIRST, LABELS, Trial, arrow, listed, sha256
from atlas.datasets import DatasetVersion, Split, content_digest
from atlas.ingestion import EventChange, EventDescription, Examples, VersionDifference


@rule(60, "Each split is a Parquet file too, of the same content and as it is described", required=False)
def _(trial: Trial) -> None:
    dataset = trial.first_version
    if not dataset.parquet:
        raise SkippedError("the engine describes no Parquet files")
    tables = []
    for split in Split:
        response = trial.data(dataset.query_id, split, format="parquet")
        trial.succeeded(response)
        described = dataset.parquet[split]
        found = (len(response.content), sha256(response.content))
        expect((described.size_bytes, described.sha256), found, f"size and sha256 of {split}")
        tables.append(_parquet(response.content))
    expect(dataset.digest, content_digest(pa.concat_tables(tables).sort_by("id")), "digest")


@rule(61, "`columns=` gives just these columns of each split, in the file's order", required=False)
def _(trial: Trial) -> None:
    dataset = trial.first_version
    response = trial.data(dataset.query_id, Split.TRAINING, columns="speed,id")
    trial.succeeded(response)
    table = arrow(response.content)
    whole = trial.tables[Split.TRAINING]
    if table.schema.names == whole.schema.names:
        raise SkippedError("the engine gives all columns")
    expected = whole.select([name for name in whole.schema.names if name in ("id", "speed")])
    expect(expected.schema.names, table.schema.names, "columns")
    if not expected.equals(table):
        raise BrokenError("the values of the whole file", "others")


@rule(62, "Examples of each label can be looked at", required=False)
def _(trial: Trial) -> None:
    response = trial.ask("GET", f"datasets/{trial.first_version.query_id}/examples")
    examples = trial.told(Examples, trial.offered(response, "examples")).events
    expect(set(LABELS), {str(event.label) for event in examples}, "labels")
    known = {f"{trial.name('first')}/e{row}" for row in FIRST}
    if strangers := [event.id for event in examples if event.id not in known]:
        raise BrokenError("events of the version", strangers)


@rule(63, "The events of a recording can be listed as they are now", required=False)
def _(trial: Trial) -> None:
    events = _events(trial)
    expect({f"{trial.name('first')}/e{row}" for row in FIRST}, {event.id for event in events}, "ids")
    labels = {event.id.rpartition("/e")[2]: event.label for event in events}
    expect({str(row): LABELS[row % 3] for row in FIRST}, labels, "labels")


@rule(64, "The events of a version are listed as an Arrow IPC file with the column `id`", required=False)
def _(trial: Trial) -> None:
    response = trial.ask("GET", f"datasets/{trial.first_version.query_id}/events")
    trial.succeeded(trial.offered(response, "lists of a version's events"))
    expect(trial.rows["id"].to_pylist(), sorted(arrow(response.content)["id"].to_pylist()), "ids")


@rule(65, "A corrected label makes a new version, and leaves those before as they were", required=False)
def _(trial: Trial) -> None:
    before, files = trial.first_version, trial.first_files
    versions = _corrected(trial)
    rows = _both_splits(trial, versions[-1].query_id)
    label = next(each["label"] for each in rows.to_pylist() if each["id"] == f"{trial.name('first')}/e0")
    expect("scratch", label, "label of e0 in the new version")
    if files != trial.files(before):
        raise BrokenError("the same bytes of the first version as before", "others")


@rule(66, "What two versions of a tag have different is told", required=False)
def _(trial: Trial) -> None:
    first, last = (_corrected(trial)[number].number for number in (0, -1))
    params = {"older": first, "newer": last}
    response = trial.offered(trial.ask("GET", f"tags/{trial.name('tag')}/difference", params=params), "differences")
    found = trial.told(VersionDifference, response)
    added = len(_both_splits(trial, found.newer)) - len(FIRST)
    expect((added, 0, 1), (found.added, found.removed, found.changed), "added, removed and changed events")


@rule(67, "A change of an event that somebody else has changed since is refused with 409", required=False)
def _(trial: Trial) -> None:
    event = next(each for each in _events(trial) if each.id.endswith("/e1"))
    trial.succeeded(_relabel(trial, event, "scratch"))
    trial.refused(_relabel(trial, event, "none"), 409)


def _events(trial: Trial) -> list[EventDescription]:
    trial.needs_recording()
    response = trial.ask("GET", f"recordings/{trial.name('first')}/events", params={"limit": 1000})
    return listed(EventDescription, trial.offered(response, "lists of events"))


def _relabel(trial: Trial, event: EventDescription, label: str) -> httpx.Response:
    body = EventChange(since=event.since, label=label).model_dump(mode="json", exclude_unset=True)
    return trial.offered(trial.ask("PATCH", f"recordings/{event.id.replace('/', '/events/', 1)}", json=body), "changes")


def _corrected(trial: Trial) -> tuple[DatasetVersion, ...]:
    """The versions of the tag, the last with another label of the event e0."""
    event = next(each for each in _events(trial) if each.id.endswith("/e0"))
    known = trial.tag("tag").versions
    if event.label == "scratch":
        return known
    trial.succeeded(_relabel(trial, event, "scratch"))
    trial.version("tag", known[-1].number + 1)
    return trial.tag("tag").versions


def _both_splits(trial: Trial, query_id: str) -> pa.Table:
    return pa.concat_tables(arrow(content) for content in trial.files(trial.dataset(query_id)).values())


def _parquet(content: bytes) -> pa.Table:
    try:
        return pq.read_table(BytesIO(content))
    except pa.ArrowInvalid as error:
        raise BrokenError("a Parquet file", str(error).splitlines()[0]) from error
