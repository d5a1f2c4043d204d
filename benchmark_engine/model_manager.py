"""Which models and dataset versions are new, and what is to be benchmarked because of them."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from atlas.datasets import DatasetDescription
from atlas.errors import (
    AtlasError,
    BundleError,
    BundleReplacedError,
    IngestionUnavailableError,
    ModelRemovedError,
    NameTakenError,
    ObjectNotFoundError,
)
from atlas.manifest import Manifest
from atlas.states import ComponentState, Level, ModelState
from atlas.vocabulary import ColumnSchema
from benchmark_engine.connector import Connector
from storage import catalog, records
from storage.objects import StoredObject
from storage.records import FileRecord

NUMBERS = ("int", "uint", "float", "double", "halffloat", "decimal", "bool")
TEXTS = ("string", "large_string", "dictionary")


def discover_models(connector: Connector) -> int:
    """Look for new and changed files, and keep what each one is; how many there were.

    A file that is not a usable bundle is kept with the reason and not read again until it changes. One that a person
    wants gone is not taken in, also if it is sent anew, until its removal has been carried out.
    """
    known = catalog.known_objects()
    removed = {asked.key for asked in catalog.removals()}
    listed = (found for found in connector.listed_models() if found.key not in removed)
    arrived = [found for found in listed if known.get(found.key) != found.etag]
    for found in arrived:
        _take_in_once(connector, found)
    connector.report("storage", ComponentState.HEALTHY, f"{len(known) + len(arrived):,} model files")
    return len(arrived)


def discover_model(connector: Connector, key: str) -> list[str]:
    """Look at one file that is said to have arrived, without listing; the tags of the model that it is, if it is new.

    What is known already is not read again.
    """
    try:
        found = connector.objects.stat(key)
    except ObjectNotFoundError:  # deleted since
        return []
    return catalog.tags_of(key) if _take_in_once(connector, found) else []


def _take_in_once(connector: Connector, found: StoredObject) -> bool:
    """Take in a file unless that was done already, by whoever found it first; whether it was new."""
    with connector.intake:
        is_new = catalog.known_etag(found.key) != found.etag and not catalog.is_removed(found.key)
        if is_new:
            _take_in(connector, found)
    return is_new


def _take_in(connector: Connector, found: StoredObject) -> None:
    with suppress(ObjectNotFoundError, ModelRemovedError), connector.fetched_model(found.key) as (path, digest):
        now = connector.clock()
        size = path.stat().st_size
        _judge(connector, FileRecord(key=found.key, etag=found.etag, size_bytes=size, digest=digest, arrived=now), path)


def _judge(connector: Connector, file: FileRecord, path: Path) -> None:
    try:
        _keep(connector, file, path)
    except BundleReplacedError as error:
        _complain(connector, file, str(error), records.record_replaced_file(file, str(error)))
    except BundleError as error:
        pk = records.record_unused_file(file, ModelState.INVALID, name=file.stem, reason=str(error))
        _complain(connector, file, str(error), pk)


def _complain(connector: Connector, file: FileRecord, reason: str, model: int) -> None:
    connector.log(f"{file.key} cannot be benchmarked: {reason}", level=Level.ERROR, model=model)


def _keep(connector: Connector, file: FileRecord, path: Path) -> None:
    """Keep a sound bundle that is new.

    Raises:
        BundleReplacedError: it took the place of a model that is known.
        NameTakenError: another model has its name.
        BundleError: it is not a sound bundle.
    """
    earlier = catalog.ready_model_at(file.key)
    if earlier and earlier.digest != file.digest:
        raise BundleReplacedError(
            "the file was replaced after it arrived. Its results stand; send the new model under a name of its own."
        )
    manifest = connector.inspected(path, file.digest)
    namesake = catalog.ready_model(manifest.name)
    if namesake is None or namesake.key == file.key:
        pk = records.record_model(file, manifest)
        if earlier is None:  # else another engine was faster
            connector.log(f"New model {manifest.name} for {', '.join(manifest.tags)}.", model=pk)
        connector.report("training", ComponentState.HEALTHY, f"last model {manifest.name}")
    elif namesake.digest == file.digest:
        reason = f"The same file as {namesake.key}, which is benchmarked under this name."
        pk = records.record_unused_file(file, ModelState.DUPLICATE, name=manifest.name, reason=reason)
        connector.log(f"{file.key}: {reason}", model=pk)
    else:
        raise NameTakenError(
            f"the name {manifest.name} is taken by another model, which arrived as {namesake.key}. "
            "Pack this one again: its version or time makes another name."
        )


def discover_versions(connector: Connector, only: Collection[str] | None = None) -> int:
    """Ask the ingestion engine for new versions of the tags in use, or only some of them; how many there were."""
    new = 0
    try:
        for tag in catalog.tags_in_use():
            if only is None or tag in only:
                new += _discover_versions_of(connector, tag)
    except IngestionUnavailableError as error:
        connector.report("ingestion", ComponentState.DOWN, str(error))
        raise
    connector.report("ingestion", ComponentState.HEALTHY, "answers")
    return new


def _discover_versions_of(connector: Connector, tag: str) -> int:
    try:
        described = connector.ingestion.tag(tag)
        known = catalog.known_query_ids(tag)
        arrived = [connector.ingestion.dataset(v.query_id) for v in described.versions if v.query_id not in known]
    except IngestionUnavailableError:
        raise
    except AtlasError as error:
        if records.record_tag_problem(tag, str(error)):
            connector.log(f"Dataset tag {tag}: {error}", level=Level.ERROR)
        return 0
    records.record_tag(tag, query=described.query, checked=connector.clock())
    for description in arrived:
        records.record_version(description)
        connector.log(f"New dataset version {tag} v{description.number}: {description.rows:,} rows.")
    return len(arrived)


def plan(connector: Connector) -> int:
    """Queue every benchmark that is missing; how many were.

    What cannot run, because the dataset lacks what the model needs, is said at once.
    """
    queued = 0
    for model, version in catalog.unplanned():
        reason = incompatibility(model.manifest, version.description)
        queued += records.queue_benchmark(model, version, incompatible=reason, now=connector.clock())
    return queued


def incompatibility(manifest: Manifest, dataset: DatasetDescription) -> str:
    """Why a model cannot be benchmarked on a dataset version, column by column; empty if it can."""
    offered = {column.name: column for column in dataset.columns}
    problems = list(_column_problems(manifest.input_schema, offered))
    if manifest.target not in offered:
        problems.append(f"The target {manifest.target} is missing.")
    return " ".join(problems)


def _column_problems(wanted: Iterable[ColumnSchema], offered: dict[str, ColumnSchema]) -> Iterable[str]:
    for column in wanted:
        if column.name not in offered:
            yield f"Column {column.name} is missing."
        elif kind(column.dtype) != (found := kind(offered[column.name].dtype)):
            yield f"Column {column.name} holds {found}, the model needs {kind(column.dtype)}."


def kind(dtype: str) -> str:
    """What an Arrow type holds, in words: types of one kind can stand for each other."""
    if dtype.startswith(NUMBERS):
        return "numbers"
    if dtype.startswith(TEXTS):
        return "text"
    if dtype.startswith(("list", "large_list", "fixed_size_list")):
        return "lists"
    return dtype.partition("[")[0]
