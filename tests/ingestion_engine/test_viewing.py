"""`atlas bag view`: an hour of eight microphones is looked at, zoomed, listened to and exported in a browser."""

import io
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page, Request, expect
from rosbags.rosbag1 import Writer

from bags import UnreadableError
from bags.archive import ArchiveError
from bags.signals import NANOSECONDS
from ingestion_engine.viewing import decoded
from tests.bags.recordings import CHUNK_TYPE, GAS_TYPE, START, audio, header, typestore
from tests.ingestion_engine.everybody import check_that_everybody_can_use
from tests.servers import free_port

SECONDS, RATE_HZ, MICROPHONES = 3600, 8000, 8
GAP = range(1800, 1830)
VIEW = "from ingestion_engine.viewing import app; app()"


def drive(path: Path) -> Path:
    """An hour with a gap, as the collector records it, but for the rate of the microphones, which is lower."""
    store = typestore(1)
    noise = np.random.default_rng(0).integers(-900, 900, (RATE_HZ, MICROPHONES))
    noise[:200] += np.array(12_000 * np.sin(np.arange(200) / 2), np.int64)[:, None]
    with Writer(path) as writer:
        microphones = writer.add_connection("/microphones", CHUNK_TYPE, typestore=store)
        gas = writer.add_connection("/gas", GAS_TYPE, typestore=store)
        for second in (each for each in range(SECONDS) if each not in GAP):
            now = START + second * NANOSECONDS
            chunk = audio(store, now, second * RATE_HZ, noise, 1, RATE_HZ)
            writer.write(microphones, now, store.serialize_ros1(chunk, CHUNK_TYPE))
            reading = store.types[GAS_TYPE](header(store, now, 1), 20 + np.sin(second / 500), 45.0, 1013.0, 1e5)
            writer.write(gas, now, store.serialize_ros1(reading, GAS_TYPE))
    return path


@contextmanager
def viewed(file: Path, ended_by: signal.Signals) -> Iterator[str]:
    """Where the viewer shows a file; when it was ended it has left nothing."""
    folder, port = file.parent / "temporary", free_port()
    folder.mkdir()
    command = [sys.executable, "-c", VIEW, str(file), "--no-browser", "--port", str(port)]
    environment = {"TMPDIR": str(folder), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd="/") as process:
        try:
            assert process.stdout is not None
            assert f"http://127.0.0.1:{port}/" in process.stdout.readline().decode()
            assert list(folder.iterdir()) != []
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.send_signal(ended_by)
            assert process.wait(20) in (0, 130)
    assert list(folder.iterdir()) == []


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where the viewer shows that recording, until Ctrl-C."""
    with viewed(drive(tmp_path / "drive.bag"), signal.SIGINT) as address:
        yield address


@pytest.mark.system
def test_an_hour_of_eight_microphones_is_looked_at(browser: Browser, address: str) -> None:
    with browser.new_context(base_url=address, reduced_motion="reduce") as context:
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.goto("/")
        page.get_by_role("button", name="Choose none").click()
        _choose_two_sensors(page)
        _zoom(page)
        _listen(page)
        _export(page)
        check_that_everybody_can_use(page)
        assert faults == []
    _a_stranger_is_refused(address)


def _choose_two_sensors(page: Page) -> None:
    page.get_by_role("group", name="microphones").get_by_text("3", exact=True).click()
    page.get_by_role("group", name="gas").get_by_text("temperature", exact=True).click()
    expect(page.locator("[data-plots] h3")).to_have_text(["microphones.3", "gas/temperature in °C"])
    expect(page.get_by_role("region", name="Gaps and drops").locator("tbody tr")).to_have_count(2)
    expect(page.get_by_role("row", name="microphones.3")).to_contain_text("28,800,000")
    page.wait_for_load_state("networkidle")


def _zoom(page: Page) -> None:
    """Both channels are asked for again, for the part that is shown then and no more than half of it to either side."""
    canvas = page.locator("[data-plots] [data-chart-signal]").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + 40, steps=4)
    page.mouse.up()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.get_by_role("button", name="Zoom to what is marked").click()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    windows = [httpx.URL(each.url).params for each in asked if "/envelope" in each.url]
    assert {each["channel"] for each in windows} == {"microphones.3", "gas/temperature"}
    assert all(1700 < float(each["start"]) < float(each["end"]) < 2080 for each in windows)
    page.get_by_role("button", name="Spectrogram of microphones.3").click()
    expect(page.locator("[data-highest]").first).to_contain_text("dB")


def _listen(page: Page) -> None:
    """The play head is drawn where the sound is: it moves on."""
    page.get_by_role("button", name="Listen to microphones.3").click()
    for _ in range(100):
        page.wait_for_timeout(100)
        if (heard := page.evaluate("window.atlasSound.audio.currentTime")) > 0.3:
            break
    assert heard > 0.3
    page.get_by_role("button", name="Listen to microphones.3").click()
    expect(page.get_by_role("button", name="Listen to microphones.3")).to_have_attribute("aria-pressed", "false")


def _export(page: Page) -> None:
    page.get_by_label("Start in s").fill("100")
    page.get_by_label("End in s").fill("110")
    page.get_by_role("button", name="Close gas/temperature").click()
    page.get_by_label("Start in s").fill("100")
    page.get_by_label("End in s").fill("110")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export 1 channel").click()
    assert download.value.suggested_filename == "drive.parquet"
    table = pq.read_table(io.BytesIO(download.value.path().read_bytes()))
    assert (table.num_rows, table.column_names[-1]) == (10 * RATE_HZ, "microphones.3")


def _a_stranger_is_refused(address: str) -> None:
    """A page elsewhere whose name leads to this computer reads nothing."""
    assert httpx.get(address, headers={"Host": "elsewhere.example"}).status_code == 400


@pytest.mark.system
def test_a_viewer_that_is_terminated_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("time,speed\n0,1\n1,2\n2,4\n")
    with viewed(file, signal.SIGTERM) as address:
        assert httpx.get(address).status_code == 200


def test_only_the_archive_is_kept_of_what_was_decoded(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("time,speed\n0,1\n1,2\n2,4\n")
    (tmp_path / "view").mkdir()
    found = decoded(file, tmp_path / "view")
    assert [each.name for each in found.channels] == ["speed"]
    assert sorted(path.name for path in (tmp_path / "view").iterdir()) == ["index.json", "samples.bin"]


def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    file = tmp_path / "empty.bag"
    file.touch()
    with pytest.raises((UnreadableError, ArchiveError), match="empty"):
        decoded(file, tmp_path)
