"""Where files are kept: models, predictions, figures. A folder or an S3 bucket behind one small protocol.

Writes are atomic in both: who lists or reads sees the whole old object or the whole new one, never a part, also when
a writer is killed midway. This module imports no Django: engines' child processes and workers use it too.
"""

import io
import os
import re
import shutil
import stat
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO, ClassVar, Protocol, Self, cast
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import urllib3
from minio import Minio
from minio.datatypes import Object
from minio.error import InvalidResponseError, MinioException, S3Error

from atlas.errors import ObjectNotFoundError, ObjectStoreError, SettingsError
from storage import listening

S3_FORM = (
    "s3://KEY:SECRET@HOST:PORT/BUCKET, with ?secure=false for plain HTTP, &ca=FILE for certificates of your own, and "
    "&region=NAME if the server wants one (percent-encode special characters in KEY and SECRET)"
)
_ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_COPY_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """What a store says of one object, without reading its content."""

    key: str  # parts joined by "/", e.g. "models/DamageDetector-1.0.0.atlas"
    etag: str  # opaque; changes whenever other content takes the key
    size_bytes: int
    modified: datetime  # UTC


class ObjectKeyError(ObjectStoreError):
    """The key cannot name an object."""

    retry_helps: ClassVar[bool] = False


class NoEventsError(ObjectStoreError):
    """The store does not tell of new objects; who waits for some has to list them."""

    retry_helps: ClassVar[bool] = False


class ObjectStore(Protocol):
    """Seven verbs, a listing, news and room for files over keys (see `check_key`).

    Every method raises ObjectStoreError when the store cannot be reached or refuses, and its subclass ObjectKeyError
    when the key cannot name an object. A local file that cannot be read or written stays an OSError.
    """

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """The objects whose keys begin with `prefix`, in no particular order, read as they are asked for."""

    def stat(self, key: str) -> StoredObject:
        """What is stored under `key`.

        Raises:
            ObjectNotFoundError: nothing is.
        """

    def get(self, key: str, destination: Path) -> StoredObject:
        """Downloads to `destination`, which appears (or is replaced) only when complete; says what was downloaded.

        Raises:
            ObjectNotFoundError: there is no such object.
        """

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """A stream of the content, to be read once from the beginning. It stays whole when the object is replaced.

        Raises:
            ObjectNotFoundError: there is no such object.
        """

    def read(self, key: str, first: int, stop: int) -> bytes:
        """The bytes from `first` until before `stop`, counted from 0; fewer where the object ends.

        Raises:
            ObjectNotFoundError: there is no such object.
        """

    def put(self, key: str, source: Path | bytes | BinaryIO) -> None:
        """Stores a file, bytes, or what remains of a stream under `key`, in the place of what was there."""

    def scratch(self) -> AbstractContextManager[Path]:
        """A new folder for files on their way into the store; what is left of it is gone when the block ends."""

    def take(self, key: str, source: Path) -> None:
        """Stores a file that lies in a folder of `scratch` under `key`, as `put` does, and removes it from there.

        It is cheaper than `put`: a store that is a folder copies nothing.
        """

    def delete(self, key: str) -> None:
        """Removes the object, if there is one."""

    def changes(self, prefix: str, stop: threading.Event) -> AbstractContextManager[Iterator[str]]:
        """Listens: the keys that begin with `prefix` and are written while the block runs, as they arrive.

        Every object that is written after the block was entered is told, some perhaps twice. The iterator waits for
        the next one and ends about half a second after `stop` is set.

        Raises:
            NoEventsError: the store offers no such thing.
            ObjectStoreError: the connection cannot be made or, from the iterator, was lost; what came meanwhile is
                found by listing.
        """


def open_store(url: str) -> ObjectStore:
    """The store at `url`: `s3://key:secret@host:port/bucket?secure=false&region=...&ca=FILE`, or the path of a folder.

    The bucket (`atlas` unless given) or folder is made if it is missing.

    Raises:
        SettingsError: the URL has another form.
        ObjectStoreError: the store cannot be reached or refuses.
    """
    address = check_url(url)
    return DirectoryStore(Path(url)) if address is None else MinioStore(address)


def check_url(url: str) -> "S3Address | None":
    """The address that a URL of a store has, without asking there; None of a folder's path.

    Raises:
        SettingsError: the URL has another form.
    """
    if url.startswith("s3://"):
        return S3Address.parse(url)
    if "://" in url or not url.strip():
        raise SettingsError(f"the object store {url!r} is neither a folder's path nor {S3_FORM}")
    return None


_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


def check_key(key: str) -> None:
    """Refuses what some store could not hold, or what could lead out of a folder; the same for every store.

    A key is at most 1024 bytes of UTF-8: parts of at most 255 bytes joined by "/". No part is empty or begins with a
    dot (so neither `..` nor the stores' own hidden files can be named); backslashes and control characters are refused.

    Raises:
        ObjectKeyError: with what is wrong.
    """
    if problem := _key_problem(key):
        raise ObjectKeyError(f"the object key {key!r} {problem}")


def _key_problem(key: str) -> str:
    parts = key.split("/")
    if not all(part.strip() for part in parts):
        return "is empty, or begins or ends with '/', or has an empty part"
    if any(part.startswith(".") for part in parts):
        return "has a part that begins with a dot"
    if _FORBIDDEN.search(key):
        return "has a backslash or a control character"
    if len(key.encode()) > 1024 or any(len(part.encode()) > 255 for part in parts):
        return "is longer than 1024 bytes, or one of its parts is longer than 255"
    return ""


def _folder_of(prefix: str) -> str:
    """The deepest folder that holds every key of this prefix: "" or a key ending in "/"."""
    folder = prefix.rpartition("/")[0]
    if folder or prefix.startswith("/"):
        check_key(folder)
    return f"{folder}/" if folder else ""


def _stream_of(source: Path | bytes | BinaryIO) -> AbstractContextManager[BinaryIO]:
    if isinstance(source, Path):
        return source.open("rb")
    return nullcontext(io.BytesIO(source) if isinstance(source, bytes) else source)


@contextmanager
def _written_at_once(target: Path, scratch: Path) -> Iterator[BinaryIO]:
    """A stream to a new file in the folder `scratch` that becomes `target` when the block ends without an error."""
    temporary = scratch / f".{uuid.uuid4().hex}"
    try:
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


class DirectoryStore:
    """Objects as files below one folder. Links below it are neither followed nor listed: they could lead out of it."""

    LEFTOVER_SECONDS = 24 * 3600  # a file of a writer that was killed is removed when it is this old

    def __init__(self, root: Path) -> None:
        with self._errors(f"use the folder {root}"):
            self._root = root.resolve()
            self._scratch = self._root / ".incoming"
            self._scratch.mkdir(parents=True, exist_ok=True)
            self._remove_leftovers(older_than=time.time() - self.LEFTOVER_SECONDS)

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        folder = _folder_of(prefix)
        return self._walk(self._folder(folder), folder, prefix)

    def stat(self, key: str) -> StoredObject:
        with self._errors("read", key):
            return _describe_file(key, self._path(key).stat())

    def get(self, key: str, destination: Path) -> StoredObject:
        with self.open(key) as source, _written_at_once(destination, destination.parent) as target:
            shutil.copyfileobj(source, target, _COPY_BYTES)
            return _describe_file(key, os.fstat(source.fileno()))

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        with self._errors("read", key):
            return self._path(key).open("rb")

    def read(self, key: str, first: int, stop: int) -> bytes:
        with self.open(key) as stream, self._errors("read", key):
            stream.seek(first)
            return stream.read(max(stop - first, 0))

    def put(self, key: str, source: Path | bytes | BinaryIO) -> None:
        target = self._path(key)
        with _stream_of(source) as content, self._errors("write", key):
            _make_folder(target.parent)
            with _written_at_once(target, self._scratch) as stream:
                shutil.copyfileobj(content, stream, _COPY_BYTES)
            _sync_folder(target.parent)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        with self._errors("write into the folder"):
            folder = tempfile.TemporaryDirectory(prefix=".", dir=self._scratch)
        with folder as name:
            yield Path(name)

    def take(self, key: str, source: Path) -> None:
        target = self._path(key)
        with self._errors("write", key):
            _make_folder(target.parent)
            with source.open("rb") as stream:
                os.fsync(stream.fileno())
            source.replace(target)
            _sync_folder(target.parent)

    def delete(self, key: str) -> None:
        with self._errors("delete", key), suppress(*_ABSENT):
            self._path(key).unlink()

    @contextmanager
    def changes(self, prefix: str, stop: threading.Event) -> Iterator[Iterator[str]]:
        folder = self._folder(_folder_of(prefix))
        with self._errors(f"watch {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            paths = listening.watched(folder, stop)
        yield self._arrivals(paths, prefix)

    def _arrivals(self, paths: Iterator[str], prefix: str) -> Iterator[str]:
        with self._errors("watch the folder"):
            for path in paths:
                key = Path(path).relative_to(self._root).as_posix()
                if not _key_problem(key):
                    yield from self._keys_at(key, prefix)

    def _keys_at(self, key: str, prefix: str) -> Iterator[str]:
        """The key itself if it is an object's, else those below it; none if it is a link or gone."""
        with suppress(ObjectKeyError, ObjectNotFoundError):
            if (path := self._path(key)).is_dir():
                yield from (found.key for found in self._walk(path, f"{key}/", prefix))
            elif key.startswith(prefix):
                yield self.stat(key).key

    def _folder(self, key: str) -> Path:
        return self._path(key.rstrip("/")) if key else self._root

    def _path(self, key: str) -> Path:
        check_key(key)
        path = self._root / key
        if os.path.realpath(path) != str(path):
            raise ObjectKeyError(f"the object key {key!r} leads through a link in the folder {self._root}")
        return path

    def _walk(self, folder: Path, above: str, prefix: str) -> Iterator[StoredObject]:
        with self._errors(f"list {above or 'the folder'}"), suppress(*_ABSENT), os.scandir(folder) as entries:
            for entry in entries:
                key = above + entry.name
                if not key.startswith(prefix) or _key_problem(key):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from self._walk(folder / entry.name, f"{key}/", prefix)
                elif entry.is_file(follow_symlinks=False):
                    yield from _describe_entry(key, entry)

    def _remove_leftovers(self, *, older_than: float) -> None:
        for path in self._scratch.iterdir():
            with suppress(FileNotFoundError):  # its writer finished, or another process removes it too
                if path.stat().st_mtime >= older_than:
                    continue
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    @contextmanager
    def _errors(self, action: str, key: str = "") -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if action == "read" and isinstance(error, _ABSENT):
                raise ObjectNotFoundError(f"there is no object {key!r} in the folder {self._root}") from error
            what = f"{action} {key!r}" if key else action
            raise ObjectStoreError(f"object store: cannot {what}: {error}") from error


def _describe_file(key: str, status: os.stat_result) -> StoredObject:
    if not stat.S_ISREG(status.st_mode):
        raise IsADirectoryError(key)
    return StoredObject(
        key=key,
        etag=f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}",
        size_bytes=status.st_size,
        modified=datetime.fromtimestamp(status.st_mtime, UTC),
    )


def _describe_entry(key: str, entry: os.DirEntry[str]) -> Iterator[StoredObject]:
    """One object, or none when it was deleted since its folder was read."""
    with suppress(*_ABSENT):
        yield _describe_file(key, entry.stat(follow_symlinks=False))


def _make_folder(folder: Path) -> None:
    """Makes a folder that survives a power failure, and those above it that are missing."""
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Makes a rename in the folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, kw_only=True)
class S3Address:
    """Where an S3 bucket is and how to sign in."""

    endpoint: str  # host:port
    access_key: str
    secret_key: str = field(repr=False)
    bucket: str = "atlas"
    secure: bool = True  # HTTPS
    region: str | None = None
    ca_file: Path | None = None
    """Certificates, in PEM, that the server's is checked with; the system's if none."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Reads `s3://key:secret@host:port/bucket?secure=false&region=...&ca=FILE`.

        Raises:
            SettingsError: the URL has another form; the message never holds the secret.
        """
        try:
            return cls._from_parts(urlsplit(url))
        except ValueError as error:
            raise SettingsError(f"the object store's URL is wrong: {error}; it must look like {S3_FORM}") from error

    @classmethod
    def _from_parts(cls, parts: SplitResult) -> Self:
        if not (parts.username and parts.password and parts.hostname):
            raise ValueError("the key, the secret or the host is missing")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        options = {name: values[-1] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
        if unknown := options.keys() - {"secure", "region", "ca"}:
            raise ValueError(f"unknown option {', '.join(sorted(unknown))}")
        return cls(
            endpoint=f"{host}:{parts.port}" if parts.port else host,
            access_key=unquote(parts.username),
            secret_key=unquote(parts.password),
            bucket=_bucket_name(parts.path.strip("/") or "atlas"),
            secure=_boolean("secure", options.get("secure", "true")),
            region=options.get("region"),
            ca_file=_readable("ca", options.get("ca")),
        )


def _readable(name: str, path: str | None) -> Path | None:
    if path and not os.access(path, os.R_OK):
        raise ValueError(f"{name} is {path!r}, a file that cannot be read")
    return Path(path) if path else None


def _bucket_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", name):
        raise ValueError(f"the bucket {name!r} is not 3 to 63 lower-case letters, digits and hyphens")
    return name


def _boolean(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{name} is {text!r}, which is neither true nor false")
    return text == "true"


class MinioStore:
    """Objects in a bucket of MinIO, or of any other S3 server."""

    PART_BYTES = 16 << 20  # larger objects go up in parts; one part at a time is in memory
    SILENCE_SECONDS = 5.0  # servers that tell of objects give a sign of life twice a second

    def __init__(self, address: S3Address) -> None:
        self._address = address
        self._bucket = address.bucket
        self._where = f"{address.endpoint}/{address.bucket}"
        self._client = _minio_client(address)
        self._make_bucket()

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        _folder_of(prefix)
        return self._listing(prefix)

    def stat(self, key: str) -> StoredObject:
        check_key(key)
        with self._errors("read", key):
            found = self._client.stat_object(self._bucket, key)
            return _describe_object(key, found.etag, found.size, found.last_modified)

    def get(self, key: str, destination: Path) -> StoredObject:
        with self._response(key) as response, _written_at_once(destination, destination.parent) as target:
            shutil.copyfileobj(response, target, _COPY_BYTES)
            headers = response.headers
        return _describe_object(
            key, headers["ETag"], int(headers["Content-Length"]), parsedate_to_datetime(headers["Last-Modified"])
        )

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        with self._response(key) as response:
            yield io.BufferedReader(response)

    def read(self, key: str, first: int, stop: int) -> bytes:
        if stop <= first:
            self.stat(key)
            return b""
        try:
            with self._response(key, offset=first, length=stop - first) as response:
                return response.read()
        except ObjectStoreError as error:
            if _says(error.__cause__, "InvalidRange"):
                return b""  # it begins behind the object's end
            raise

    def put(self, key: str, source: Path | bytes | BinaryIO) -> None:
        check_key(key)
        with _stream_of(source) as content, self._errors("write", key):
            self._client.put_object(
                self._bucket, key, content, length=-1, part_size=self.PART_BYTES, num_parallel_uploads=1
            )

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="atlas-objects-") as name:
            yield Path(name)

    def take(self, key: str, source: Path) -> None:
        self.put(key, source)
        source.unlink()

    def delete(self, key: str) -> None:
        check_key(key)
        with self._errors("delete", key):
            self._client.remove_object(self._bucket, key)

    @contextmanager
    def changes(self, prefix: str, stop: threading.Event) -> Iterator[Iterator[str]]:
        _folder_of(prefix)
        with self._errors("listen"):
            response = self._listen(prefix)
        try:
            yield self._arrivals(response, stop)
        finally:
            response.close()

    def _listen(self, prefix: str) -> urllib3.BaseHTTPResponse:
        """The client's own iterator hides lost connections, asks servers without events for ever, and cannot be ended.

        So this makes the request that `Minio.listen_bucket_notification` makes, and reads the answer itself.
        """
        client = _minio_client(self._address, read_seconds=self.SILENCE_SECONDS, attempts=1)
        try:
            response = client._execute(
                "GET",
                self._bucket,
                query_params={"prefix": prefix, "suffix": "", "events": "s3:ObjectCreated:*"},
                preload_content=False,
            )
        except S3Error as error:
            if error.code in ("NotImplemented", "MethodNotAllowed", "AccessDenied"):
                raise NoEventsError(f"{self._where} tells of no new objects: {error.message} ({error.code})") from error
            raise
        if response.headers.get("Content-Type") != listening.STREAM:
            response.close()
            raise NoEventsError(f"{self._where} tells of no new objects")
        return response

    def _arrivals(self, response: urllib3.BaseHTTPResponse, stop: threading.Event) -> Iterator[str]:
        try:
            with self._errors("listen"):
                yield from (key for key in listening.told(response.stream(), stop) if not _key_problem(key))
        except (ValueError, LookupError) as error:
            raise ObjectStoreError(f"object store {self._where}: what it tells cannot be read: {error}") from error
        if not stop.is_set():
            raise ObjectStoreError(f"object store {self._where}: the server ended the events")

    def _make_bucket(self) -> None:
        with self._errors("open the bucket"):
            if self._client.bucket_exists(self._bucket):
                return
            try:
                self._client.make_bucket(self._bucket)
            except S3Error as error:
                if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):  # another process was faster
                    raise

    def _listing(self, prefix: str) -> Iterator[StoredObject]:
        with self._errors(f"list {prefix!r}"):
            for found in self._client.list_objects(self._bucket, prefix=prefix, recursive=True):
                key = str(found.object_name)
                if not _key_problem(key):  # other programs' folder markers and hidden files
                    yield from self._listed(key, found)

    def _listed(self, key: str, found: Object) -> Iterator[StoredObject]:
        """One object, or none if it is gone. Some servers leave out what they do not know of one that is just being
        written or deleted: then it is looked at by itself."""
        if found.etag and found.last_modified and found.size is not None:
            yield _describe_object(key, found.etag, found.size, found.last_modified)
        else:
            with suppress(ObjectNotFoundError):
                yield self.stat(key)

    @contextmanager
    def _response(self, key: str, *, offset: int = 0, length: int = 0) -> Iterator[urllib3.HTTPResponse]:
        """A stream of the object from `offset`; of its whole rest if `length` is 0."""
        check_key(key)
        with self._errors("read", key):
            found = self._client.get_object(self._bucket, key, offset=offset, length=length)
            response = cast(urllib3.HTTPResponse, found)
            response.auto_close = False  # else reading at the end is an error, not b""
            try:
                yield response
            finally:
                response.close()
                response.release_conn()

    @contextmanager
    def _errors(self, action: str, key: str = "") -> Iterator[None]:
        what = f"object store {self._where}: cannot {action}" + (f" {key!r}" if key else "")
        try:
            yield
        except urllib3.exceptions.MaxRetryError as error:
            raise ObjectStoreError(f"{what}: no answer; is the server running? ({error.reason})") from error
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            if _says(error, "NoSuchKey"):
                raise ObjectNotFoundError(f"there is no object {key!r} in {self._where}") from error
            why = f"{error.message} ({error.code})" if isinstance(error, S3Error) else error
            raise ObjectStoreError(f"{what}: {why}") from error


def connections(address: S3Address, *, read_seconds: float = 60.0, attempts: int = 3) -> urllib3.PoolManager:
    """Connections that give up on a server that cannot be reached after some attempts of two seconds."""
    retries = urllib3.Retry(
        total=attempts - 1,
        backoff_factor=0.2,
        status_forcelist=[500, 502, 503, 504],
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    return urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=2, read=read_seconds),
        retries=retries,
        maxsize=10,
        ca_certs=str(address.ca_file) if address.ca_file else None,
    )


def _minio_client(address: S3Address, *, read_seconds: float = 60.0, attempts: int = 3) -> Minio:
    return Minio(
        address.endpoint,
        access_key=address.access_key,
        secret_key=address.secret_key,
        secure=address.secure,
        region=address.region,
        http_client=connections(address, read_seconds=read_seconds, attempts=attempts),
    )


def _says(error: BaseException | None, code: str) -> bool:
    if isinstance(error, S3Error):
        return error.code == code
    # Some servers send errors as text/xml, which the client hands on unread.
    return isinstance(error, InvalidResponseError) and f"<Code>{code}</Code>" in str(error)


def _describe_object(key: str, etag: str | None, size_bytes: int | None, modified: datetime | None) -> StoredObject:
    """Times to the second: listings tell them more exactly than other answers do."""
    if not etag or size_bytes is None or modified is None:
        raise ObjectStoreError(f"object store: the server does not tell the ETag, size or date of {key!r}")
    when = modified.astimezone(UTC).replace(microsecond=0)
    return StoredObject(key=key, etag=etag.strip('"'), size_bytes=size_bytes, modified=when)
