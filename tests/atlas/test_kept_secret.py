"""Secrets that a machine makes for itself."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from atlas.ingestion import IngestionSettings
from atlas.kept_secret import kept_secret, shared_token


def test_all_who_ask_at_once_get_the_same_secret_which_nobody_else_can_read(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(kept_secret, [path] * 32))
    assert found == {path.read_text()}
    assert len(path.read_text()) >= 50
    assert path.stat().st_mode & 0o077 == 0
    assert list(path.parent.iterdir()) == [path]


def test_the_components_of_a_machine_share_a_token_unless_one_is_set(tmp_path: Path) -> None:
    shared = IngestionSettings(ingestion_token="").kept_token(tmp_path)
    assert shared == shared_token(tmp_path) != shared_token(tmp_path / "elsewhere")
    assert IngestionSettings(ingestion_token="set by somebody").kept_token(tmp_path) == "set by somebody"
