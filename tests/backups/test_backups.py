"""What is backed up while Atlas goes on comes back as it was at one moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings
from typer.testing import CliRunner, Result

from atlas.cli import Commands
from atlas.states import ComponentState
from backups import commands, restoring
from backups.checking import problems
from backups.databases import Database, database
from backups.documents import BackupError, StoreName
from backups.folders import MANIFEST, Backup, Backups
from backups.making import Made, Stores, make
from backups.showing import Bar
from storage import records
from storage.models import DatasetVersion, Model
from tests.backups import filled
from tests.backups.conftest import Clock
from tests.samples import NOON

BAR = Bar(quiet=True)
pytestmark = pytest.mark.django_db(transaction=True)
in_folders = pytest.mark.parametrize("stores", ["folder"], indirect=True)


def back_up(backups: Backups, stores: Stores, clock: Clock, source: Database | None = None) -> Made:
    with backups.locked():
        return make(backups, source or database(), stores, clock=clock, bar=BAR)


def put_back(backup: Backup, backups: Backups, stores: Stores) -> None:
    restoring.check(backup, backups.pool, database(), BAR)
    restoring.restore(backup, backups.pool, database(), stores, BAR)


def rows() -> dict[str, list[Any]]:
    """All that is in the database."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found[table] = sorted(repr([bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in cursor)
    return found


def add(stores: Stores, name: str) -> None:
    filled.add_benchmarked(stores, name, DatasetVersion.objects.get().pk)


def remove(stores: Stores, name: str) -> None:
    filled.delete(stores, Model.objects.get(name=name).pk)


@pytest.fixture
def when_taken(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Database]:
    """The database, about whose first snapshot other things happen."""

    def made(*, before: Callable[[], None] = lambda: None, after: Callable[[], None] = lambda: None) -> Database:
        found, steps = database(), [before, after]
        snapshot = found.snapshot

        @contextmanager
        def surrounded(dump: Path) -> Iterator[None]:
            first, last = steps or [lambda: None] * 2
            steps.clear()
            first()
            with snapshot(dump):
                yield
            last()

        monkeypatch.setattr(found, "snapshot", surrounded)
        return found

    return made


def test_all_comes_back_as_it_was_whatever_was_done_since(
    stores: Stores, backups: Backups, clock: Clock, tmp_path: Path
) -> None:
    filled.fill(stores)
    filled.add_recording(stores, tmp_path, "monday")
    before, objects = rows(), set(filled.contents(stores))
    made = back_up(backups, stores, clock)
    remove(stores, "Forest-1.0.0-1")
    add(stores, "Forest-2.0.0-1")
    stores[StoreName.INGESTION].put("recordings/strange", b"what the backup does not know")
    assert "1 objects in the store ingestion" in str(restoring.existing(made.backup, stores))
    put_back(made.backup, backups, stores)
    assert rows() == before
    assert set(filled.contents(stores)) == objects
    assert (made.copied.objects, made.lost) == (len(objects), ())


@in_folders
def test_what_comes_and_goes_about_the_snapshot_is_as_the_snapshot_says(
    stores: Stores, backups: Backups, clock: Clock, when_taken: Callable[..., Database]
) -> None:
    filled.fill(stores, models=2)

    def before() -> None:
        remove(stores, "Forest-1.0.0-1")  # was copied already
        add(stores, "Forest-2.0.0-1")

    def after() -> None:
        remove(stores, "Forest-1.0.1-1")  # the snapshot has it
        add(stores, "Forest-3.0.0-1")  # the snapshot does not know it

    made = back_up(backups, stores, clock, when_taken(before=before, after=after))
    put_back(made.backup, backups, stores)
    assert set(Model.objects.values_list("name", flat=True)) == {"Forest-1.0.1-1", "Forest-2.0.0-1"}
    keys = {key for store, key, _ in filled.contents(stores) if store == StoreName.ATLAS and key.startswith("models/")}
    assert keys == {f"models/Forest-{version}-1.atlas" for version in ("1.0.1", "2.0.0", "3.0.0")}
    assert filled.unreadable(stores) == []


@in_folders
def test_the_snapshot_is_taken_anew_when_something_that_it_has_slipped_through(
    stores: Stores, backups: Backups, clock: Clock, when_taken: Callable[..., Database]
) -> None:
    filled.fill(stores, models=2)
    slips = {"before": lambda: add(stores, "Forest-2.0.0-1"), "after": lambda: remove(stores, "Forest-2.0.0-1")}
    made = back_up(backups, stores, clock, when_taken(**slips))
    put_back(made.backup, backups, stores)
    assert not Model.objects.filter(name="Forest-2.0.0-1").exists()
    assert filled.unreadable(stores) == []
    assert made.lost == ()


@in_folders
@pytest.mark.any_database
def test_objects_that_were_lost_before_are_told_and_keep_nothing_from_being_backed_up(
    stores: Stores, backups: Backups, clock: Clock
) -> None:
    filled.fill(stores, models=2)
    stores[StoreName.ATLAS].delete("predictions/Forest-1.0.1-1.parquet")
    made = back_up(backups, stores, clock)
    assert made.lost == (("atlas", "predictions/Forest-1.0.1-1.parquet"),)
    assert made.backup.manifest.lost == 1


@in_folders
@pytest.mark.any_database
def test_what_people_wanted_gone_does_not_come_back(stores: Stores, backups: Backups, clock: Clock) -> None:
    filled.fill(stores, models=2)
    filled.ask_to_delete(Model.objects.get(name="Forest-1.0.1-1").pk)
    put_back(back_up(backups, stores, clock).backup, backups, stores)
    assert not any("1.0.1" in key for _, key, _ in filled.contents(stores))


@in_folders
@pytest.mark.any_database
def test_the_next_backup_copies_only_what_is_new_and_old_ones_leave_nothing(
    stores: Stores, backups: Backups, clock: Clock
) -> None:
    filled.fill(stores, models=2)
    first = back_up(backups, stores, clock)
    assert back_up(backups, stores, clock).copied.objects == 0
    remove(stores, "Forest-1.0.0-1")
    add(stores, "Forest-2.0.0-1")
    last = back_up(backups, stores, clock)
    assert last.copied.objects == 2
    contents = [b"the model Forest-1.0.0-1", b"the predictions of Forest-1.0.0-1"]
    assert backups.prune(keep=1) == (2, sum(map(len, contents)))
    assert not first.backup.folder.exists()
    assert list(problems(backups.complete(), backups.pool, BAR)) == []
    put_back(last.backup, backups, stores)


@in_folders
@pytest.mark.any_database
def test_a_backup_that_was_broken_off_is_no_backup_but_what_it_copied_is_not_copied_again(
    stores: Stores, backups: Backups, clock: Clock, tmp_path: Path
) -> None:
    filled.fill(stores, models=2)
    half = back_up(backups, stores, clock).backup.folder
    (half / MANIFEST).unlink()
    with pytest.raises(BackupError, match="no complete backup"):
        backups.at(None)
    made = back_up(backups, stores, clock)
    assert made.copied.objects == 0
    backups.remove_broken_off()
    assert [each.name for each in backups.complete()] == [made.backup.name]


class Command:
    """The commands, within the test's process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, *options: str, status: int = 0) -> str:
        done = CliRunner().invoke(_app(), [name, str(self.folder), *options])
        assert done.exit_code == status, (done.output, done.exception)
        return _said(done)


def _app() -> Any:
    import typer

    app = typer.Typer(cls=Commands)
    app.registered_commands += commands.backup_app.registered_commands + commands.restore_app.registered_commands
    return app


def _said(done: Result) -> str:
    return " ".join(done.output.split())


@pytest.fixture
def command(stores: Stores, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The commands, of an Atlas whose stores are folders."""
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "atlas_web.settings")
    settings.ATLAS_OBJECT_STORE = str(tmp_path / StoreName.ATLAS)
    settings.ATLAS_INGESTION_STORE = str(tmp_path / StoreName.INGESTION)
    filled.fill(stores, models=2)
    return Command(tmp_path / "backups")


@in_folders
@pytest.mark.any_database
def test_the_commands_say_in_a_line_what_they_did(command: Command, stores: Stores) -> None:
    assert "0 B were copied now" not in command("backup")
    assert ", of which 0 of 0 B were copied now" in command("backup", "--keep", "1")
    assert command("backup", "--verify").startswith("All is as it was written: 1 backups")
    refused = command("restore", status=1)
    assert "rows in" in refused
    assert "With --replace it goes" in refused
    assert "2 models" not in refused
    remove(stores, "Forest-1.0.1-1")
    restored = command("restore", "--replace")
    assert "This goes:" in restored
    assert "Run `manage.py prepare`" in restored
    assert Model.objects.count() == 2
    assert "no complete backup" in command("restore", "--at", "2020-01-31", status=1)
    assert "--at" in command("restore", "--at", "yesterday", status=1)


@in_folders
@pytest.mark.any_database
def test_nothing_is_restored_under_a_running_engine(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    command("backup")
    monkeypatch.setattr("backups.running._now", lambda: NOON + timedelta(seconds=30))
    records.report_status("engine one", ComponentState.HEALTHY, "1 runs", now=NOON)
    assert "Atlas is running" in command("restore", "--replace", status=1)
    command("restore", "--replace", "--force")


@in_folders
@pytest.mark.any_database
def test_a_flipped_byte_is_found_and_nothing_is_touched_then(command: Command, stores: Stores) -> None:
    command("backup")
    backups = Backups(command.folder)
    with backups.at(None).catalog() as catalog:
        entry = next(each for each in catalog.entries() if each.key == "models/Forest-1.0.0-1.atlas")
    path = command.folder / "pool" / entry.content.sha256[:2] / entry.content.sha256
    content = bytearray(path.read_bytes())
    content[3] ^= 1
    path.write_bytes(content)
    before, objects = rows(), set(filled.contents(stores))
    said = command("backup", "--verify", status=1)
    assert "models/Forest-1.0.0-1.atlas of the store atlas is not what it was" in said
    assert "The backup is damaged" in command("restore", "--replace", status=1)
    assert (rows(), set(filled.contents(stores))) == (before, objects)


@in_folders
@pytest.mark.any_database
def test_two_backups_do_not_get_in_each_other_s_way(command: Command) -> None:
    with Backups(command.folder).locked():
        assert "Another backup is made" in command("backup", status=1)


@in_folders
@pytest.mark.any_database
def test_a_newer_release_s_backup_is_refused(stores: Stores, backups: Backups, clock: Clock) -> None:
    filled.fill(stores, models=1)
    made = back_up(backups, stores, clock)
    known = made.backup.manifest.migrations
    newer = made.backup.manifest.model_copy(
        update={"migrations": {**known, "storage": (*known["storage"], "0999_new")}}
    )
    with pytest.raises(BackupError, match="storage 0999_new"):
        restoring.check(Backup(folder=made.backup.folder, manifest=newer), backups.pool, database(), BAR)


@in_folders
@pytest.mark.any_database
def test_a_damaged_content_that_is_taken_away_is_copied_again(command: Command, stores: Stores) -> None:
    command("backup")
    damaged = next(path for path in (command.folder / "pool").rglob("*") if path.is_file())
    damaged.unlink()
    assert "is missing (pool/" in command("backup", "--verify", status=1)
    command("backup")
    assert command("backup", "--verify").startswith("All is as it was written: 2 backups")
