"""The REST client of Atlas: send models, wait for their benchmarks, read what came of them."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote

import httpx

from atlas.alert_calls import AlertCalls
from atlas.api import (
    BenchmarkDetail,
    BenchmarkDrift,
    BenchmarkSummary,
    Champion,
    Comparison,
    GateReport,
    GateRuleEntry,
    HistoryPoint,
    Identity,
    Leaderboard,
    MetricChanges,
    ModelDetail,
    ModelSummary,
    Problem,
    StageEntry,
    TagSummary,
    UploadProblem,
    UploadResult,
    UploadStart,
    UploadState,
    VersionSummary,
)
from atlas.changes import MetricChange
from atlas.connection import ClientSettings, Connection, Progress, bearing, detail, whole_or_nothing
from atlas.drift import TableDrift
from atlas.errors import ApiError, ApiUnavailableError, BundleError, DownloadError, SettingsError, WaitError
from atlas.gates import Rule
from atlas.live_calls import LiveCalls
from atlas.paging import Item, all_of
from atlas.prediction_calls import UNFINISHED, PredictionCalls, model_path
from atlas.states import ModelState
from atlas.watching import Stage

POLL_SECONDS = 2.0
VERIFY_SECONDS = 600.0
"""How long the server may take over a part: with the last one it reads and verifies the whole file."""
COMPARE_SECONDS = 300.0
"""How long the server may take to compare two models event by event."""


def _silent(_done: int, _size: int) -> None:
    """Tell nobody."""


class AtlasClient(AlertCalls, LiveCalls, PredictionCalls):
    """Speaks to the dashboard at `url`, signed in by a token that its owner made on the account page.

    Every method raises ApiError when the server refuses, with its words and the fields that are wrong, and
    ApiUnavailableError when it cannot be reached; that is tried again a few times first.

    Raises:
        SettingsError: the address or the token cannot be one.
    """

    def __init__(self, url: str, token: str, *, timeout_seconds: float = 30.0, attempts: int = 3) -> None:
        self._connection = Connection(
            _address(url),
            name="Atlas",
            refused=_refusal,
            unavailable=ApiUnavailableError,
            hint="Is ATLAS_URL the address of the dashboard?",
            headers=bearing(token, "ATLAS_TOKEN"),
            timeout_seconds=timeout_seconds,
            attempts=attempts,
        )

    @classmethod
    def from_environment(cls) -> Self:
        """The client that `ATLAS_URL` and `ATLAS_TOKEN` describe.

        Raises:
            SettingsError: one of them is wrong, or there is no token.
        """
        settings = ClientSettings.from_environment()
        token = settings.token.get_secret_value()
        if not token.strip():
            raise SettingsError(f"ATLAS_TOKEN is not set. {_how_to_sign_in(_address(settings.url))}")
        return cls(settings.url, token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def whoami(self) -> Identity:
        """Whose token this is, and what it may do."""
        return self._connection.ask(Identity, "GET", "whoami")

    # Models ---------------------------------------------------------------------------------------------------------

    def models(self, **filters: str) -> Iterator[ModelSummary]:
        """All models, the latest first, narrowed by `q`, `use_case`, `tag`, `author` or `state`."""
        return self._all(ModelSummary, "models", filters)

    def model(self, model: str | int) -> ModelDetail:
        """All that is known of a model, by its name or key."""
        return self._connection.ask(ModelDetail, "GET", model_path(model))

    def history(self, model: str | int, **filters: str) -> Iterator[HistoryPoint]:
        """The metrics of a model over dataset versions, oldest first, narrowed by `tag` or `metric`."""
        return self._all(HistoryPoint, f"{model_path(model)}/history", filters)

    def push(self, bundle: Path, *, progress: Progress = _silent) -> UploadResult:
        """Send a bundle. What broke off before goes on where it stopped, and the same file is never sent twice.

        Args:
            bundle: a file that `atlas.pack` wrote.
            progress: is told how much of it has been sent.

        Returns:
            The name that the model has, and whether Atlas knew it already.

        Raises:
            ApiError: the file is no sound bundle, or its name is taken by another.
            BundleError: the file was changed while it was sent.
        """
        with bundle.open("rb", buffering=0) as file:
            sha256, size = hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size
            start = UploadStart(name=bundle.name, size_bytes=size, sha256=sha256)
            state = self._connection.ask(UploadState, "POST", "uploads", json=start.model_dump(mode="json"))
            while state.result is None:
                progress(state.received_bytes, size)
                file.seek(state.received_bytes)
                part = file.read(state.part_bytes)
                if not part and state.received_bytes < size:
                    raise BundleError(f"{bundle} was changed while it was sent. Send it again.")
                state = self._send_part(state, part)
        progress(size, size)
        return state.result

    def _send_part(self, state: UploadState, part: bytes) -> UploadState:
        """Send the next part; if the server has got further, or less far, than was known, say where it stands."""
        headers = {"Content-Type": "application/octet-stream", "Upload-Offset": str(state.received_bytes)}
        path = f"uploads/{state.id}"
        try:
            return self._connection.ask(UploadState, "PUT", path, content=part, headers=headers, timeout=VERIFY_SECONDS)
        except ApiError as error:
            begins = error.problem.received_bytes if isinstance(error.problem, UploadProblem) else None
            if begins in {None, state.received_bytes}:
                raise
            return self._connection.ask(UploadState, "GET", path)

    def download(self, model: str | int, folder: Path, *, progress: Progress = _silent) -> Path:
        """Fetch a model's bundle into a folder, under its name; verified, and whole or not at all.

        Raises:
            DownloadError: what arrived is not the file that the model was made of.
        """
        known = self.model(model)
        if Path(known.name).name != known.name or not known.name.isprintable():
            raise DownloadError(f"{known.name!r} is no name for a file. Fetch it from the model's page.")
        destination = folder / f"{known.name}.atlas"
        with whole_or_nothing(destination) as file:
            self._connection.fetch(f"{model_path(known.id)}/file", file, progress=progress)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if sha256 != known.sha256:
                raise DownloadError(f"{known.name} arrived with sha256 {sha256}, not {known.sha256}. Try again.")
        return destination

    def delete_model(self, model: str | int) -> None:
        """Delete a model with its benchmarks and results."""
        self._connection.request("DELETE", model_path(model))

    def wait(
        self,
        model: str,
        *,
        timeout_seconds: float = 3600.0,
        progress: Callable[[list[BenchmarkSummary]], None] = lambda benchmarks: None,  # noqa: ARG005 - called with it
        sleep: Callable[[float], None] = time.sleep,
    ) -> list[BenchmarkSummary]:
        """Wait until a model has been found and all its benchmarks have ended.

        Args:
            model: its name.
            timeout_seconds: how long to wait.
            progress: is told how its benchmarks stand, each time they were asked for.
            sleep: how to pass the time between.

        Returns:
            Its benchmarks.

        Raises:
            WaitError: they did not end in time, or the file is not a model that can be benchmarked.
        """
        end = time.monotonic() + timeout_seconds
        while True:
            known = self._model_so_far(model)
            found = list(self.benchmarks(model=str(known.id))) if known else []
            progress(found)
            if found and not any(each.state in UNFINISHED for each in found):
                return found
            if time.monotonic() >= end:
                raise WaitError(f"After {timeout_seconds:,.0f} s {_standing(model, known, found)}")
            sleep(POLL_SECONDS)

    def _model_so_far(self, model: str) -> ModelDetail | None:
        """The model, once the engine has taken it in."""
        try:
            known = self.model(model)
        except ApiError as error:
            if isinstance(error.problem, Problem) and error.status == httpx.codes.NOT_FOUND:
                return None
            raise
        if known.state is not ModelState.READY:
            raise WaitError(f"{model} cannot be benchmarked: {known.reason}")
        return known

    # Stages and gates -----------------------------------------------------------------------------------------------

    def gate(self, model: str | int) -> GateReport:
        """What the gate of a model's use case says of it now."""
        return self._connection.ask(GateReport, "GET", f"{model_path(model)}/gate", timeout=COMPARE_SECONDS)

    def set_stage(self, model: str | int, stage: Stage, why: str) -> StageEntry:
        """Move a model to a stage. It becomes champion only if it passes the gate; the one before it is then retired.

        Raises:
            ApiError: it does not pass; `problem.errors` has each check that it fails.
        """
        asked = {"stage": stage.value, "why": why}
        path = f"{model_path(model)}/stage"
        return self._connection.ask(StageEntry, "POST", path, json=asked, timeout=COMPARE_SECONDS)

    def champion(self, use_case: str) -> Champion:
        """The champion of a use case.

        Raises:
            ApiError: with the status 404 if there is none.
        """
        return self._connection.ask(Champion, "GET", f"use-cases/{quote(use_case, safe='')}/champion")

    def stages(self, **filters: str) -> Iterator[StageEntry]:
        """Who moved which model to another stage and why, the latest first, narrowed by `use_case` or `model`."""
        return self._all(StageEntry, "stages", filters)

    def gate_rules(self, **filters: str) -> Iterator[GateRuleEntry]:
        """The rules of all gates, narrowed by `use_case`."""
        return self._all(GateRuleEntry, "gates/rules", filters)

    def add_gate_rule(self, use_case: str, rule: Rule) -> GateRuleEntry:
        """Add a rule to the gate of a use case."""
        asked = {"use_case": use_case, **rule.model_dump(mode="json")}
        return self._connection.ask(GateRuleEntry, "POST", "gates/rules", json=asked)

    def change_gate_rule(self, key: int, rule: Rule) -> GateRuleEntry:
        """Put a rule in the place of the one with this key."""
        return self._connection.ask(GateRuleEntry, "PUT", f"gates/rules/{key}", json=rule.model_dump(mode="json"))

    def delete_gate_rule(self, key: int) -> None:
        """Take a rule out of its gate."""
        self._connection.request("DELETE", f"gates/rules/{key}")

    # Benchmarks -----------------------------------------------------------------------------------------------------

    def benchmarks(self, **filters: str) -> Iterator[BenchmarkSummary]:
        """All benchmarks, narrowed by `q`, `model`, `use_case`, `tag`, `version` or `state`."""
        return self._all(BenchmarkSummary, "benchmarks", filters)

    def benchmark(self, benchmark: int) -> BenchmarkDetail:
        """All that is known of a benchmark."""
        return self._connection.ask(BenchmarkDetail, "GET", f"benchmarks/{benchmark}")

    def changes(self, benchmark: int) -> tuple[MetricChange, ...]:
        """Each metric of a result beside those on the version before and on the best so far, the primary one first."""
        return self._connection.ask(MetricChanges, "GET", f"benchmarks/{benchmark}/changes").root

    def run_again(self, benchmark: int) -> BenchmarkSummary:
        """Queue a benchmark that has ended once more."""
        return self._connection.ask(BenchmarkSummary, "POST", f"benchmarks/{benchmark}/run-again")

    def cancel(self, benchmark: int) -> BenchmarkSummary:
        """Take a benchmark out of the queue, or end it if it runs."""
        return self._connection.ask(BenchmarkSummary, "POST", f"benchmarks/{benchmark}/cancel")

    def benchmark_drift(self, benchmark: int) -> BenchmarkDrift:
        """How far a benchmark's data lie from what its model was trained on."""
        return self._connection.ask(BenchmarkDrift, "GET", f"benchmarks/{benchmark}/drift")

    # Datasets and comparisons ---------------------------------------------------------------------------------------

    def tags(self) -> Iterator[TagSummary]:
        """All dataset tags, each with its newest version."""
        return self._all(TagSummary, "tags", {})

    def versions(self, tag: str) -> Iterator[VersionSummary]:
        """The versions of a tag, newest first."""
        return self._all(VersionSummary, f"tags/{quote(tag, safe='')}/versions", {})

    def version_drift(self, tag: str, number: int, *, since: Literal["previous", "first"] = "previous") -> TableDrift:
        """How far a version of a tag has moved from the one before, or from the first one."""
        path = f"tags/{quote(tag, safe='')}/versions/{number}/drift"
        return self._connection.ask(TableDrift, "GET", path, params={"since": since})

    def leaderboard(self, **choice: str) -> Leaderboard:
        """The models of a `use_case` on one `version` of a `tag` by one `metric`, the best first."""
        return self._connection.ask(Leaderboard, "GET", "leaderboard", params=choice)

    def compare(self, *benchmarks: int) -> Comparison:
        """Two or more benchmarks beside each other, and what the evidence supports."""
        return self._connection.ask(Comparison, "GET", "comparison", params={"benchmark": list(benchmarks)})

    def _all(self, item: type[Item], path: str, filters: dict[str, str]) -> Iterator[Item]:
        return all_of(self._connection, item, path, filters)


def _address(url: str) -> str:
    """The dashboard's address, whether or not it comes with what its API's has at the end."""
    found = url.strip().rstrip("/").removesuffix("/api/v1")
    try:
        parsed = httpx.URL(found)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise SettingsError(f"ATLAS_URL has to look like https://atlas.example.org, which {url!r} does not.")
    return found


def _how_to_sign_in(url: str) -> str:
    return f"Make a token on the page Account ({url}/account/), and set ATLAS_TOKEN to it."


def _refusal(message: str, response: httpx.Response) -> ApiError:
    """The error of a refusal, in the server's own words if it has some."""
    try:
        problem: UploadProblem | None = UploadProblem.model_validate_json(response.content)
    except ValueError:
        return ApiError(message, status=response.status_code)
    if response.status_code == httpx.codes.UNAUTHORIZED:
        url = str(response.url).partition("/api/v1/")[0]
        message = f"Atlas does not take the token: it is unknown, revoked or too old. {_how_to_sign_in(url)}"
        return ApiError(message, status=response.status_code, problem=problem)
    return ApiError(detail(response), status=response.status_code, problem=problem)


def _standing(model: str, known: ModelDetail | None, benchmarks: list[BenchmarkSummary]) -> str:
    """How a model stands whose benchmarks have not ended."""
    if known is None:
        return f"Atlas knows no model {model}: is the name right, and does an engine run?"
    if not benchmarks:
        tags = ", ".join(known.tags)
        return f"{model} has no benchmark: is there a version of its dataset ({tags}), and does an engine run?"
    left = sum(each.state in UNFINISHED for each in benchmarks)
    return f"{left:,} of {len(benchmarks):,} benchmarks of {model} have not ended."
