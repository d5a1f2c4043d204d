"""The one-file form of a model: writing it, checking it without running anything, and unpacking it.

A bundle `<name>.atlas` is a zip of `manifest.json`, the fitted model, and optionally a pipeline, Python modules in
`code/`, and a sample of the training data.
"""

import hashlib
import math
import os
import platform
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from pydantic import JsonValue, ValidationError

from atlas.errors import ManifestError, MemberError, MissingPackageError, ModelError, NotABundleError
from atlas.formats import Format, Meaning, Model, format_named, format_of, load_file
from atlas.limits import ModelLimits
from atlas.manifest import (
    DEFAULT_SLICES,
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
from atlas.vocabulary import Label, Outputs, Task

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX = ".atlas"
MANIFEST = "manifest.json"
CODE = "code"
REFERENCE = "reference.parquet"
MAX_MANIFEST_BYTES = 2 << 20
MAX_MEMBERS = 1_000
MAX_TOTAL_BYTES = 16 << 30
CHUNK_BYTES = 1 << 20
BROKEN_ZIP = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What Python's zip reader raises for files that are none."""
COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
ENCRYPTED = 0x1
"""The bit of a zip entry's flags that says so."""
LIBRARIES = ("scikit-learn", "numpy", "pandas", "scipy", "joblib", "skops")
"""Libraries whose versions a manifest records, besides the model's own."""
OWN_CODE = "own code"
"""The framework's version of a model whose class is in no installed package."""
UNKNOWN = "unknown"
"""The version of what a manifest's writer could not see."""


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
    format: str | None = None,  # noqa: A002 - the word that data scientists use
    outputs: Outputs | str | None = None,
    classes: Sequence[Label] | None = None,
    custom_metrics: Sequence[CustomMetric] = (),
    code: Iterable[Path | str] = (),
    reference: Any = None,
    slices: Sequence[str] = DEFAULT_SLICES,
    hyperparameters: Mapping[str, JsonValue] | None = None,
    training: TrainingRecord | None = None,
    data_window: DataWindow | None = None,
    limits: ModelLimits | Mapping[str, float] | None = None,
    created: datetime | None = None,
) -> Path:
    """Write a fitted model as a bundle that Atlas can benchmark.

    Args:
        model: a fitted estimator with `predict`, such as a scikit-learn pipeline; a model of another library in a
            format of its own; or the path of a file that holds one, which is loaded to see that it can be.
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
        pipeline: a fitted transformer that turns raw rows into the model's features, or the path of its file. It is
            written as the model is, or as skops where the model's format cannot hold it.
        format: how the model is written: `skops` (safer), `joblib` (takes any Python object), `onnx`, `xgboost`,
            `lightgbm`, `catboost`, `torch`, `mlflow`, or one that another package adds. If not given, what a path's
            suffix says, else `skops`.
        outputs: what the model's numbers mean where its file cannot say it, as that of a network: `probabilities`,
            `logits`, `labels` or `values`.
        classes: in the order of `predict_proba`'s columns; `model.classes_` if not given.
        custom_metrics: metrics whose functions are in `code`.
        code: Python files that the model, its pipeline or its metrics import.
        reference: a data frame with a sample of the training data, in raw rows.
        slices: columns of the dataset by whose values metrics are told apart, such as each car's; those that a dataset
            lacks are left out.
        hyperparameters: by name; those of `model.get_params()` if not given.
        training: what the model was trained on.
        data_window: from when to when that was recorded.
        limits: what a benchmark may use, where that is less than the engine's settings allow: a mapping of any of
            `wall_seconds`, `cpu_seconds`, `memory_mb`, `threads`, `scratch_mb` and `output_mb`.
        created: the time of packing; now if not given.

    Returns:
        The path of the bundle.

    Raises:
        ManifestError: an argument is wrong; the message names it.
        ModelError: the format cannot hold the model.
    """
    moment = (created or datetime.now(UTC)).replace(microsecond=0)
    unique = f"{name}-{version}-{int(moment.timestamp())}"
    from atlas.datasets import columns_of  # here, not above: reading a manifest needs no Arrow

    sources = tuple(map(Path, code))
    fitted = _fitted(model, format, sources)
    with tempfile.TemporaryDirectory() as scratch:
        staged = _stage(Path(scratch), fitted, _transformer(pipeline, fitted, sources), sources, reference)
        manifest = make_manifest(
            name=unique,
            version=version,
            use_case=use_case,
            task=task,
            author=author if isinstance(author, Author) else {"name": author[0], "email": author[1]},
            tags=_several(tags),
            target=target,
            input_schema=columns_of(_table("example", example).schema),
            classes=_classes(fitted.value, task) if classes is None else tuple(classes),
            data_window=data_window,
            metrics=_several(metrics),
            custom_metrics=tuple(custom_metrics),
            primary_metric=primary_metric or next(iter(metrics), ""),
            hyperparameters=_hyperparameters(fitted.value) if hyperparameters is None else dict(hyperparameters),
            training=training,
            created=moment,
            framework=_framework(fitted),
            python=platform.python_version(),
            libraries=library_versions(fitted.format.libraries),
            model={**staged.model.model_dump(), "outputs": outputs},
            pipeline=staged.pipeline,
            reference=REFERENCE if reference is not None else None,
            limits=limits,
            slices=_several(slices),
            members={name: describe_member(path) for name, path in staged.files.items()},
        )
        if not fitted.format.takes_transformers:
            _adapted(staged.files[staged.model.member], manifest)
        return write_bundle(Path(destination) / f"{unique}{SUFFIX}", manifest, staged.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitted:
    """A fitted object, how it is written, and the file or folder that holds it already, if one does."""

    value: Any
    format: Format
    path: Path | None = None


def _fitted(given: Any, format_name: str | None, code: Sequence[Path]) -> _Fitted:
    if not isinstance(given, str | os.PathLike):
        return _Fitted(value=given, format=format_named(format_name or "skops"))
    path = Path(given)
    if not path.exists():
        raise ModelError(f"There is no file {path}.")
    chosen = format_named(format_name) if format_name else format_of(path)
    try:
        value = load_file(path, chosen.name, frozenset(source.stem for source in code))
    except ImportError as error:
        raise MissingPackageError(f"{path.name} needs {error.name}: install it, or give its file as code.") from error
    return _Fitted(value=value, format=chosen, path=path)


def _transformer(given: Any, model: _Fitted, code: Sequence[Path]) -> _Fitted | None:
    if given is None:
        return None
    is_path = isinstance(given, str | os.PathLike)
    return _fitted(given, model.format.name if model.format.takes_transformers and not is_path else None, code)


def _adapted(path: Path, manifest: Manifest) -> Model:
    """The model as the engine will use it, so that what it needs to know is asked of the author, now."""
    part = manifest.model
    return format_named(part.format).adapt(load_file(path, part.format), _meaning(manifest))


def _meaning(manifest: Manifest) -> Meaning:
    return Meaning(task=manifest.task, classes=manifest.classes, outputs=manifest.model.outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Staged:
    """The members of a bundle as files, by name."""

    model: Part
    pipeline: Part | None
    files: Mapping[str, Path]


def _stage(folder: Path, model: _Fitted, pipeline: _Fitted | None, code: Iterable[Path], reference: Any) -> _Staged:
    files: dict[str, Path] = {}
    parts: dict[str, Part] = {}
    for role, fitted in (("model", model), ("pipeline", pipeline)):
        if fitted is not None:
            file = _stage_fitted(folder, role, fitted)
            files[file.name] = file
            parts[role] = Part(member=file.name, format=fitted.format.name)
    for source in code:
        _stage_code(files, source)
    if reference is not None:
        files[REFERENCE] = folder / REFERENCE
        _write_reference(reference, files[REFERENCE])
    return _Staged(model=parts["model"], pipeline=parts.get("pipeline"), files=files)


def _stage_fitted(folder: Path, role: str, fitted: _Fitted) -> Path:
    """The member's file: a file of the author's stays as it is, with its suffix, and a folder becomes a zip."""
    if fitted.path is None:
        target = folder / f"{role}.{fitted.format.suffix}"
        _dump(fitted, target)
        return target
    if fitted.path.is_dir():
        return Path(shutil.make_archive(str(folder / role), "zip", fitted.path))
    known = fitted.path.suffix.removeprefix(".") in fitted.format.suffixes
    target = folder / f"{role}{fitted.path.suffix if known else '.' + fitted.format.suffix}"
    shutil.copyfile(fitted.path, target)
    return target


def _stage_code(files: dict[str, Path], source: Path) -> None:
    member = f"{CODE}/{source.name}"
    if not source.is_file() or source.suffix != ".py":
        raise ManifestError(f"pack: code: {source} is not a Python file")
    if member in files:
        raise ManifestError(f"pack: code: {files[member]} and {source} would both be {member}; rename one")
    files[member] = source


def _write_reference(reference: Any, path: Path) -> None:
    from pyarrow import parquet

    parquet.write_table(_table("reference", reference), path)


def _table(argument: str, frame: Any) -> "pa.Table":
    import pandas as pd
    import pyarrow as pa

    if not isinstance(frame, pd.DataFrame):
        raise ManifestError(f"pack: {argument}: a pandas data frame is wanted, not {type(frame).__name__}")
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise ManifestError(f"pack: {argument}: {error}; give every column values of one type") from error


def _dump(fitted: _Fitted, path: Path) -> None:
    try:
        fitted.format.dump(fitted.value, path)
    except Exception as error:
        raise ModelError(
            f"{type(fitted.value).__name__} cannot be written as {fitted.format.name}: {error}. Try another format."
        ) from error


def make_manifest(**fields: Any) -> Manifest:
    """The manifest of these fields, as whoever reads it later will have it.

    Raises:
        ManifestError: a field is wrong; the message names each.
    """
    try:
        manifest = Manifest(**fields)
    except ValidationError as error:
        raise ManifestError(f"pack: {describe(error)}") from error
    return parse_manifest(manifest.model_dump_json().encode())


def _several(names: Sequence[str]) -> tuple[str, ...] | str:
    """The names; a text that stands where a list of them should be is left for the manifest to refuse."""
    return names if isinstance(names, str) else tuple(names)


def _classes(model: Any, task: Task | str) -> tuple[Label, ...]:
    """What the model says of its classes: nothing if it is a regression, or has a list of classes for each output."""
    found = getattr(model, "classes_", ())
    if task == Task.REGRESSION or isinstance(found, list):
        return ()
    return tuple(getattr(found, "tolist", lambda: found)())


def _hyperparameters(model: Any) -> dict[str, JsonValue]:
    parameters = model.get_params(deep=True) if hasattr(model, "get_params") else {}
    return {key: _as_json(value) for key, value in parameters.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, bool | int | float | str | np.generic | None)


def _as_json(value: Any) -> JsonValue:
    """A plain value as JSON can hold it: infinities and NaN, which it lacks, as text."""
    if isinstance(value, list | tuple):
        return [_as_json(one) for one in value]
    plain = value.item() if isinstance(value, np.generic) else value
    return str(plain) if isinstance(plain, float) and not math.isfinite(plain) else plain


def _framework(fitted: _Fitted) -> Framework:
    """The library of the format, or of the class of an object in a format that takes any."""
    package = type(fitted.value).__module__.partition(".")[0]
    names = _distributions().get(package, [package]) if fitted.format.takes_transformers else fitted.format.libraries
    try:
        return Framework(name=names[0], version=metadata.version(names[0]))
    except metadata.PackageNotFoundError:
        return Framework(name=names[0], version=OWN_CODE)


@cache
def _distributions() -> Mapping[str, list[str]]:
    """The distributions that each package comes from; looking takes Python half a second."""
    return metadata.packages_distributions()


def library_versions(besides: Iterable[str] = ()) -> dict[str, str]:
    """The versions of the libraries that models of any kind use, and of those that are named and installed here."""
    return {name: version for name in (*LIBRARIES, *besides) if (version := _version(name))}


def library_differences(manifest: Manifest) -> tuple[str, ...]:
    """One line for each library that was of another version where the model was packed than it is here."""
    packed = {"python": manifest.python, manifest.framework.name: manifest.framework.version, **manifest.libraries}
    return tuple(
        f"{name} {version} in the bundle, {here} here"
        for name, version in packed.items()
        if (here := _installed(name)) != version and version not in (OWN_CODE, UNKNOWN)
    )


def _installed(name: str) -> str:
    return platform.python_version() if name == "python" else _version(name) or "none"


@lru_cache(maxsize=1_000)
def _version(name: str) -> str:
    """The version of an installed distribution, empty if it is not; looking takes a millisecond, and each benchmark
    asks for sixteen."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def describe_member(path: Path) -> Member:
    """The size and the sha256 of a file."""
    with path.open("rb") as file:
        return Member(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size_bytes=path.stat().st_size)


def write_bundle(
    path: Path, manifest: Manifest, files: Mapping[str, Path], *, compression: int = zipfile.ZIP_DEFLATED
) -> Path:
    """Write a bundle of files by member name: beside its place first, so that nobody sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    try:
        with zipfile.ZipFile(partial, "w", compression, compresslevel=1, strict_timestamps=False) as bundle:
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


def read_manifest(path: Path | str) -> Manifest:
    """A bundle's manifest, without a look at its members.

    Raises:
        NotABundleError: the file is not a zip file.
        ManifestError: the manifest is missing, or a field is wrong.
    """
    with _opened(Path(path)) as bundle:
        return _read_manifest(bundle)


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
        LoadError: the object cannot be loaded; `MissingPackageError` where its format's library is not installed.
        ImportError: it needs another package that is not installed.
        MemoryError: it needs more memory than there is.
    """
    own_modules = frozenset(module.stem for module in (folder / CODE).glob("*.py"))
    return load_file(folder / part.member, part.format, own_modules)


def load_model(folder: Path, manifest: Manifest) -> Model:
    """Load the model of an unpacked bundle such that it can predict, whatever its format.

    Raises:
        ModelError: the file does not fit the manifest; and all that `load_part` raises.
    """
    return format_named(manifest.model.format).adapt(load_part(folder, manifest.model), _meaning(manifest))


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    with path.open("rb") as file, _open_zip(file, path.name) as bundle:
        yield bundle


def _open_zip(file: IO[bytes], name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except BROKEN_ZIP as error:
        raise NotABundleError(
            f"{name} is not a bundle, or a damaged one: {error}. Write bundles with atlas.pack."
        ) from error


def _read_manifest(bundle: zipfile.ZipFile) -> Manifest:
    if MANIFEST not in bundle.namelist():
        raise ManifestError(f"{MANIFEST} is missing: this is a zip file, but not a bundle. Write it with atlas.pack.")
    with _member(bundle, MANIFEST) as file:
        content = file.read(MAX_MANIFEST_BYTES + 1)
    if len(content) > MAX_MANIFEST_BYTES:
        raise ManifestError(f"{MANIFEST} is larger than {MAX_MANIFEST_BYTES >> 20} MiB.")
    manifest = parse_manifest(content)
    for part in (manifest.model, manifest.pipeline):
        if part is not None:
            _check_format(part)
    return manifest


def _verified_members(bundle: zipfile.ZipFile, manifest: Manifest) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each member's name and content, checked while it is read; a member left unread is read to its end."""
    _check_names(bundle, manifest)
    for name, expected in manifest.members.items():
        chunks = _verified(bundle, name, expected)
        yield name, chunks
        for _ in chunks:
            pass


def _check_names(bundle: zipfile.ZipFile, manifest: Manifest) -> None:
    if len(bundle.infolist()) > MAX_MEMBERS:
        raise MemberError(f"The bundle has {len(bundle.infolist()):,} members; {MAX_MEMBERS:,} are allowed.")
    entries = [entry for entry in bundle.infolist() if not entry.is_dir()]
    names = Counter(entry.filename for entry in entries)
    promised = manifest.members.keys()
    _complain("could leave the bundle's folder", filter(_is_unsafe, names.keys() | promised))
    _complain("is in the file twice", (name for name, count in names.items() if count > 1))
    _complain("is a symbolic link; pack the file itself", (e.filename for e in entries if _is_link(e)))
    _complain("is in the manifest, but missing from the file", promised - names.keys())
    _complain("is in the file, but not in the manifest", names.keys() - promised - {MANIFEST})
    _complain("is both a file and a folder", names.keys() & _folders(names))
    if sum(member.size_bytes for member in manifest.members.values()) > MAX_TOTAL_BYTES:
        raise MemberError(f"The members are larger than {MAX_TOTAL_BYTES >> 30} GiB together.")


def _complain(what: str, names: Iterable[str], most: int = 5) -> None:
    found = sorted(names)
    if found:
        more = f" (and {len(found) - most} more)" if len(found) > most else ""
        raise MemberError(f"Member {', '.join(repr(name[:200]) for name in found[:most])}{more} {what}.")


def _folders(names: Iterable[str]) -> set[str]:
    return {str(folder) for name in names for folder in PurePosixPath(name).parents}


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _check_format(part: Part) -> None:
    try:
        format_named(part.format)
    except ModelError as error:
        raise ManifestError(f"{MANIFEST}: {part.member}: {error}") from error


def _is_unsafe(name: str) -> bool:
    """Whether a name is anything but the shortest way to write a path below the bundle's folder."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or str(path) != name or "\\" in name or "\0" in name


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
    entry = bundle.getinfo(name)
    if entry.flag_bits & ENCRYPTED:
        raise MemberError(f"Member {name!r} is encrypted; write the bundle with atlas.pack.")
    if entry.compress_type not in COMPRESSIONS:
        raise MemberError(f"Member {name!r} is compressed in a way that bundles do not use; write it with atlas.pack.")
    try:
        with bundle.open(entry) as file:
            yield file
    except BROKEN_ZIP as error:
        raise MemberError(f"Member {name!r} is damaged ({error}). Send the file again.") from error
