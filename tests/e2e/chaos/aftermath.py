"""Runs the chaos, and tells what it leaves behind."""

import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from atlas.errors import ObjectStoreError
from tests import servers
from tests.dask_cluster import DaskCluster
from tests.e2e.chaos.monkey import Monkey
from tests.e2e.chaos.site import Program, Site, Victim, adopted_orphans
from tests.e2e.chaos.workload import Result, Workload
from tests.e2e.installation import ROOT, Installation
from tests.servers import Server

MODELS, VERSIONS = 100, 2
DASK_FOLDER = "dask-scratch-space"
"""Where Dask's own processes keep what they like."""
SETTINGS: dict[str, object] = {"lease_seconds": 4, "grace_seconds": 10, "max_attempts": 100, "retry_seconds": 0.2}
RESULTS = """
    SELECT m.name, v.number, f1.value, accuracy.value, matrix.counts FROM storage_benchmark b
    JOIN storage_model m ON m.id = b.model_id
    JOIN storage_datasetversion v ON v.id = b.dataset_version_id
    JOIN storage_metric f1 ON f1.benchmark_id = b.id AND f1.name = 'f1'
    JOIN storage_metric accuracy ON accuracy.benchmark_id = b.id AND accuracy.name = 'accuracy'
    JOIN storage_confusionmatrix matrix ON matrix.benchmark_id = b.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to run benchmarks, and how often what is killed.

    Attributes:
        engines: the settings of each engine, by its name.
        kills: how often, as often as there are models.
        workers: those of a Dask cluster; without any, the engines run benchmarks themselves.
    """

    engines: Mapping[str, Mapping[str, object]]
    kills: Mapping[Victim, int]
    workers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What there is after the killing: all benchmarks are done, or so it seems, and the engines have stopped.

    Attributes:
        site: where it happened; its database and object store still run.
        workload: what was to be done.
        strangers: the processes that outlived their engines.
    """

    site: Site
    workload: Workload
    strangers: list[psutil.Process]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds in the database."""
        return self.site.installation.rows(query)

    def results(self) -> dict[tuple[str, int], Result]:
        """What was measured, for the name of each model and the number of each version."""
        return {
            (name, number): Result.of(f1, accuracy, counts) for name, number, f1, accuracy, counts in self.rows(RESULTS)
        }

    def orphan_objects(self) -> set[str]:
        """The keys of predictions in the object store that no benchmark refers to, and of those that are missing."""
        query = "SELECT predictions_key FROM storage_benchmark WHERE predictions_key <> ''"
        wanted = {key for (key,) in self.rows(query)}
        try:
            return wanted ^ {found.key for found in self.site.installation.objects.list("predictions/")}
        except ObjectStoreError as error:  # an object was removed while they were listed
            return {str(error)}

    def leftover_files(self) -> list[str]:
        """Folders of sandboxes, and files of downloads that broke off."""
        folder = self.site.installation.folder
        hidden = [path for cache in folder.glob("cache*/") for path in cache.rglob(".*") if path.name != ".locks"]
        temporary = [path for path in (folder / "tmp").iterdir() if path.name != DASK_FOLDER]
        return sorted(str(path.relative_to(folder)) for path in [*temporary, *hidden])


@contextmanager
def chaos(variant: Variant, seed: str) -> Iterator[Aftermath]:
    """Run all benchmarks while the monkey kills, then stop the engines. Once more they start and stop, to clean up."""
    with ExitStack() as stack:
        strangers = stack.enter_context(adopted_orphans())
        database = stack.enter_context(servers.mortal_postgresql())
        store = stack.enter_context(servers.mortal_juicefs_gateway())
        installation = stack.enter_context(_installed(database, store))
        ingestion = installation.start_ingestion()
        installation.environment["TMPDIR"] = str(installation.folder / "tmp")  # of what is killed, not of what runs on
        cluster = stack.enter_context(_cluster(installation, variant.workers))
        programs = {Victim.ENGINE: _engines(installation, variant), **cluster}
        site = Site(installation, {Victim.DATABASE: [database], Victim.OBJECT_STORE: [store], **programs}, seed)
        workload = Workload(installation, models=MODELS, versions=VERSIONS)
        workload.send_versions()
        Monkey(site, variant.kills).rampage(workload)
        site.wait_for(lambda: site.done() == workload.benchmarks, "all benchmarks")
        _stop(site, programs)
        left = strangers((database.pid, store.pid, ingestion.pid))
        aftermath = Aftermath(site=site, workload=workload, strangers=left)
        site.wait_for(lambda: site.is_whole and not aftermath.orphan_objects(), "orphan objects to be removed")
        _stop(site, programs)
        yield aftermath


def _stop(site: Site, programs: Mapping[Victim, Sequence[Program]]) -> None:
    """Stop the engines, and then what they used."""
    site.wait_for(lambda: site.is_whole, "everything to run")
    codes = {program.stop() for program in programs[Victim.ENGINE]}
    assert codes <= {0, -signal.SIGTERM}, site.report()  # one that had only just been started knows no better
    for kind in (Victim.WORKER, Victim.SCHEDULER):
        for program in programs.get(kind, ()):
            program.stop()


def _engines(installation: Installation, variant: Variant) -> list[Program]:
    return [_engine(installation, name, settings) for name, settings in variant.engines.items()]


def _engine(installation: Installation, name: str, settings: Mapping[str, object]) -> Program:
    cache = installation.folder / "cache" / name
    return Program(run=lambda: installation.start("run_engine", engine_name=name, cache_dir=cache, **settings))


@contextmanager
def _cluster(installation: Installation, workers: int) -> Iterator[dict[Victim, list[Program]]]:
    """The scheduler and the workers that the engines are told of, if there are to be any; the site starts them."""
    if not workers:
        yield {}
        return
    environment = installation.environment | {"PYTHONPATH": str(ROOT)}
    del environment["DATABASE_URL"]
    cluster = DaskCluster(installation.folder, environment)
    installation.environment["ATLAS_EXECUTOR"] = cluster.url
    try:
        yield {
            Victim.SCHEDULER: [Program(run=cluster.start_scheduler)],
            Victim.WORKER: [Program(run=partial(cluster.start_worker, f"worker-{n}")) for n in range(workers)],
        }
    finally:
        cluster.close()


@contextmanager
def _installed(database: Server, store: Server) -> Iterator[Installation]:
    """An installation in a folder that children of other users may enter."""
    with tempfile.TemporaryDirectory(prefix="atlas-chaos-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "tmp").mkdir()
        installation = Installation(folder, database_url=database.url, object_store=store.url, **SETTINGS)
        try:
            yield installation
        finally:
            installation.close()
