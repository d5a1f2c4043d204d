"""Where the engine's door to storage puts files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmark_engine.connector import Connector


def test_a_model_is_downloaded_into_the_folder_that_goes_with_the_engine(
    connector: Connector, send: Callable[..., Path], tmp_path: Path
) -> None:
    sent = send()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with replace(connector, scratch=scratch).fetched_model(f"models/{sent.name}") as (file, _):
        assert file.is_relative_to(scratch)
        assert file.read_bytes() == sent.read_bytes()
    assert list(scratch.iterdir()) == []
