"""What a benchmark costs through the engine, beside what it costs without one.

    python -m benchmarks.engine [--json] [--quick] [--only PART ...] [--rounds N]

Starts the real engine over a PostgreSQL of its own, has it benchmark models on data that are made once and kept below
the data folder, and takes turns with scripts that do the same work. Linux only, as root: the kernel shows the memory of
the engine's children to nobody else. docs/reference/speed.md says what each figure is.
"""

import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from atlas_web.environment import Environment
from benchmarks import mlflow_environment
from benchmarks.figures import Figures, Targets, tell, wish
from benchmarks.installed import Engine, engine
from benchmarks.memory import Peak, family, private, shared_out
from benchmarks.rounds import Rounds
from benchmarks.scripts import Script, bare
from benchmarks.subjects import Prepared, prepare, subjects
from tests.servers import postgresql

TARGETS: Targets = {
    "speedup_2": ("≥", 1.9),
    "speedup_2_vs_ceiling": ("≥", 0.95),
    "vs_naive_pool": ("≥", 3.0),
    "overhead_forest": ("≤", 1.10),
    "overhead_boosting": ("≤", 1.10),
    "dispatch_ms": ("≤", 60.0),
    "mlflow_ratio": ("≥", 5.0),
    "peak_over_dataset": ("≤", 1.0),
}
AT_A_TIME = 2
"""For so many benchmarks the engine has room, also where it is given one: so each child has one thread on two cores."""
ROWS_AT_ONCE = "8192"
"""In a script that is to need little memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """What the parts measure with.

    Attributes:
        server: the URL of a PostgreSQL server.
        scratch: a folder that is removed at the end.
        cache: a folder that stays.
        quick: whether the subjects are small ones.
        rounds: how often each is measured.
    """

    server: str
    scratch: Path
    cache: Path
    quick: bool
    rounds: int

    def prepared(self, name: str) -> Prepared:
        """A subject's files."""
        return prepare(subjects(quick=self.quick)[name], self.cache / ("quick" if self.quick else "full"))

    def engine(self, prepared: Prepared, stack: ExitStack, *, workers: int) -> Engine:
        """An engine that has benchmarked all models of a subject once, so that its caches hold them."""
        running = stack.enter_context(
            engine(prepared, server=self.server, base=Path(tempfile.mkdtemp(dir=self.scratch)), workers=workers)
        )
        running.first()
        return running


# Parts --------------------------------------------------------------------------------------------------------------


def speed(rig: Rig) -> Figures:
    """Two children beside one, beside two processes that know nothing of each other, and beside a naive pool."""
    prepared, rounds = rig.prepared("boosting"), Rounds()
    with ExitStack() as stack:
        running = rig.engine(prepared, stack, workers=AT_A_TIME)
        for _ in range(rig.rounds):
            rounds.add(
                {
                    "one child": (running.run(1) + running.run(1)) / 2,
                    "two children": running.run(4) / 4,
                    "two bare": together([bare(prepared.folder, "--times", "2") for _ in range(2)]) / 4,
                    "naive pool": together([bare(prepared.folder, "--times", "2", "--pool", "2", one_thread=False)])
                    / 2,
                }
            )
    return {
        "speedup_2": rounds.ratio("one child", "two children"),
        "speedup_2_vs_ceiling": rounds.ratio("two bare", "two children"),
        "vs_naive_pool": rounds.ratio("naive pool", "two children"),
        **rounds.medians(),
    }


def together(scripts: list[Script]) -> float:
    """Seconds until the last of several scripts is done that begin at the same time."""
    with ExitStack() as stack:
        for script in scripts:
            stack.enter_context(script)
        for script in scripts:
            script.go()
        return max(script.seconds() for script in scripts)


def forest(rig: Rig) -> Figures:
    """A benchmark of a large forest beside the bare script."""
    return _overhead(rig, "forest")


def boosting(rig: Rig) -> Figures:
    """A benchmark of a boosting model beside the bare script."""
    return _overhead(rig, "boosting")


def _overhead(rig: Rig, name: str) -> Figures:
    prepared, rounds = rig.prepared(name), Rounds()
    with ExitStack() as stack:
        running = rig.engine(prepared, stack, workers=AT_A_TIME)
        for _ in range(rig.rounds):
            rounds.add({f"{name} engine": running.run(1), f"{name} bare": together([bare(prepared.folder)])})
    return {f"overhead_{name}": rounds.ratio(f"{name} engine", f"{name} bare"), **rounds.medians()}


def dispatch(rig: Rig) -> Figures:
    """A benchmark of next to nothing, one after the other."""
    prepared = rig.prepared("empty")
    models = len(prepared.bundles)
    with ExitStack() as stack:
        running = rig.engine(prepared, stack, workers=1)
        seconds = [running.run(models) / models for _ in range(rig.rounds)]
    return {"dispatch_ms": statistics.median(seconds) * 1e3}


def mlflow(rig: Rig) -> Figures:
    """The same metrics of the same model by `mlflow.models.evaluate`, without SHAP."""
    try:
        python = mlflow_environment.python(rig.cache / "mlflow")
    except mlflow_environment.NotInstallableError as error:
        sys.stderr.write(f"not measured: mlflow: {error}\n")
        return {}
    prepared, rounds = rig.prepared("boosting"), Rounds()
    with ExitStack() as stack:
        running = rig.engine(prepared, stack, workers=AT_A_TIME)
        for number in range(rig.rounds):
            script = mlflow_environment.evaluation(python, prepared, rig.scratch / f"mlflow-{number}")
            rounds.add({"mlflow engine": running.run(1), "mlflow evaluate": together([script])})
    return {"mlflow_ratio": rounds.ratio("mlflow evaluate", "mlflow engine"), **rounds.medians()}


def memory(rig: Rig) -> Figures:
    """Ten benchmarks of one large version at the same time, beside ten bare processes with the same data mapped."""
    prepared = rig.prepared("large")
    models = len(prepared.bundles)
    resting_bare, peak_bare = _memory_of_bare(prepared, models)
    with ExitStack() as stack:
        running = stack.enter_context(
            engine(prepared, server=rig.server, base=Path(tempfile.mkdtemp(dir=rig.scratch)), workers=models)
        )
        with Peak(lambda: shared_out(family(running.pid))) as first:
            running.first()
        resting = shared_out(family(running.pid))
        with Peak(lambda: shared_out(family(running.pid))) as again:
            running.run(models)
    peak = max(first.size_bytes, again.size_bytes)
    return {
        "peak_over_dataset": (peak - peak_bare) / prepared.data_bytes,
        "peak_over_dataset_without_processes": (peak - resting - (peak_bare - resting_bare)) / prepared.data_bytes,
        "dataset_bytes": prepared.data_bytes,
        "engine_peak_first_bytes": first.size_bytes,
        "engine_peak_again_bytes": again.size_bytes,
        "engine_resting_bytes": resting,
        "bare_peak_bytes": peak_bare,
        "bare_resting_bytes": resting_bare,
    }


def _memory_of_bare(prepared: Prepared, processes: int) -> tuple[int, int]:
    """What processes allocate together that each map the data and do one benchmark: before it, and at most."""
    with ExitStack() as stack:
        scripts = [stack.enter_context(bare(prepared.folder, "--rows-at-once", ROWS_AT_ONCE)) for _ in range(processes)]
        pids = [script.pid for script in scripts]
        resting = private(pids)
        with Peak(lambda: private(pids)) as peak:
            for script in scripts:
                script.go()
            for script in scripts:
                script.seconds()
    return resting, peak.size_bytes


PARTS: Mapping[str, Callable[[Rig], Figures]] = {
    part.__name__: part for part in (speed, forest, boosting, dispatch, mlflow, memory)
}


def main() -> None:
    """Measure and print."""
    asked = wish(__doc__ or "", PARTS, rounds=5)
    figures: Figures = {}
    with postgresql() as server, tempfile.TemporaryDirectory(prefix="atlas-benchmark-") as scratch:
        rig = Rig(
            server=server,
            scratch=Path(scratch),
            cache=Environment.from_environment().data_dir / "benchmarks",
            quick=asked.quick,
            rounds=asked.rounds,
        )
        for name in asked.only:
            figures |= PARTS[name](rig)
    tell(figures, TARGETS, as_json=asked.as_json)


if __name__ == "__main__":
    main()
