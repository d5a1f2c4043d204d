"""The main job as a person sees it: `make demo` over PostgreSQL and S3, the dashboard in a real browser, Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from atlas.datasets import Split
from tests import bundles, migrated, servers
from tests.e2e.expected import metrics_of
from tests.e2e.installation import ROOT, Installation

pytestmark = pytest.mark.system(minutes=8)

PATIENCE_SECONDS = 600.0
BENCHMARKS = """
    SELECT b.id, b.state, m.key, m.name, v.query_id, v.number
    FROM storage_benchmark b JOIN storage_model m ON m.id = b.model_id
    JOIN storage_datasetversion v ON v.id = b.dataset_version_id ORDER BY b.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A demo that has told its story and goes on running."""

    installation: Installation
    process: "subprocess.Popen[bytes]"
    output: Path

    @property
    def text(self) -> str:
        """What it has printed."""
        return self.output.read_text()

    def said(self, pattern: str) -> str:
        """The part of what it printed that a pattern's group finds."""
        found = re.search(pattern, self.text)
        assert found, self.text
        return found[1]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, postgres_url: str, s3_url: str) -> Iterator[Demo]:
    """The demo, run once for all tests of this file."""
    folder = tmp_path_factory.mktemp("demo")
    name = f"demo-{uuid.uuid4().hex[:12]}"
    installation = Installation(
        folder,
        database_url=migrated.database(postgres_url, name.replace("-", "_")),
        object_store=s3_url.replace("/atlas?", f"/{name}?"),
        demo_ingestion_port=(port := servers.free_port()),
        demo_minutes=9,
    )
    installation.environment["ATLAS_INGESTION_URL"] = f"http://127.0.0.1:{port}"
    output = folder / "demo.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo"], cwd=ROOT, env=installation.environment, stdout=log, stderr=log
        )
    started = Demo(installation=installation, process=process, output=output)
    try:
        _wait_for_the_end_of_the_story(started)
        yield started
    finally:
        process.kill()
        process.wait()
        installation.close()


def _wait_for_the_end_of_the_story(demo: Demo) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "Ctrl-C stops it" not in demo.text:
        assert demo.process.poll() is None, demo.text
        assert time.monotonic() < deadline, demo.text
        time.sleep(0.5)


@pytest.fixture
def page(demo: Demo, browser: Browser) -> Iterator[Page]:
    """A browser that is signed in to the dashboard."""
    opened = browser.new_page(base_url=demo.said(r"Dashboard\s+(http://[\d.:]+)"))
    opened.goto("/")
    opened.get_by_label("User name").fill(demo.said(r"User\s+(\S+)"))
    opened.get_by_label("Password").fill(demo.said(r"Password\s+(\S+)"))
    opened.get_by_role("button", name="Sign in").click()
    expect(opened.get_by_role("heading", name="Home", exact=True)).to_be_visible()
    yield opened
    opened.close()


def test_every_model_is_done_on_both_versions_of_its_dataset(demo: Demo) -> None:
    found = demo.installation.rows(BENCHMARKS)
    assert {row[1] for row in found} == {"done"}
    models = {row[3] for row in found}
    assert len(models) >= 10
    assert sorted((row[3], row[5]) for row in found) == sorted((model, number) for model in models for number in (1, 2))


def test_every_result_was_compared_with_the_one_on_the_version_before(demo: Demo) -> None:
    due = "SELECT count(*) FROM storage_benchmark WHERE check_due"
    demo.installation.wait_for(lambda: demo.installation.rows(due) == [(0,)], "all results to be compared")
    found = demo.installation.rows(
        "SELECT v.number, c.changes -> 0 -> 'before' ->> 'version' FROM storage_regressioncheck c"
        " JOIN storage_benchmark b ON b.id = c.benchmark_id"
        " JOIN storage_datasetversion v ON v.id = b.dataset_version_id"
    )
    assert set(found) == {(1, None), (2, "1")}
    assert len(found) == len(demo.installation.rows(BENCHMARKS))


def test_the_table_names_the_best_model_of_each_dataset(demo: Demo) -> None:
    for tag in ("breast-cancer", "wine", "digits", "diabetes"):
        assert re.search(rf"{tag} v2\s+\w+", demo.text), demo.text


def test_every_number_is_the_one_that_scikit_learn_computes(demo: Demo, page: Page, tmp_path: Path) -> None:
    installation = demo.installation
    for benchmark, _, key, name, query_id, number in installation.rows(BENCHMARKS):
        scratch = tmp_path / f"{name}-{number}"
        scratch.mkdir()
        installation.objects.get(key, scratch / "bundle")
        dataset = installation.ingestion.dataset(query_id)
        installation.ingestion.download(dataset, Split.EVALUATION, scratch / "data.arrow")
        expected = metrics_of(scratch / "bundle", scratch / "data.arrow", scratch / "unpacked")
        stored = dict(installation.rows(f"SELECT name, value FROM storage_metric WHERE benchmark_id = {benchmark}"))
        assert stored == pytest.approx(expected, rel=1e-9), name
        page.goto(f"/benchmarks/{benchmark}/")
        shown = page.get_by_role("region", name="Metrics", exact=True).inner_text()
        for value in expected.values():
            assert f"{value:,.3f}".replace("-", "\N{MINUS SIGN}") in shown, (name, value, shown)


def test_a_person_finds_the_benchmark_sorts_a_table_and_opens_the_confusion_matrix(demo: Demo, page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Benchmarks").click()
    page.get_by_label("Search benchmarks").fill("WineDecisionTree")
    page.get_by_label("Search benchmarks").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("link", name=re.compile("^Score")).click()
    expect(page.get_by_role("columnheader", name=re.compile("^Score"))).to_have_attribute("aria-sort", "ascending")
    page.locator("tbody tr").first.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("WineDecisionTree")
    matrix = page.get_by_role("table", name=re.compile("Confusion matrix"))
    expect(matrix).to_be_visible()
    total = sum(int(cell) for cell in matrix.locator("[data-counts]").all_inner_texts())
    version = page.url.rstrip("/").rpartition("/")[2]
    predictions = f"SELECT predictions FROM storage_benchmark WHERE id = {int(version)}"
    assert demo.installation.rows(predictions) == [(total,)]
    page.get_by_text("Shares", exact=True).click()
    expect(matrix.locator("[data-shares]").first).to_be_visible()


def test_a_person_finds_out_why_an_event_is_predicted_wrong(demo: Demo, page: Page) -> None:
    found = demo.installation.rows(BENCHMARKS)
    benchmark = next(row[0] for row in found if row[3].startswith("TumourRandomForest") and row[5] == 2)
    page.goto(f"/benchmarks/{benchmark}/")
    page.get_by_role("link", name="Explanation", exact=True).click()
    expect(page.locator("#importance .barlayer .point").first).to_be_visible()
    for name in ("swarm", "decision"):
        page.locator(f"#card-{name}").evaluate("card => card.scrollIntoView()")
        expect(page.locator(f"#{name} .scatterlayer .trace").first).to_be_visible()
    page.goto(f"/benchmarks/{benchmark}/")
    page.locator("#confusion td:not(.is-diagonal) a").first.click()
    expect(page.locator("#table tbody")).to_contain_text("Wrong")
    page.locator("#table tbody a").first.click()
    expect(page.locator(".stack .verdict")).to_contain_text("but truly")
    expect(page.locator("#waterfall .main-svg").first).to_be_visible()
    page.locator(".stack > :last-child").evaluate("part => part.scrollIntoView()")
    expect(page.get_by_role("heading", name="The event in the dataset")).to_be_visible()


def test_each_kind_of_broken_bundle_is_explained_and_the_engine_goes_on(demo: Demo, page: Page, tmp_path: Path) -> None:
    installation = demo.installation
    names = {}
    for number, broken in enumerate(bundles.BROKEN):
        path = bundles.packed(tmp_path / str(number), name=f"Broken{number}")
        broken.breaks(path)
        names[f"broken-{number:03}.atlas"] = (broken, path)
        installation.objects.put(f"models/broken-{number:03}.atlas", path)
    crater = tmp_path / "crater"
    sound = bundles.pickle_bomb(tmp_path, crater)
    installation.objects.put(f"models/{sound.name}", sound)
    installation.wait_for(
        lambda: (
            installation.rows("SELECT count(*) FROM storage_model WHERE state = 'invalid'")[0][0] == len(names)
            and installation.rows(f"SELECT 1 FROM storage_model WHERE key = 'models/{sound.name}'")
        ),
        "all files to be looked at",
    )
    assert not crater.exists()
    for pk, name, reason in installation.rows("SELECT id, name, reason FROM storage_model WHERE state = 'invalid'"):
        broken, path = names[name]
        assert all(words in reason for words in broken.says), (broken.what, reason)
        command = subprocess.run(
            [Path(sys.executable).with_name("atlas"), "inspect", path], capture_output=True, text=True, check=False
        )
        assert command.returncode == 1, broken.what
        assert all(words in " ".join(command.stderr.split()) for words in broken.says), (broken.what, command.stderr)
        page.goto(f"/models/{pk}/")
        expect(page.get_by_role("main")).to_contain_text(broken.says[-1])
        page.goto(f"/logs/?q={name}")
        expect(page.get_by_role("main")).to_contain_text(broken.says[-1])


def test_a_name_that_is_taken_is_explained(demo: Demo, page: Page, tmp_path: Path) -> None:
    installation = demo.installation
    for number, metrics in enumerate((["f1"], ["accuracy"])):
        path = bundles.packed(tmp_path / str(number), name="Twice", metrics=metrics)
        installation.objects.put(f"models/twice-{number}.atlas", path)
        installation.wait_for(
            lambda number=number: installation.rows(  # type: ignore[misc]
                f"SELECT 1 FROM storage_model WHERE key = 'models/twice-{number}.atlas'"
            ),
            "the file to be looked at",
        )
    ((pk, reason),) = installation.rows("SELECT id, reason FROM storage_model WHERE key = 'models/twice-1.atlas'")
    assert "is taken by another model" in reason
    page.goto(f"/models/{pk}/")
    expect(page.get_by_role("main")).to_contain_text("is taken by another model")


def test_ctrl_c_stops_everything(demo: Demo) -> None:
    children = psutil.Process(demo.process.pid).children(recursive=True)
    assert len(children) >= 4
    os.kill(demo.process.pid, signal.SIGINT)
    assert demo.process.wait(60) == 0, demo.text
    assert psutil.wait_procs(children, timeout=10)[1] == []


def test_a_second_run_starts_from_what_is_there_and_once_ends_by_itself(demo: Demo) -> None:
    models = demo.installation.rows("SELECT count(*) FROM storage_model")
    again = subprocess.run(
        [sys.executable, "-m", "demo", "--once"],
        cwd=ROOT,
        env=demo.installation.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert again.returncode == 0, again.stdout
    assert "trained already" in again.stdout
    assert demo.installation.rows("SELECT count(*) FROM storage_model") == models
