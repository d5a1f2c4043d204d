"""The one-file form of a model: writing it, checking it without running anything, and unpacking it.

A bundle `<name>.atlas` is a zip of `manifest.json`, the fitted model, and optionally a pipeline, Python modules in
`code/`, and a sample of the training data.
"""

import hashlib
import platform
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet
from pydantic import JsonValue, ValidationError

from atlas.datasets import columns_of
from atlas.errors import LoadError, ManifestError, MemberError, ModelError, NotABundleError
from atlas.formats import format_named
from atlas.manifest import (
    Author,
    CustomMetric,
    DataWindow,
    Framework,
    Manifest,
    Member,
    Part,
    TrainingRecord,
    describe,
    parse_manifest,
)
from atlas.vocabulary import Label, Task

SUFFIX = ".atlas"
MANIFEST = "manifest.json"
CODE = "code"
REFERENCE = "reference.parquet"
MAX_MANIFEST_BYTES = 4 << 20
MAX_MEMBERS = 1_000
MAX_TOTAL_BYTES = 16 << 30
CHUNK_BYTES = 1 << 20
LIBRARIES = ("scikit-learn", "numpy", "pandas", "scipy", "joblib", "skops")
"""Libraries whose versions a manifest records, besides the model's own."""


# Writing ------------------------------------------------------------------------------------------------------------


def pack(
    model: Any,
    destination: Path | str = ".",
    *,
    name: str,
    version: str,
    use_case: str,
    task: Task | str,
    author: Author | tuple[str, str],
    tags: Sequence[str],
    metrics: Sequence[str],
    example: Any,
    target: str = "label",
    primary_metric: str | None = None,
    pipeline: Any = None,
    format: str = "skops",  # noqa: A002 - the word that data scientists use
    classes: Sequence[Label] | None = None,
    custom_metrics: Sequence[CustomMetric] = (),
    code: Iterable[Path | str] = (),
    reference: Any = None,
    hyperparameters: Mapping[str, JsonValue] | None = None,
    training: TrainingRecord | None = None,
    data_window: DataWindow | None = None,
    created: datetime | None = None,
) -> Path:
    """Write a fitted model as a bundle that Atlas can benchmark.

    Args:
        model: a fitted estimator with `predict`; a scikit-learn pipeline counts as one.
        destination: the folder to write to.
        name: of the family of models; the bundle's unique name adds the version and the time, as in
            `DamageDetector-1.0.0-1625660010`.
        version: of the model.
        use_case: what it is for, such as `damage detector`.
        task: `binary`, `multiclass`, `multilabel` or `regression`.
        author: name and e-mail address.
        tags: the dataset tags that it is benchmarked on.
        metrics: names from the registry (`atlas metrics` lists them) or of `custom_metrics`.
        example: a pandas data frame of a few raw rows with just the columns that the model needs.
        target: the dataset's column that it predicts.
        primary_metric: the metric that ranks; the first of `metrics` if not given.
        pipeline: a fitted transformer that turns raw rows into the model's features.
        format: how fitted objects are written: `skops` (safer) or `joblib` (takes any Python object).
        classes: in the order of `predict_proba`'s columns; `model.classes_` if not given.
        custom_metrics: metrics whose functions are in `code`.
        code: Python files that the model, its pipeline or its metrics import.
        reference: a data frame with a sample of the training data, in raw rows.
        hyperparameters: by name; those of `model.get_params()` if not given.
        training: what the model was trained on.
        data_window: from when to when that was recorded.
        created: the time of packing; now if not given.

    Returns:
        The path of the bundle.

    Raises:
        ManifestError: an argument is wrong; the message names it.
        ModelError: the format cannot hold the model.
    """
    moment = (created or datetime.now(UTC)).replace(microsecond=0)
    unique = f"{name}-{version}-{int(moment.timestamp())}"
    with tempfile.TemporaryDirectory() as scratch:
        staged = _stage(Path(scratch), model, pipeline, format_name=format, code=code, reference=reference)
        manifest = _manifest(
            name=unique,
            version=version,
            use_case=use_case,
            task=task,
            author=author if isinstance(author, Author) else {"name": author[0], "email": author[1]},
            tags=tuple(tags),
            target=target,
            input_schema=columns_of(pa.Schema.from_pandas(example, preserve_index=False)),
            classes=_classes(model, task) if classes is None else tuple(classes),
            data_window=data_window,
            metrics=tuple(metrics),
            custom_metrics=tuple(custom_metrics),
            primary_metric=primary_metric or next(iter(metrics), ""),
            hyperparameters=_hyperparameters(model) if hyperparameters is None else dict(hyperparameters),
            training=training,
            created=moment,
            framework=_framework(model),
            python=platform.python_version(),
            libraries=_library_versions(),
            model=staged.model,
            pipeline=staged.pipeline,
            reference=REFERENCE if reference is not None else None,
            members={name: _describe_member(path) for name, path in staged.files.items()},
        )
        return _write(Path(destination) / f"{unique}{SUFFIX}", manifest, staged.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Staged:
    """The members of a bundle as files, by name."""

    model: Part
    pipeline: Part | None
    files: Mapping[str, Path]


def _stage(
    folder: Path, model: Any, pipeline: Any, *, format_name: str, code: Iterable[Path | str], reference: Any
) -> _Staged:
    files: dict[str, Path] = {}
    parts: dict[str, Part] = {}
    for role, fitted in (("model", model), ("pipeline", pipeline)):
        if fitted is not None:
            member = f"{role}.{format_named(format_name).suffix}"
            files[member] = folder / member
            parts[role] = Part(member=member, format=format_name)
            _dump(fitted, format_name, files[member])
    for source in map(Path, code):
        files[f"{CODE}/{source.name}"] = source
    if reference is not None:
        files[REFERENCE] = folder / REFERENCE
        pa.parquet.write_table(pa.Table.from_pandas(reference, preserve_index=False), files[REFERENCE])
    return _Staged(model=parts["model"], pipeline=parts.get("pipeline"), files=files)


def _dump(fitted: Any, format_name: str, path: Path) -> None:
    chosen = format_named(format_name)
    try:
        chosen.dump(fitted, path)
    except Exception as error:
        raise ModelError(
            f"{type(fitted).__name__} cannot be written as {format_name}: {error}. Try another format."
        ) from error


def _manifest(**fields: Any) -> Manifest:
    try:
        return Manifest(**fields)
    except ValidationError as error:
        raise ManifestError(f"pack: {describe(error)}") from error


def _classes(model: Any, task: Task | str) -> tuple[Label, ...]:
    if task == Task.REGRESSION:
        return ()
    found = getattr(model, "classes_", None)
    if found is None:
        raise ManifestError("pack: classes: the model has no classes_; give classes=[…] in predict_proba's order")
    return tuple(getattr(found, "tolist", lambda: found)())


def _hyperparameters(model: Any) -> dict[str, JsonValue]:
    parameters = model.get_params(deep=True) if hasattr(model, "get_params") else {}
    return {key: value for key, value in parameters.items() if isinstance(value, bool | int | float | str | None)}


def _framework(model: Any) -> Framework:
    package = type(model).__module__.partition(".")[0]
    names = metadata.packages_distributions().get(package, [package])
    try:
        return Framework(name=names[0], version=metadata.version(names[0]))
    except metadata.PackageNotFoundError:
        return Framework(name=package, version="own code")


def _library_versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in LIBRARIES}


def _describe_member(path: Path) -> Member:
    with path.open("rb") as file:
        return Member(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size_bytes=path.stat().st_size)


def _write(path: Path, manifest: Manifest, files: Mapping[str, Path]) -> Path:
    """Write the zip beside its final place and move it there, so that nobody sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bundle:
            bundle.writestr(MANIFEST, manifest.model_dump_json(indent=2))
            for name, source in files.items():
                bundle.write(source, name)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


# Reading ------------------------------------------------------------------------------------------------------------


def inspect(path: Path | str) -> Manifest:
    """Read a bundle's manifest and check its members against it. Nothing in the bundle is executed.

    Raises:
        NotABundleError: the file is not a zip file.
        ManifestError: the manifest is missing, or a field is wrong.
        MemberError: a member is missing, unexpected, damaged, or not what the manifest says.
    """
    with _opened(Path(path)) as bundle:
        manifest = _read_manifest(bundle)
        for _ in _verified_members(bundle, manifest):
            pass
    return manifest


def unpack(path: Path | str, folder: Path) -> Manifest:
    """Check a bundle as `inspect` does and write its members below `folder`.

    Raises:
        BundleError: as `inspect`.
    """
    with _opened(Path(path)) as bundle:
        manifest = _read_manifest(bundle)
        for name, chunks in _verified_members(bundle, manifest):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                file.writelines(chunks)
    return manifest


def load_part(folder: Path, part: Part) -> Any:
    """Load a fitted object of an unpacked bundle. This runs what the file says: call it inside the sandbox only.

    Raises:
        LoadError: the object cannot be loaded.
    """
    code = folder / CODE
    own_modules = frozenset(module.stem for module in code.glob("*.py"))
    try:
        return format_named(part.format).load(folder / part.member, own_modules)
    except (LoadError, ImportError, MemoryError):
        raise
    except Exception as error:
        raise LoadError(f"{part.member} could not be loaded: {type(error).__name__}: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as bundle:
            yield bundle
    except zipfile.BadZipFile as error:
        raise NotABundleError(
            f"{path.name} is not a zip file, or a damaged one ({error}). Write bundles with atlas.pack."
        ) from error
    except (NotImplementedError, EOFError, zipfile.LargeZipFile, zlib.error) as error:
        raise NotABundleError(f"{path.name} cannot be read as a zip file: {error}") from error


def _read_manifest(bundle: zipfile.ZipFile) -> Manifest:
    if MANIFEST not in bundle.namelist():
        raise ManifestError(f"{MANIFEST} is missing: this is a zip file, but not a bundle. Write it with atlas.pack.")
    with _member(bundle, MANIFEST) as file:
        content = file.read(MAX_MANIFEST_BYTES + 1)
    if len(content) > MAX_MANIFEST_BYTES:
        raise ManifestError(f"{MANIFEST} is larger than {MAX_MANIFEST_BYTES >> 20} MiB.")
    return parse_manifest(content)


def _verified_members(bundle: zipfile.ZipFile, manifest: Manifest) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each member's name and content, checked while it is read; a member left unread is read to its end."""
    _check_names(bundle, manifest)
    for name, expected in manifest.members.items():
        chunks = _verified(bundle, name, expected)
        yield name, chunks
        for _ in chunks:
            pass


def _check_names(bundle: zipfile.ZipFile, manifest: Manifest) -> None:
    names = [entry.filename for entry in bundle.infolist() if not entry.is_dir()]
    if len(names) > MAX_MEMBERS:
        raise MemberError(f"The bundle has {len(names):,} members; {MAX_MEMBERS:,} are allowed.")
    if len(set(names)) < len(names):
        raise MemberError(f"The bundle holds {next(n for n in names if names.count(n) > 1)!r} twice.")
    _complain("is named in the manifest, but missing", set(manifest.members) - set(names))
    _complain("is not named in the manifest", set(names) - set(manifest.members) - {MANIFEST})
    _complain("is a name that could leave the bundle's folder", {n for n in names if not _is_safe(n)})
    if sum(member.size_bytes for member in manifest.members.values()) > MAX_TOTAL_BYTES:
        raise MemberError(f"The members are larger than {MAX_TOTAL_BYTES >> 30} GiB together.")
    for part in (manifest.model, manifest.pipeline):
        if part is not None:
            _check_format(part)


def _complain(what: str, names: set[str]) -> None:
    if names:
        raise MemberError(f"Member {', '.join(repr(name) for name in sorted(names)[:5])} {what}.")


def _check_format(part: Part) -> None:
    try:
        format_named(part.format)
    except ModelError as error:
        raise ManifestError(f"{MANIFEST}: {part.member}: {error}") from error


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name


def _verified(bundle: zipfile.ZipFile, name: str, expected: Member) -> Iterator[bytes]:
    """The member in chunks; never more of it than the manifest promises, however well it is compressed."""
    digest = hashlib.sha256()
    size = 0
    with _member(bundle, name) as file:
        while chunk := file.read(CHUNK_BYTES):
            size += len(chunk)
            if size > expected.size_bytes:
                raise MemberError(f"Member {name!r} is larger than the {expected.size_bytes:,} bytes it should have.")
            digest.update(chunk)
            yield chunk
    if size < expected.size_bytes or digest.hexdigest() != expected.sha256:
        raise MemberError(f"Member {name!r} is not the file that was packed: its sha256 is {digest.hexdigest()}.")


@contextmanager
def _member(bundle: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    try:
        with bundle.open(name) as file:
            yield file
    except (RuntimeError, zlib.error) as error:
        raise MemberError(f"Member {name!r} cannot be read: {error}") from error
