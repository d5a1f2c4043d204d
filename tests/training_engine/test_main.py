"""`python -m training_engine` without any server's settings, and the options that it shares with `manage.py train`."""

import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

import atlas
from atlas.access import Right
from atlas.bundle import read_manifest
from storage.objects import open_store
from tests import dashboards
from tests.ingestion_engine.engine import COMPONENTS_TOKEN
from training_engine import __main__ as program
from training_engine.command import DONE, Options, files_of, run
from training_engine.errors import ConfigurationError, UntrainedError
from training_engine.screen import Screen

Written = Callable[..., Path]


@pytest.fixture
def running(ingestion_url: str, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs the command; its exit status and what it printed."""

    def start(*paths: Path, url: str = ingestion_url, **options: Any) -> tuple[int, str]:
        output = StringIO()
        chosen = Options(configurations=paths, **options)
        try:
            store, screen = str(tmp_path / "objects"), Screen(output)
            status = run(chosen, ingestion_url=url, ingestion_token=COMPONENTS_TOKEN, object_store=store, screen=screen)
        except UntrainedError as error:
            return error.status, output.getvalue()
        return status, output.getvalue()

    return start


@pytest.mark.system
def test_it_needs_no_django(written: Written, ingestion_url: str, tmp_path: Path) -> None:
    check = (
        "import sys; sys.argv = ['', sys.argv[1]]\n"
        "from training_engine.__main__ import main\n"
        "status = main(); sys.exit(status or int('django' in sys.modules))"
    )
    environment = {
        "ATLAS_INGESTION_URL": ingestion_url,
        "ATLAS_INGESTION_TOKEN": COMPONENTS_TOKEN,
        "ATLAS_DATA_DIR": str(tmp_path),
        "PATH": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", check, written()], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    stages = [line.partition(": ")[2] for line in done.stdout.splitlines()]
    assert stages[:5] == ["downloading", "features", "fitting", "writing", "pushing"]
    assert len(list(open_store(str(tmp_path / "objects")).list("models/DamageDetector-1.0.0-"))) == 1


def test_the_program_says_what_is_wrong(
    written: Written, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["training_engine", "--dry-run", str(written(task="ranking"))])
    assert program.main() == 1
    assert "train.yaml, line 4: task: " in capsys.readouterr().out


def test_a_bundle_can_be_written_to_a_folder(
    running: Callable[..., tuple[int, str]], written: Written, tmp_path: Path
) -> None:
    status, _ = running(written(), output=tmp_path / "here")
    (bundle,) = (tmp_path / "here").iterdir()
    assert (status, atlas.inspect(bundle).version) == (DONE, "1.0.0")
    assert not (tmp_path / "objects").exists()


def test_a_folder_stands_for_its_files(
    running: Callable[..., tuple[int, str]], written: Written, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    paths = [written("models/a.yaml"), written("models/b.yml", name="Two")]
    assert files_of((tmp_path / "models", paths[0])) == paths
    status, output = running(tmp_path / "models", dry_run=True)
    assert status == DONE
    assert [line.split()[1] for line in output.splitlines()] == [str(path) for path in paths]


def test_all_files_are_checked_before_any_is_trained(
    running: Callable[..., tuple[int, str]], written: Written, tmp_path: Path
) -> None:
    wrong = [written("a.yaml", task="ranking"), written("b.yaml"), written("c.yaml", seed=-1)]
    with pytest.raises(ConfigurationError, match=r"(?s)a\.yaml, line 4: task.*c\.yaml, line 19: seed"):
        running(*wrong)
    assert not (tmp_path / "objects").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"watch": True, "query_id": "impacts-v1"}, "leave out --query-id"),
        ({"watch": True, "dry_run": True}, "leave out --query-id and --dry-run"),
        ({"output": Path("here"), "push": True}, "Give --output or --push"),
        ({"every": 0.0}, "--every is at least 1 second"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    running: Callable[..., tuple[int, str]], written: Written, options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        running(written(), **options)


def test_an_empty_folder_is_told(running: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no file that ends in"):
        running(tmp_path)


def test_the_exit_status_says_whether_another_try_may_help(
    running: Callable[..., tuple[int, str]], written: Written
) -> None:
    assert running(written(), url="http://127.0.0.1:1")[0] == 75
    assert running(written(features=["peek"]))[0] == 1


@pytest.mark.any_database
@pytest.mark.django_db(transaction=True)
def test_a_bundle_can_be_pushed_to_the_dashboard(
    running: Callable[..., tuple[int, str]],
    written: Written,
    live_server: LiveServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("ATLAS_URL", live_server.url)
    monkeypatch.setenv("ATLAS_TOKEN", dashboards.token(Right.READ, Right.WRITE))
    settings.ATLAS_OBJECT_STORE = str(tmp_path / "theirs")
    status, output = running(written(), push=True)
    (kept,) = dashboards.objects().list("models/")
    dashboards.objects().get(kept.key, tmp_path / "kept.atlas")
    assert status == DONE, output
    assert f"models/{read_manifest(tmp_path / 'kept.atlas').name}.atlas" == kept.key
