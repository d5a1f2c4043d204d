"""Rules of what a version holds and how it is fetched."""

from collections import Counter

import pyarrow as pa

from atlas.conformance._receiving import WRONG
from atlas.conformance._rules import BrokenError, expect, rule
from atlas.conformance._trial import CARS, FIRST, LABELS, Trial, arrow, sha256
from atlas.datasets import Split, columns_of, content_digest, split_of
from atlas.ingestion import ARROW_MEDIA_TYPE

INDEX = ["id", "time", "label", "car", "environment"]


@rule(40, "A version is described as its tag lists it")
def _(trial: Trial) -> None:
    found, listed = trial.first_version, trial.version("tag", 1)
    expect(
        (listed.query_id, trial.name("tag"), listed.number, listed.digest, listed.rows, listed.created),
        (found.query_id, found.tag, found.number, found.digest, found.rows, found.created),
    )


@rule(41, "The target is one of the columns")
def _(trial: Trial) -> None:
    names = [column.name for column in trial.first_version.columns]
    if trial.first_version.target not in names:
        raise BrokenError(f"one of {names}", trial.first_version.target)


@rule(42, "Each split's file has the rows, the size and the sha256 that are described")
def _(trial: Trial) -> None:
    for split, content in trial.first_files.items():
        described = trial.first_version.splits[split]
        found = (trial.tables[split].num_rows, len(content), sha256(content))
        expect((described.rows, described.size_bytes, described.sha256), found, split)


@rule(43, "A file is an Arrow IPC file, and its ETag is its sha256")
def _(trial: Trial) -> None:
    response = trial.data(trial.first_version.query_id, Split.TRAINING)
    trial.succeeded(response)
    arrow(response.content)
    expect(ARROW_MEDIA_TYPE, response.headers.get("Content-Type"), "Content-Type")
    expect(f'"{sha256(response.content)}"', response.headers.get("ETag"), "ETag")


@rule(44, "The files have the columns that are described, the first of them id, time, label, car and environment")
def _(trial: Trial) -> None:
    described = trial.first_version.columns
    for table in trial.tables.values():
        expect(described, columns_of(table.schema))
    expect(INDEX, [column.name for column in described[: len(INDEX)]])


@rule(45, "The digest is that of the content of both splits together, ordered by id")
def _(trial: Trial) -> None:
    expect(trial.first_version.digest, content_digest(trial.rows), "digest")


@rule(46, "The rows are ordered by event id")
def _(trial: Trial) -> None:
    for split, table in trial.tables.items():
        ids = table["id"].to_pylist()
        if ids != sorted(ids):
            raise BrokenError("ascending ids", f"{ids[:3]} … in {split}")


@rule(47, "Each event is in the split that its id says")
def _(trial: Trial) -> None:
    for split, table in trial.tables.items():
        for event_id in table["id"].to_pylist():
            expect(split_of(event_id), split, f"{event_id} in")


@rule(48, "Both splits together hold each selected event once, under its recording's name and its own id")
def _(trial: Trial) -> None:
    ids = Counter(event_id for table in trial.tables.values() for event_id in table["id"].to_pylist())
    wanted = Counter(f"{trial.name('first')}/e{row}" for row in FIRST)
    if ids != wanted:
        wrong = sorted({*(ids - wanted), *(wanted - ids)})
        raise BrokenError(f"{len(wanted)} events, each once", f"{ids.total()}; wrong are {wrong[:3]}")


@rule(49, "The values are those that were sent, and what is missing stays missing")
def _(trial: Trial) -> None:
    found = {each["id"].rpartition("/e")[2]: each for each in trial.rows.to_pylist()}
    for row in FIRST:
        event = found.get(str(row), {})
        expected = (LABELS[row % 3], CARS[row % 2], "rain" if row % 4 else None, row / 4, row % 2 == 1)
        expect(expected, tuple(event.get(each) for each in ("label", "car", "environment", "speed", "wet")), f"e{row}")
        expect(None if row % 5 == 0 else f"note {row % 4}", event.get("note"), f"note of e{row}")


@rule(50, "The statistics add up: rows, events per label, car and environment, missing values")
def _(trial: Trial) -> None:
    found, table = trial.first_version.statistics, trial.rows
    expect(len(FIRST), found.rows, "rows")
    for said, column in ((found.labels, "label"), (found.cars, "car"), (found.environments, "environment")):
        expect(_counts(table[column]), said, column)
    missing = {each.name: each.missing for each in found.columns}
    for name in ("speed", "note", "wet"):
        expect(table[name].null_count, missing.get(name), f"missing values of {name}")


@rule(51, "A range of bytes is answered with 206, `Content-Range` and just those bytes")
def _(trial: Trial) -> None:
    whole = trial.first_files[Split.TRAINING]
    for asked, part in (("bytes=8-23", slice(8, 24)), (f"bytes={len(whole) - 9}-", slice(-9, None))):
        response = trial.data(trial.first_version.query_id, Split.TRAINING, {"Range": asked})
        expect((206, whole[part]), (response.status_code, response.content), asked)
        first, last = range(len(whole))[part][0], range(len(whole))[part][-1]
        expect(f"bytes {first}-{last}/{len(whole)}", response.headers.get("Content-Range"), "Content-Range")


@rule(52, "`If-Range` with another ETag gives the whole file")
def _(trial: Trial) -> None:
    whole = trial.first_files[Split.TRAINING]
    for etag, status in ((f'"{sha256(whole)}"', 206), ('"another"', 200)):
        headers = {"Range": "bytes=8-23", "If-Range": etag}
        response = trial.data(trial.first_version.query_id, Split.TRAINING, headers)
        expect(status, response.status_code, f"status with If-Range {etag}")


@rule(53, "A range behind the end is refused with 416, and `Content-Range` tells the size")
def _(trial: Trial) -> None:
    size = len(trial.first_files[Split.TRAINING])
    response = trial.data(trial.first_version.query_id, Split.TRAINING, {"Range": f"bytes={size}-"})
    trial.refused(response, 416)
    expect(f"bytes */{size}", response.headers.get("Content-Range"), "Content-Range")


@rule(54, "Data without a split, or of an unknown one, are refused")
def _(trial: Trial) -> None:
    path = f"datasets/{trial.first_version.query_id}/data"
    for params in ({}, {"split": "test"}):
        trial.refused(trial.ask("GET", path, params=params), *WRONG)


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    return dict(Counter(column.drop_null().to_pylist()))
