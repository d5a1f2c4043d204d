"""Models on live data that pages, queries and the API are tested on: runs as the engine leaves them."""

from datetime import timedelta
from typing import Any

from atlas.inference import Counted, Inferred, Live
from atlas.results import Explanation, MetricValue
from atlas.vocabulary import Document
from storage import records
from tests import stage
from tests.drifting import column, from_reference
from tests.samples import NOON

TAG = "live-week"
ROWS = 500
LEASE = timedelta(seconds=30)
SURE = ("0% to 50%", "50% to 100%")


def metric(value: float | None, name: str = "f1", **changes: Any) -> MetricValue:
    """A metric whose interval is 0.02 to either side."""
    ends = {} if value is None else {"low": value - 0.02, "high": value + 0.02}
    return MetricValue.model_validate({"name": name, "value": value, "greater_is_better": True, **ends, **changes})


def live(**changes: Any) -> Live:
    """What is said of a classifier on live data without labels, with some fields changed."""
    fields: dict[str, Any] = {
        "predictions": Counted(bins=("intact", "damaged"), counts=(400, 100)),
        "confidence": Counted(bins=SURE, counts=(0, 500)),
        "mean_confidence": 0.9,
        "drift": from_reference(column("peak", 0.2), column("rms")),
        "labelled": 0,
        "estimated": (metric(0.81), metric(0.92, "accuracy")),
    }
    return Live.model_validate({name: _plain(value) for name, value in (fields | changes).items()})


def labelled(value: float, **changes: Any) -> Live:
    """The same once all rows are labelled."""
    measured = (metric(value), metric(value + 0.1, "accuracy"))
    return live(**{"labelled": ROWS, "metrics": measured, "estimated": ()} | changes)


def watch(model: int, tag: str = TAG) -> None:
    """Have a model run on a tag."""
    records.watch_live(model, tag, by="ilse", now=NOON)


def run(model: int, number: int, found: Live, *, tag: str = TAG, rows: int = ROWS) -> int:
    """What a model makes of a version of a tag, which is made; the key of the predictions."""
    asked = records.ask_live(model, stage.add_version(number, tag=tag), now=NOON)
    assert asked is not None
    claim = records.claim_inference(asked, engine="one", lease=LEASE, now=NOON)
    assert claim is not None
    inferred = Inferred(rows=rows, explanation=Explanation(impossible="Not asked for."), live=found)
    records.finish_inference(claim, inferred, predictions_key=key_of(tag, number), now=NOON + timedelta(days=number))
    return asked


def key_of(tag: str, number: int) -> str:
    """Where the object store has the predictions of a run."""
    return f"inferences/{tag}-v{number}/predictions.parquet"


def week(model: int) -> None:
    """Two versions with labels, and two without them yet."""
    watch(model)
    run(model, 1, labelled(0.84))
    run(model, 2, labelled(0.83))
    run(model, 3, live())
    run(model, 4, live(estimated=(), not_estimated="When labels came the last time, it was otherwise."))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.model_dump() if isinstance(value, Document) else value
