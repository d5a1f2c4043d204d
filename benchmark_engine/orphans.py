"""Which objects of the store nothing refers to, for people to look at and clean up.

The sweeper removes by itself what runs left behind. What is left is reported here: files that no part of Atlas writes
at that place, explanations of results that have none, parts of uploads that are over. A file below `models/` is never
an orphan: whatever it is, the engine takes it in, and it has a row from then on.
"""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import PurePosixPath

from benchmark_engine.connector import Connector
from benchmark_engine.worker import EXPLANATIONS, PREDICTIONS
from storage import catalog
from storage.inferring import INFERENCES
from storage.objects import StoredObject
from storage.records import FoundOrphan

UPLOADS = "uploads/"
FOLDERS = (PREDICTIONS, EXPLANATIONS, UPLOADS, INFERENCES)
WRITTEN = {PREDICTIONS: {".parquet"}, EXPLANATIONS: {".parquet", ".arrow"}}
"""The kinds of files that a run writes, by folder."""
OF_INFERENCES = re.compile(
    INFERENCES + r"([0-9a-f]{32}/[a-z]+\.(parquet|arrow)|rows/[0-9a-f-]{36}\.(csv|parquet|json))"
)
"""The keys of what predictions read and write. The sweeper removes those that nothing refers to."""
_UPLOAD = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")


def listed(connector: Connector) -> list[StoredObject]:
    """All objects below the known folders: list them before the tables are read, so that what is written meanwhile is
    left alone.

    Raises:
        ObjectStoreError: the store does not answer.
    """
    return list(chain.from_iterable(connector.objects.list(folder) for folder in FOLDERS))


def orphans(objects: list[StoredObject]) -> Iterator[FoundOrphan]:
    """Those objects that nothing refers to, and that nobody wants gone already."""
    removed = {asked.key for asked in catalog.removals()}
    used, explained = catalog.claims_in_use(PurePosixPath(found.key).stem for found in objects)
    uploads = catalog.uploads_in_use()
    for found in objects:
        why = _upload_problem(found.key, uploads) or _claim_problem(found.key, used, explained)
        why = why or _inference_problem(found.key)
        if why and found.key not in removed:
            yield FoundOrphan(
                key=found.key, etag=found.etag, size_bytes=found.size_bytes, modified=found.modified, why=why
            )


def _upload_problem(key: str, uploads: set[str]) -> str:
    if not key.startswith(UPLOADS):
        return ""
    upload = _UPLOAD.search(key)
    if upload is None:
        return "Not a part of an upload, although it lies among them."
    return "" if upload[0] in uploads else "A part of an upload that is over."


def _inference_problem(key: str) -> str:
    is_strange = key.startswith(INFERENCES) and not OF_INFERENCES.fullmatch(key)
    return f"No file that Atlas writes into {INFERENCES}." if is_strange else ""


def _claim_problem(key: str, used: set[str], explained: set[str]) -> str:
    folder, path = next((each for each in WRITTEN if key.startswith(each)), ""), PurePosixPath(key)
    if not folder:
        return ""
    if path.suffix not in WRITTEN[folder]:
        return f"No file that Atlas writes into {folder}."
    if folder == EXPLANATIONS and path.stem in used - explained:
        return "An explanation of a result that has none."
    return ""
