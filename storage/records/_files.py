"""What was found: model files, dataset tags and versions."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from atlas.datasets import DatasetDescription, Split
from atlas.errors import ModelRemovedError, NameTakenError
from atlas.manifest import Manifest
from atlas.states import ModelState
from storage.models import (
    Author,
    DatasetTag,
    DatasetVersion,
    Model,
)
from storage.records._removals import refuse_removed


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """A file as the object store lists it, and the sha256 of its content."""

    key: str
    etag: str
    size_bytes: int
    digest: str
    arrived: datetime

    @property
    def stem(self) -> str:
        """The last part of the key, which names a file that says nothing else of itself."""
        return self.key.rsplit("/", 1)[-1]


@transaction.atomic
def record_model(file: FileRecord, manifest: Manifest) -> int:
    """Keep a bundle that Atlas can benchmark, with its author and tags; the key of its row.

    Raises:
        NameTakenError: a ready model with another file has this name.
        ModelRemovedError: a person deleted it; nothing is written then.
    """
    author, _ = Author.objects.update_or_create(email=manifest.author.email, defaults={"name": manifest.author.name})
    tags = [DatasetTag.objects.get_or_create(name=tag)[0] for tag in manifest.tags]
    try:
        with transaction.atomic():
            model = _keep_file(
                file,
                state=ModelState.READY,
                reason="",
                name=manifest.name,
                version=manifest.version,
                use_case=manifest.use_case,
                task=manifest.task,
                author=author,
                primary_metric=manifest.primary_metric,
                created=manifest.created,
                pipeline_digest=manifest.pipeline_digest,
                manifest=manifest.model_dump(mode="json"),
            )
    except IntegrityError as error:
        raise NameTakenError(f"The name {manifest.name} is taken by another model.") from error
    model.tags.set(tags)
    return model.pk


def record_unused_file(file: FileRecord, state: ModelState, *, name: str, reason: str) -> int:
    """Keep a file that is not benchmarked, and why; it is looked at again when it changes. The key of its row."""
    return _keep_file(file, state=state, reason=reason, name=name).pk


def record_replaced_file(file: FileRecord, reason: str) -> int:
    """Note that the file of a ready model was overwritten: what is known of the model stays. The key of its row.

    Raises:
        ModelRemovedError: a person deleted the model meanwhile.
    """
    Model.objects.filter(key=file.key).update(etag=file.etag, reason=reason)
    pk = Model.objects.filter(key=file.key).values_list("pk", flat=True).first()
    if pk is None:
        raise ModelRemovedError(f"{file.key} was deleted meanwhile.")
    return pk


@transaction.atomic
def _keep_file(file: FileRecord, **fields: object) -> Model:
    """Write a file's row. The very file under another etag, as in a store that was restored, keeps when it arrived.

    Raises:
        ModelRemovedError: a person deleted it; nothing is written then.
    """
    before = Model.objects.filter(key=file.key, digest=file.digest).values_list("arrived", flat=True).first()
    arrived = before or file.arrived
    kept = {"etag": file.etag, "size_bytes": file.size_bytes, "digest": file.digest, "arrived": arrived, **fields}
    model, _ = Model.objects.update_or_create(key=file.key, defaults=kept)
    refuse_removed(file.key)
    return model


def record_tag(name: str, *, query: str, checked: datetime) -> None:
    """Keep what the ingestion engine says of a tag."""
    DatasetTag.objects.update_or_create(name=name, defaults={"query": query, "checked": checked, "problem": ""})


def record_tag_problem(name: str, problem: str) -> bool:
    """Keep why the ingestion engine gives no answer for a tag; whether that is news."""
    return DatasetTag.objects.filter(name=name).exclude(problem=problem).update(problem=problem) == 1


@transaction.atomic
def record_version(description: DatasetDescription) -> DatasetVersion:
    """Keep a dataset version and all that is known of it."""
    tag, _ = DatasetTag.objects.get_or_create(name=description.tag)
    version, _ = DatasetVersion.objects.get_or_create(
        query_id=description.query_id,
        defaults={
            "tag": tag,
            "number": description.number,
            "digest": description.digest,
            "rows": description.rows,
            "evaluation_rows": description.splits[Split.EVALUATION].rows,
            "created": description.created,
            "description": description.model_dump(mode="json"),
        },
    )
    return version
