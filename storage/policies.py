"""What each component may do in the S3 object store, as policies in Amazon's JSON, which MinIO and its like understand.

The dashboard reads whatever it shows, and writes only what people send: files on their way in, models, and rows to
predict. The engine writes results and deletes what people want gone or what nothing needs any more, but it writes no
model: what it benchmarks is what somebody sent. The ingestion engine has a bucket of its own. A backup reads both.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from storage.grants import Component
from storage.inferring import INFERENCES, SENT_ROWS
from storage.uploads import MODELS, UPLOADS

PREDICTIONS, EXPLANATIONS, DATASETS = "predictions/", "explanations/", "datasets/"

_VERSION = "2012-10-17"  # of the language, not of ours
_FIND = ("s3:GetBucketLocation", "s3:ListBucket")
_HEAR = ("s3:ListenBucketNotification",)
_READ = ("s3:GetObject",)
_WRITE = ("s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
_DELETE = ("s3:DeleteObject",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """The names of the buckets: of models and results, and of the ingestion engine."""

    atlas: str
    ingestion: str


def policy(component: Component, buckets: Buckets) -> dict[str, Any]:
    """The policy of the user of a component, one of `USERS`."""
    return {"Version": _VERSION, "Statement": _STATEMENTS[component](buckets)}


def _dashboard(buckets: Buckets) -> list[dict[str, Any]]:
    return [
        _allow(_FIND, [buckets.atlas]),
        _allow(_READ, [f"{buckets.atlas}/*"]),
        _allow(_WRITE, _below(buckets.atlas, UPLOADS, MODELS, SENT_ROWS)),
        _allow(_DELETE, _below(buckets.atlas, UPLOADS)),
    ]


def _engine(buckets: Buckets) -> list[dict[str, Any]]:
    return [
        _allow((*_FIND, *_HEAR), [buckets.atlas]),
        _allow((*_READ, *_DELETE), [f"{buckets.atlas}/*"]),
        _allow(_WRITE, _below(buckets.atlas, PREDICTIONS, EXPLANATIONS, INFERENCES, DATASETS)),
    ]


def _ingestion(buckets: Buckets) -> list[dict[str, Any]]:
    return [
        _allow((*_FIND, *_HEAR), [buckets.ingestion]),
        _allow((*_READ, *_WRITE, *_DELETE), [f"{buckets.ingestion}/*"]),
    ]


def _backup(buckets: Buckets) -> list[dict[str, Any]]:
    names = [buckets.atlas, buckets.ingestion]
    return [_allow(_FIND, names), _allow(_READ, [f"{name}/*" for name in names])]


def _below(bucket: str, *folders: str) -> list[str]:
    return [f"{bucket}/{folder}*" for folder in folders]


def _allow(actions: Iterable[str], places: Iterable[str]) -> dict[str, Any]:
    """A statement that allows actions in buckets, or on objects in them."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": [f"arn:aws:s3:::{place}" for place in places]}


_STATEMENTS = {
    Component.DASHBOARD: _dashboard,
    Component.ENGINE: _engine,
    Component.INGESTION: _ingestion,
    Component.BACKUP: _backup,
}
USERS = tuple(_STATEMENTS)
"""The components that have a user in the object store."""
