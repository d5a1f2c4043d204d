"""Each container crashes ten times while a model arrives every second, then both stores are away for a minute, then
the object store's disk is full. What crashes when is random; `CHAOS_SEED` repeats the order that a failure names.
"""

import os
import random
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from atlas.datasets import Split
from atlas.errors import ApiUnavailableError
from tests.compose.crashes import Crashes
from tests.compose.disk import no_room_left
from tests.compose.engine import say
from tests.compose.onlooker import Onlooker
from tests.compose.project import Project
from tests.compose.uploads import Uploads
from tests.compose.visitor import Scientist, scientist
from tests.e2e.chaos.workload import TAG, events, expected_of, fitted, packed

pytestmark = [
    pytest.mark.system(minutes=7),
    pytest.mark.timeout(1200),
    pytest.mark.skipif(os.geteuid() != 0, reason="lets processes of containers crash, which only root can"),
]

MODELS, TIMES = 50, 10
OUTAGE_SECONDS = 60
DRAIN_SECONDS = 300.0
BACK_SECONDS = 5.0
"""So long after the proxy was started again it may be that nobody answers yet."""
OURS = "m.name LIKE 'Impacts-1.%'"
STATES = f"""
    SELECT m.name, b.state FROM storage_model m LEFT JOIN storage_benchmark b ON b.model_id = m.id WHERE {OURS}
"""
RESULTS = f"""
    SELECT m.name, f1.value, accuracy.value FROM storage_benchmark b JOIN storage_model m ON m.id = b.model_id
    JOIN storage_metric f1 ON f1.benchmark_id = b.id AND f1.name = 'f1'
    JOIN storage_metric accuracy ON accuracy.benchmark_id = b.id AND accuracy.name = 'accuracy' WHERE {OURS}
"""
DONE_TWICE = """
    SELECT benchmark_id, count(*) FROM storage_logentry WHERE message LIKE 'Done: %' GROUP BY 1 HAVING count(*) > 1
"""


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """What there is once all containers run again and every benchmark has ended, or so it seems."""

    project: Project
    scientist: Scientist
    uploads: Uploads
    onlooker: Onlooker
    crashes: Crashes
    folder: Path

    def measured(self) -> list[tuple[str, float, float]]:
        """Name, F1 and accuracy of each benchmark of these models."""
        rows = self.project.rows(RESULTS)
        return [(name, round(float(f1), 12), round(float(accuracy), 12)) for name, f1, accuracy in rows]

    def expected(self) -> list[tuple[str, float, float]]:
        """The same of each model that was acknowledged, as scikit-learn computes them."""
        rows = self._evaluated()
        found = {name: expected_of(fitted(number), rows) for number, name in self.uploads.acknowledged.items()}
        return [(name, result.f1, result.accuracy) for name, result in found.items()]

    def _evaluated(self) -> pd.DataFrame:
        client = self.scientist.ingestion
        [version] = client.tag(TAG).versions
        data = self.folder / "evaluated.arrow"
        client.download(client.dataset(version.query_id), Split.EVALUATION, data)
        frame: pd.DataFrame = pa.ipc.open_file(str(data)).read_all().to_pandas()
        return frame


@pytest.fixture(scope="module")
def aftermath(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    built.down()  # it knows of nothing yet, whatever was tested before
    built.up()
    folder = tmp_path_factory.mktemp("chaos")
    seed = os.environ.get("CHAOS_SEED") or str(secrets.randbelow(10**6))
    say(f"CHAOS_SEED={seed} repeats this chaos")
    with scientist(built, f"chaos {seed}") as who:
        send_dataset(who, folder)
        crashes = Crashes(built, random.Random(seed))
        with Onlooker(built) as onlooker:
            with Uploads(who, folder, at_least=MODELS) as uploads:
                crashes.rampage(built.services(), TIMES)
                crashes.outage(OUTAGE_SECONDS)
            built.wait_for(lambda: all_done(built, uploads), "every benchmark", seconds=DRAIN_SECONDS)
        say(f"{len(uploads.acknowledged)} models were sent; the dashboard answered {dict(onlooker.statuses)}")
        yield Aftermath(
            project=built, scientist=who, uploads=uploads, onlooker=onlooker, crashes=crashes, folder=folder
        )


def send_dataset(who: Scientist, folder: Path) -> None:
    """Record what all models of the chaos are benchmarked on."""
    recording = folder / "drive.csv"
    events(seed=0).to_csv(recording, index=False)
    who.ingestion.upload_recording(recording)
    who.ingestion.create_tag(TAG)


def all_done(project: Project, uploads: Uploads) -> bool:
    """Whether there are as many benchmarks as there are models, and all are done."""
    states = project.rows(STATES)
    return len(states) >= len(uploads.acknowledged) and all(state == "done" for _, state in states)


def test_no_upload_that_was_acknowledged_is_lost_and_every_benchmark_is_done_once(aftermath: Aftermath) -> None:
    assert len(aftermath.uploads.acknowledged) >= MODELS
    expected = sorted([name, "done"] for name in aftermath.uploads.acknowledged.values())
    assert sorted(aftermath.project.rows(STATES)) == expected
    assert aftermath.project.rows(DONE_TWICE) == []


def test_every_number_is_there_once_and_is_the_one_that_scikit_learn_computes(aftermath: Aftermath) -> None:
    assert sorted(aftermath.measured()) == sorted(aftermath.expected())


def test_the_dashboard_always_says_why_it_does_not_show_a_page(aftermath: Aftermath) -> None:
    assert aftermath.onlooker.puzzles == []
    assert aftermath.onlooker.statuses[200] > MODELS


def test_only_where_the_proxy_itself_has_crashed_does_nobody_answer(aftermath: Aftermath) -> None:
    unexplained = [
        moment
        for moment in aftermath.onlooker.unanswered
        if not aftermath.crashes.explain(moment, "proxy", seconds=BACK_SECONDS)
    ]
    assert unexplained == []


def test_a_full_disk_is_said_to_be_full_and_harms_nothing(aftermath: Aftermath) -> None:
    atlas, first, disk = aftermath.scientist.atlas, aftermath.uploads.acknowledged[0], aftermath.project.objects
    assert disk is not None
    late = packed(10_000, aftermath.folder)
    with no_room_left(disk):
        # MinIO says that there is no room; JuiceFS' gateway, in its place, knows only that it cannot write.
        with pytest.raises(ApiUnavailableError, match=r"no room left|cannot write"):
            atlas.push(late)
        assert atlas.model(first).state == "ready"
    name = atlas.push(late).model
    [benchmark] = atlas.wait(name, timeout_seconds=DRAIN_SECONDS)
    assert benchmark.state == "done"
    (back := aftermath.folder / "back").mkdir()
    for kept in (first, name):
        assert atlas.download(kept, back).exists()
