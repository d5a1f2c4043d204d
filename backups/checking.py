"""Reading backups back: whether each content is what it was when it was copied."""

from collections.abc import Iterable, Iterator

from backups.catalog import Needed
from backups.folders import CATALOG, DUMP, Backup
from backups.pool import Pool, content_of
from backups.showing import Bar


def problems(backups: Iterable[Backup], pool: Pool, bar: Bar) -> Iterator[str]:
    """What is wrong with some backups, in sentences; nothing if each can be restored. Shared contents are read once."""
    bad: dict[str, str] = {}
    with Needed() as checked:
        for backup in backups:
            wrong = list(_problems_of_files(backup))
            yield from wrong or _problems_of_objects(backup, pool, bar, checked, bad)


def _problems_of_objects(backup: Backup, pool: Pool, bar: Bar, checked: Needed, bad: dict[str, str]) -> Iterator[str]:
    """Read what was not read yet; what is wrong is added to `bad`, by sha256."""
    total = sum(each.size_bytes for each in backup.manifest.stores.values())
    with backup.catalog() as catalog, bar.step(f"Checking {backup.name}", total) as advance:
        for content in catalog.contents():
            if content.sha256 not in checked and (problem := pool.problem(content)):
                bad[content.sha256] = problem
            advance(content.size_bytes)
        checked.add_all_of(catalog)
        for entry in catalog.entries() if bad else ():
            if entry.content.sha256 in bad:
                yield f"{backup.name}: {entry.key} of the store {entry.store} {bad[entry.content.sha256]}."


def _problems_of_files(backup: Backup) -> Iterator[str]:
    for name, expected in ((DUMP, backup.manifest.dump), (CATALOG, backup.manifest.catalog)):
        path = backup.folder / name
        if not path.exists():
            yield f"{backup.name}: the file {name} is missing."
        elif content_of(path) != expected:
            yield f"{backup.name}: the file {name} is not what it was."
