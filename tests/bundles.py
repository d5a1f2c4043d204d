"""Small bundles for tests: sound ones, and every kind of broken one with what Atlas says of it."""

import hashlib
import json
import pickle
import stat
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

import atlas
from atlas.bundle import MANIFEST, MAX_MEMBERS
from atlas.errors import BundleError, ManifestError, MemberError, NotABundleError, SchemaVersionError

COLUMNS = ("peak", "duration")
PACKED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

Manifest = dict[str, Any]


def rows(number: int = 40) -> pd.DataFrame:
    """Raw rows of two numeric columns, the same ones each time."""
    return pd.DataFrame(np.random.default_rng(0).normal(size=(number, len(COLUMNS))), columns=list(COLUMNS))


def labels(frame: pd.DataFrame) -> np.ndarray:
    """The true label of each row: `hit` where the peak is positive."""
    return np.where(frame["peak"] > 0, "hit", "none")


def classifier() -> LogisticRegression:
    """A fitted binary model."""
    return LogisticRegression().fit(rows(), labels(rows()))


def packed(folder: Path, model: Any = None, **changes: Any) -> Path:
    """A sound bundle, with some of `atlas.pack`'s arguments changed."""
    arguments: dict[str, Any] = {
        "name": "Detector",
        "version": "1.0.0",
        "use_case": "damage detector",
        "task": "binary",
        "author": ("Ada Lovelace", "ada@example.com"),
        "tags": ["crash-tests"],
        "metrics": ["f1", "accuracy"],
        "example": rows().head(),
        "format": "joblib",
        "created": PACKED,
    }
    return atlas.pack(classifier() if model is None else model, folder, **(arguments | changes))


def members(bundle: Path) -> dict[str, bytes]:
    """The content of every member, the manifest included."""
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path: Path, contents: Mapping[str, bytes]) -> Path:
    """A zip of these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def edited(path: Path, edit: Callable[[Manifest], object]) -> None:
    """Change a bundle's manifest in place."""
    contents = members(path)
    manifest = json.loads(contents[MANIFEST])
    edit(manifest)
    written(path, contents | {MANIFEST: json.dumps(manifest).encode()})


def smuggle(path: Path, name: str, content: bytes) -> None:
    """Put a member into a bundle, or in the place of one, with a manifest that vouches for it."""
    described = {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
    edited(path, lambda manifest: manifest["members"].update({name: described}))
    written(path, members(path) | {name: content})


class Bomb:
    """An object whose pickle creates a file when it is loaded."""

    def __init__(self, crater: Path) -> None:
        self.crater = crater

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self.crater,)


def pickle_bomb(folder: Path, crater: Path) -> Path:
    """A bundle, sound by its manifest, whose model creates the file `crater` when it is loaded."""
    path = packed(folder)
    smuggle(path, "model.joblib", pickle.dumps(Bomb(crater)))
    return path


@dataclass(frozen=True, slots=True)
class Broken:
    """One way to break a sound bundle, the error that Atlas raises, and words of its message."""

    what: str
    breaks: Callable[[Path], object]
    error: type[BundleError]
    says: tuple[str, ...]


def _field(what: str, edit: Callable[[Manifest], object], *says: str) -> Broken:
    """A broken field of the manifest."""
    return Broken(what, lambda path: edited(path, edit), ManifestError, ("manifest.json", *says))


def _manifest(what: str, content: bytes, *says: str) -> Broken:
    """A manifest that is no manifest."""
    return Broken(what, lambda path: written(path, members(path) | {MANIFEST: content}), ManifestError, says)


def _smuggled(what: str, name: str, error: type[BundleError], *says: str) -> Broken:
    """A member of a name that must not be, but that the manifest names too."""
    return Broken(what, lambda path: smuggle(path, name, b"content"), error, says)


def _without(path: Path, name: str) -> None:
    written(path, {key: content for key, content in members(path).items() if key != name})


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path: Path) -> None:
    """Change a byte of the model where it lies in the file, as a bad disk does."""
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("model.joblib")
    content = bytearray(path.read_bytes())
    content[entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def _repeat(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.fp.seek(archive.start_dir)  # type: ignore[union-attr]
        archive.NameToInfo.clear()  # or zipfile warns of the second one
        archive.writestr("model.joblib", b"another")


def _link(path: Path) -> None:
    smuggle(path, "reference.parquet", b"/etc/passwd")
    contents = members(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16 if name == "reference.parquet" else 0
            archive.writestr(entry, content)


def _recompress(path: Path) -> None:
    contents = members(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name == MANIFEST else zipfile.ZIP_LZMA)


def _overlap(path: Path) -> None:
    smuggle(path, "code/a", b"1")
    smuggle(path, "code/a/b", b"2")


def _encrypt(path: Path) -> None:
    """Set the flag that says so, in the central directory's entry of the model."""
    content = bytearray(path.read_bytes())
    central = content.rindex(b"PK\x01\x02", 0, content.rindex(b"model.joblib"))
    content[central + 8] |= 1
    path.write_bytes(bytes(content))


def _bomb(path: Path) -> None:
    """A member that unpacks to far more than the manifest promises."""
    written(path, members(path) | {"model.joblib": bytes(20_000_000)})


def _crowd(path: Path) -> None:
    written(path, members(path) | {f"code/m{number}.py": b"" for number in range(MAX_MEMBERS)})


def _promise(size_bytes: int) -> Callable[[Manifest], object]:
    return lambda manifest: manifest["members"]["model.joblib"].update(size_bytes=size_bytes)


BROKEN: tuple[Broken, ...] = (
    Broken("not a zip file", lambda p: p.write_bytes(b"GIF89a"), NotABundleError, ("not a zip file", "atlas.pack")),
    Broken("an empty file", lambda p: p.write_bytes(b""), NotABundleError, ("not a zip file", "atlas.pack")),
    Broken("half a zip file", _truncate, NotABundleError, ("damaged", "atlas.pack")),
    Broken("no manifest", lambda p: _without(p, MANIFEST), ManifestError, ("manifest.json is missing", "atlas.pack")),
    _manifest("a manifest that is no JSON", b"{name: x}", "manifest.json is not JSON"),
    _manifest("a manifest that is no text", b"\xff\xfe\xfd", "manifest.json is not JSON"),
    _manifest("a manifest that is a list", b"[1]", "an object is wanted, not a list"),
    _manifest("a manifest that is too deep", b"[" * 100_000, "manifest.json is not JSON"),
    _manifest("a manifest that is too large", b" " * (5 << 20), "larger than 2 MiB"),
    _field("a missing field", lambda m: m.pop("use_case"), "use_case: this field is missing"),
    _field("an unknown field", lambda m: m.update(colour="red"), "colour: no such field"),
    _field("a field of a wrong type", lambda m: m.update(target=7), "target: a text is wanted, not 7"),
    _field("a list that is a text", lambda m: m.update(tags="crash"), "tags: a list is wanted, not 'crash'"),
    _field("an unknown task", lambda m: m.update(task="clustering"), "task:", "'multiclass'", "not 'clustering'"),
    _field("no tags", lambda m: m.update(tags=[]), "tags: at least 1 wanted, not 0"),
    _field("a tag named twice", lambda m: m.update(tags=["a", "a"]), "tags: a is named twice"),
    _field("a name with a blank", lambda m: m.update(name="My model"), "name: a name of", "letters", "'My model'"),
    _field("an address that is none", lambda m: m["author"].update(email="ada"), "author.email: an e-mail address"),
    _field("a date without time zone", lambda m: m.update(created="2026-01-02T03:04:05"), "created:", "timezone"),
    _field("a number that is not finite", lambda m: m["hyperparameters"].update(C=float("nan")), "strict JSON"),
    _field("a NUL in a text", lambda m: m.update(use_case="a\0b"), "NUL character"),
    _field("half a surrogate pair", lambda m: m.update(use_case="a\ud800b"), "surrogates not allowed"),
    _field("an unknown metric", lambda m: m.update(metrics=["acuracy"]), "metrics:", "'acuracy'", "'accuracy'"),
    _field("another task's metric", lambda m: m.update(metrics=["r2"]), "metrics: 'r2' is not for binary models"),
    _field("a primary metric of its own", lambda m: m.update(primary_metric="recall"), "primary_metric: 'recall'"),
    _field("one class", lambda m: m.update(classes=["hit"]), "classes: a binary model needs at least two"),
    _field("three classes", lambda m: m.update(classes=[1, 2, 3]), "classes: a binary model has two, not 3"),
    _field("a class that is none", lambda m: m.update(classes=["hit", None]), "classes[1]: a text, a number", "None"),
    _field("classes without end", lambda m: m.update(classes=[*range(2_000)]), "classes: at most 1000 are allowed"),
    _field("the target as an input", lambda m: m.update(target="peak"), "input_schema: 'peak' is the target"),
    _field("no input", lambda m: m.update(input_schema=[]), "input_schema: at least 1 wanted"),
    _field("an unknown format", lambda m: m["model"].update(format="onyx"), "'onyx'", "joblib, lightgbm"),
    _field("a model that is no member", lambda m: m["model"].update(member="x.skops"), "members: 'x.skops'"),
    _field(
        "a metric without its module",
        lambda m: m.update(custom_metrics=[{"name": "mine", "function": "costs:mine"}], metrics=["mine", "f1"]),
        "custom_metrics: 'mine' is in module 'costs', which is not in code/",
    ),
    _field("a limit that there is not", lambda m: m.update(limits={"ram": 1}), "limits.ram: no such field"),
    _field("a limit of nothing", lambda m: m.update(limits={"threads": 0}), "limits.threads: ", "not 0"),
    _field("a schema version that is none", lambda m: m.update(schema_version="1"), "schema_version", "'1'"),
    Broken(
        "a newer schema version",
        lambda p: edited(p, lambda m: m.update(schema_version=9)),
        SchemaVersionError,
        ("schema_version 9 was written by a newer Atlas", "Update Atlas"),
    ),
    Broken("a missing member", lambda p: _without(p, "model.joblib"), MemberError, ("'model.joblib'", "missing")),
    Broken(
        "an unexpected member",
        lambda p: written(p, members(p) | {"virus.py": b""}),
        MemberError,
        ("'virus.py' is in the file, but not in the manifest",),
    ),
    Broken(
        "a wrong digest",
        lambda p: edited(p, lambda m: m["members"]["model.joblib"].update(sha256="0" * 64)),
        MemberError,
        ("'model.joblib' is not the file that was packed",),
    ),
    Broken("a member larger than promised", _bomb, MemberError, ("'model.joblib' is larger than the",)),
    Broken("a smaller member", lambda p: edited(p, _promise(10**6)), MemberError, ("is not the file that was packed",)),
    Broken("a giant", lambda p: edited(p, _promise(1 << 40)), MemberError, ("larger than 16 GiB",)),
    Broken("a damaged member", _flip, MemberError, ("'model.joblib'", "damaged")),
    _smuggled("a way out of the folder", "code/../../evil.py", MemberError, "'code/../../evil.py' could leave"),
    _smuggled("an absolute name", "/etc/evil.py", ManifestError, "members./etc/evil.py", "a file name of letters"),
    _smuggled("a name of two spellings", "code//a.py", MemberError, "'code//a.py' could leave"),
    _smuggled("a backslash", "code\\a.py", ManifestError, "a file name of letters"),
    Broken(
        "an absolute name that no manifest names",
        lambda p: written(p, members(p) | {"/etc/evil.py": b""}),
        MemberError,
        ("'/etc/evil.py' could leave the bundle's folder",),
    ),
    Broken(
        "a file that is a folder too",
        _overlap,
        MemberError,
        ("'code/a' is both a file and a folder",),
    ),
    Broken("a member twice", _repeat, MemberError, ("'model.joblib' is in the file twice",)),
    Broken("a symbolic link", _link, MemberError, ("'reference.parquet' is a symbolic link",)),
    Broken("too many members", _crowd, MemberError, ("1,002 members; 1,000 are allowed",)),
    Broken("an encrypted member", _encrypt, MemberError, ("'model.joblib' is encrypted", "atlas.pack")),
    Broken("another compression", _recompress, MemberError, ("'model.joblib' is compressed in a way", "atlas.pack")),
)
"""Every kind of broken bundle that Atlas tells apart."""
