"""A bundle written round the file of a fitted model that nobody loads: what it says comes from a person and a dataset.

`atlas.pack` looks at the model to learn its classes and its library, which runs what the file says. A server must not.
"""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import JsonValue

from atlas.bundle import SUFFIX, UNKNOWN, describe_member, make_manifest, write_bundle
from atlas.errors import MemberError
from atlas.formats import Format, format_of
from atlas.manifest import Author, Framework, Manifest, Member
from atlas.vocabulary import ColumnSchema, Label, Outputs, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedFile:
    """A file that holds a fitted model: what it is written in, and what its content is known by."""

    name: str
    format: Format
    content: Member

    @classmethod
    def of(cls, name: str, sha256: str, size_bytes: int) -> Self:
        """The file of this name and content.

        Raises:
            ModelError: its suffix is that of no format.
        """
        return cls(name=name, format=format_of(Path(name)), content=Member(sha256=sha256, size_bytes=size_bytes))

    @property
    def member(self) -> str:
        """What it is called in a bundle."""
        return f"model{Path(self.name).suffix}"


def describe_file(
    file: FittedFile,
    *,
    name: str,
    version: str,
    use_case: str,
    task: Task,
    author: Author,
    tags: Sequence[str],
    target: str,
    input_schema: Sequence[ColumnSchema],
    classes: Sequence[Label],
    metrics: Sequence[str],
    primary_metric: str,
    created: datetime,
    outputs: Outputs | None = None,
    framework: Framework | None = None,
    hyperparameters: Mapping[str, JsonValue] | None = None,
) -> Manifest:
    """The manifest of a model of which only the file is known. Arguments are those of `atlas.pack`, but for these:

    Args:
        file: the fitted model.
        input_schema: the columns that it reads, in the order in which it was trained on them.
        classes: in the order of its probabilities; empty for a regression.
        created: the time that its unique name ends in.
        framework: the library that it is made with; the one of its format, of unknown version, if not given.

    Raises:
        ManifestError: an argument is wrong; the message names it.
    """
    moment = created.replace(microsecond=0)
    return make_manifest(
        name=f"{name}-{version}-{int(moment.timestamp())}",
        version=version,
        use_case=use_case,
        task=task,
        author=author,
        tags=tuple(tags),
        target=target,
        input_schema=tuple(input_schema),
        classes=tuple(classes),
        metrics=tuple(metrics),
        primary_metric=primary_metric,
        hyperparameters=dict(hyperparameters or {}),
        created=moment,
        framework=framework or Framework(name=file.format.libraries[0], version=UNKNOWN),
        python=UNKNOWN,
        model={"member": file.member, "format": file.format.name, "outputs": outputs},
        members={file.member: file.content},
    )


def pack_file(path: Path, manifest: Manifest, folder: Path) -> Path:
    """Write a fitted model's file as a bundle, and return the bundle's path. Nothing in the file is executed.

    It is stored as it is: a person waits for this, and compressing a GiB takes half a minute.

    Raises:
        MemberError: it is not the file that the manifest tells of.
    """
    member = manifest.model.member
    if describe_member(path) != manifest.members[member]:
        raise MemberError(f"{path.name} is not the file that was described: its size or sha256 is another.")
    return write_bundle(folder / f"{manifest.name}{SUFFIX}", manifest, {member: path}, compression=zipfile.ZIP_STORED)
