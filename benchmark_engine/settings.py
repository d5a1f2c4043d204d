"""The benchmark engine's settings, from the environment."""

import platform
from functools import cached_property
from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator

from atlas.ingestion import IngestionSettings
from benchmark_engine.cores import usable_cores
from benchmark_engine.delivery_settings import DeliverySettings
from benchmark_engine.memory import usable_memory
from benchmark_engine.sandbox.layers import Bubblewrap
from benchmark_engine.sandbox.limits import ExplanationBudget, Limits
from benchmark_engine.watched import WatchSettings
from storage.retries import Retries

MEMORY_SHARE = 0.8
"""Of the memory that this process may use, what its benchmarks get where nothing is set."""


LOCAL = "local"


class EngineSettings(IngestionSettings, DeliverySettings, WatchSettings):
    """How the engine finds its work and what each benchmark may use."""

    engine_name: str = Field(platform.node(), min_length=1, max_length=100, description="How this engine calls itself")
    executor: str = Field(
        LOCAL,
        pattern=r"^(local|dask(\+tls)?://.+:\d+)$",
        description="Where benchmarks run: local, or dask://host:port",
    )
    workers: int = Field(0, ge=0, le=1024, description="Benchmarks at a time; 0 for one a core")
    poll_seconds: float = Field(5.0, gt=0, description="How often models and dataset versions are looked for")
    webhook_address: str = Field(
        "", pattern=r"^(.+:\d+)?$", description="host:port where new dataset versions are announced; nowhere if unset"
    )
    webhook_secret: str = Field("", validate_default=True, repr=False, description="What announcements are signed with")
    deliver: bool = Field(True, description="Whether this engine sends alerts; else a messenger has to")
    max_attempts: int = Field(3, ge=1, le=100, description="A benchmark that was tried so often has failed for good")
    memory_mb: int = Field(0, ge=0, description="Memory that all benchmarks may take together, in MiB; 0 for 80 %")
    grace_seconds: float = Field(20.0, ge=0, description="How long a stopped engine waits for what it runs")
    benchmark_seconds: float = Field(600.0, gt=0, description="Longest time of one benchmark, explanation included")
    benchmark_cpu_seconds: float = Field(
        0.0, ge=0, description="Most CPU time of one benchmark, of all threads; 0 for what its longest time allows"
    )
    benchmark_memory_mb: int = Field(8192, ge=256, description="Most memory of one benchmark, in MiB")
    benchmark_threads: int = Field(64, ge=1, description="Most threads of one benchmark")
    benchmark_scratch_mb: int = Field(1024, ge=1, description="Most disk space of one benchmark, in MiB")
    benchmark_scratch_files: int = Field(2000, ge=10, description="Most files and folders that one benchmark writes")
    benchmark_output_mb: int = Field(64, ge=1, description="Most that one benchmark prints, in MiB")
    bubblewrap: Bubblewrap = Field(
        Bubblewrap.AUTO, description="Whether models run in namespaces of bubblewrap's: `auto`, `required` or `off`"
    )
    trust_bundles: bool = Field(False, description="Run bundles even where the machine cannot contain them")
    explained_rows: int = Field(1_000, ge=0, description="Events that are explained at most; 0 for no explanations")
    explain_seconds: float = Field(30.0, gt=0, description="Longest time of one explanation")
    explain_memory_mb: int = Field(2048, ge=64, description="Most memory of one explanation, in MiB")
    cache_mb: int = Field(20_480, ge=1, description="Most disk space of downloaded models and data, in MiB")
    cache_dir: Path | None = Field(
        None, description="Folder for downloaded models and data; below the data folder if unset"
    )

    @field_validator("webhook_secret")
    @classmethod
    def _is_there_if_needed(cls, secret: str, info: ValidationInfo) -> str:
        if info.data.get("webhook_address") and not secret:
            raise ValueError("it is needed where ATLAS_WEBHOOK_ADDRESS is set")
        return secret

    @property
    def worker_count(self) -> int:
        """Benchmarks at a time."""
        return self.workers or usable_cores()

    @property
    def threads(self) -> int:
        """What each benchmark's libraries use, such that all benchmarks together use the cores, and no more."""
        return max(1, usable_cores() // self.worker_count)

    @property
    def retries(self) -> Retries:
        """What becomes of a benchmark that failed where another try can help."""
        return Retries(attempts=self.max_attempts, first_wait=self.first_wait)

    @cached_property
    def memory_bytes(self) -> int:
        """What all benchmarks may take together."""
        return self.memory_mb << 20 or round(MEMORY_SHARE * usable_memory())

    @property
    def explained(self) -> ExplanationBudget:
        """What the explanation of one benchmark may take."""
        return ExplanationBudget(rows=self.explained_rows, seconds=self.explain_seconds)

    @property
    def limits(self) -> Limits:
        """What one benchmark may use."""
        return Limits(
            wall_seconds=self.benchmark_seconds,
            cpu_seconds=self.benchmark_cpu_seconds,
            memory_bytes=self.benchmark_memory_mb << 20,
            explanation_bytes=self.explain_memory_mb << 20,
            threads=self.benchmark_threads,
            scratch_bytes=self.benchmark_scratch_mb << 20,
            scratch_files=self.benchmark_scratch_files,
            output_bytes=self.benchmark_output_mb << 20,
        )
