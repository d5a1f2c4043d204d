"""How the pages write what they show of models and benchmarks. Pure functions."""

from typing import Any

from django.utils.text import Truncator

from atlas.bundle import UNKNOWN
from atlas.manifest import Manifest
from atlas.metrics import REGISTRY
from atlas.ranking import unlike
from atlas.states import Phase, State
from ui import formats

LONG = 140


def metric_title(name: str) -> str:
    """A metric's name for people; one that an author brought keeps the name that its author gave it."""
    entry = REGISTRY.get(name)
    return entry.title if entry else name


def made_with(manifest: Manifest) -> str:
    """The library and the Python of a model, with their versions as far as the manifest knows them."""
    framework, python = manifest.framework, manifest.python
    library = framework.name if framework.version == UNKNOWN else f"{framework.name} {framework.version}"
    return library if python == UNKNOWN else f"{library}, Python {python}"


def difference(value: float | None, earlier: float | None) -> float | None:
    """By how much a value changed, if both are known."""
    return None if value is None or earlier is None else value - earlier


def change(benchmark: Any) -> float | None:
    """By how much the score of a row of `queries.benchmarks()` differs from that on the version before."""
    return difference(benchmark.score, benchmark.earlier_score)


def noise(benchmark: Any) -> bool | None:
    """Whether that change lies within noise, if anything tells; see `atlas.ranking.unlike`."""
    unequal = unlike(benchmark.low, benchmark.high, benchmark.earlier_low, benchmark.earlier_high)
    return False if unequal else None


def less_is_better(benchmark: Any) -> bool:
    """Whether a lower score of a row of `queries.benchmarks()` is a better one."""
    return benchmark.greater_is_better is False


def aim(benchmark: Any) -> str:
    """What a benchmark's model is for, and the metric that it is judged by."""
    return f"{benchmark.model.use_case}, {metric_title(benchmark.model.primary_metric)}"


def measured(benchmark: Any) -> str:
    """What a benchmark is measured on, and by which metric."""
    return f"{benchmark.dataset_version}, {metric_title(benchmark.model.primary_metric)}"


def progress(model: Any) -> tuple[State, str]:
    """Where the benchmarks of a row of `queries.models()` stand: a state for them all, and how many of those that
    can run are done."""
    done = f"{model.done} of {model.possible}"
    if not model.possible:
        return (State.INCOMPATIBLE, "not possible") if model.trouble else (State.QUEUED, "no data yet")
    if model.running:
        return State.RUNNING, done
    if model.unfinished:
        return State.QUEUED, done
    if model.failed:
        return State.FAILED, done
    return State.DONE, done


def phase(benchmark: Any) -> tuple[str, str]:
    """What a running benchmark is doing, in short and as a sentence; empty if it is not running or has not said."""
    if benchmark.state != State.RUNNING or not benchmark.phase:
        return "", ""
    if benchmark.phase == Phase.PREDICTING and benchmark.phase_total:
        done, total = benchmark.phase_done, benchmark.phase_total
        return f"Predicting {100 * done // total} %", f"Predicting: {done:,} of {total:,} rows are done."
    return benchmark.get_phase_display(), _PHASES[Phase(benchmark.phase)]


_PHASES = {
    Phase.WAITING_FOR_DATA: "Waiting for its model file and data.",
    Phase.LOADING: "Loading the model.",
    Phase.PREDICTING: "Predicting.",
    Phase.MEASURING: "Measuring the predictions.",
    Phase.EXPLAINING: "Explaining the predictions.",
}


def about(seconds: float) -> str:
    """An estimate of a duration, no more exact than it is sure: `a few seconds`, `about 40 s`, `about 3 min`."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 55:
        return f"about {10 * round(seconds / 10)} s"
    if seconds < 3570:
        return f"about {max(round(seconds / 60), 1)} min"
    return f"about {round(seconds / 3600, 1):g} h"


def clipped(text: str) -> str:
    """The start of a message, for a list."""
    return str(Truncator(" ".join(text.split())).chars(LONG))


def plural(count: int, one: str, several: str = "") -> str:
    """A number and what it counts: `1 model`, `1,284 models`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def told(value: str | float | None) -> str:
    """What was predicted or is true: a class, or a number of a regression; nothing where it is not known."""
    return formats.figure(value) if isinstance(value, float) else value or ""


def short_name(model: str) -> str:
    """A model's name without the time stamp at its end, for titles and charts."""
    head, _, stamp = model.rpartition("-")
    return head if head and stamp.isdecimal() else model


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th`, `11th`."""
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{suffix}"
