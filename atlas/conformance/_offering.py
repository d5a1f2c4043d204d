"""Rules of what an engine may offer beyond what others need of it."""

from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from atlas.conformance._rules import BrokenError, SkippedError, expect, rule
from atlas.conformance._trial import FIRST, LABELS, Trial, arrow, sha256
from atlas.datasets import Split, content_digest
from atlas.ingestion import Examples

PARQUET_MEDIA_TYPE = "application/vnd.apache.parquet"


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


def _parquet(content: bytes) -> pa.Table:
    try:
        return pq.read_table(BytesIO(content))
    except pa.ArrowInvalid as error:
        raise BrokenError("a Parquet file", str(error).splitlines()[0]) from error
