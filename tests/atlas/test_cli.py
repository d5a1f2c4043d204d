import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import joblib
import pytest
import typer
from typer.testing import CliRunner, Result

import atlas
from atlas.cli import app
from atlas.errors import ManifestError
from atlas.metrics import REGISTRY
from atlas.plugins import PLUGINS
from atlas.recipe import Recipe
from tests import bundles

COMMAND = str(Path(sys.executable).with_name("atlas"))


@pytest.fixture(autouse=True)
def plain_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """What whoever runs the tests has set for terminals does not count."""
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "GITHUB_ACTIONS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return bundles.packed(tmp_path)


# inspect -------------------------------------------------------------------------------------------------------------


def test_inspect_shows_everything_that_the_manifest_says(bundle: Path) -> None:
    result = run("inspect", bundle)
    manifest = atlas.inspect(bundle)
    assert result.exit_code == 0
    shown = " ".join(result.stdout.split())
    for expected in (
        manifest.name,
        "Use case damage detector",
        "Author Ada Lovelace <ada@example.com>",
        "Task binary",
        "Classes hit, none",
        "Metrics f1 (primary), accuracy",
        "peak double",
        "Packed 2026-01-02 03:04 UTC",
        f"scikit-learn {manifest.framework.version}",
        manifest.members["model.joblib"].sha256,
    ):
        assert expected in shown


def test_inspect_shows_what_a_bundle_may_have_besides(tmp_path: Path) -> None:
    source = tmp_path / "costs.py"
    source.touch()
    path = bundles.packed(
        tmp_path,
        code=[source],
        custom_metrics=[atlas.CustomMetric(name="cost", function="costs:cost")],
        metrics=["f1", "cost"],
        training=atlas.TrainingRecord(
            query_id="q-1", digest="a" * 64, rows=4_000, date=bundles.PACKED, duration_seconds=1.5
        ),
        data_window=atlas.DataWindow(start=bundles.PACKED, end=bundles.PACKED),
        limits={"wall_seconds": 0.5, "memory_mb": 1_024},
    )
    shown = " ".join(run("inspect", path).stdout.split())
    assert "cost (own: costs:cost)" in shown
    assert "Trained 2026-01-02 03:04 UTC on 4,000 rows of q-1, in 1.5 s" in shown
    assert "Recorded 2026-01-02 03:04 UTC to 2026-01-02 03:04 UTC" in shown
    assert "Limits wall_seconds 0.5, memory_mb 1,024" in shown
    assert "code/costs.py 0 bytes" in shown


def test_inspect_as_json_is_the_manifest(bundle: Path) -> None:
    result = run("inspect", "--json", bundle)
    assert atlas.Manifest.model_validate(json.loads(result.stdout)) == atlas.inspect(bundle)


def test_inspecting_a_pickle_bomb_executes_nothing(tmp_path: Path) -> None:
    path = bundles.pickle_bomb(tmp_path, tmp_path / "crater")
    for arguments in (["inspect", path], ["inspect", "--json", path], ["validate", path]):
        assert run(*arguments).exit_code == 0
    assert not (tmp_path / "crater").exists()


def test_a_bundles_texts_cannot_steer_the_terminal(bundle: Path) -> None:
    bundles.edited(bundle, lambda manifest: manifest.update(use_case="a\x1b[2J\u202e[red]b"))
    result = run("inspect", bundle)
    assert r"a\x1b[2J\u202e[red]b" in result.stdout
    assert "\x1b" not in result.stdout
    bundles.edited(bundle, lambda manifest: manifest.update({"\x1b[2Jx": 1}))
    assert "\x1b" not in run("inspect", bundle).stderr


# Broken bundles ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", bundles.BROKEN, ids=lambda broken: broken.what)
def test_a_broken_bundle_gets_one_line_and_exit_status_1(bundle: Path, broken: bundles.Broken) -> None:
    broken.breaks(bundle)
    result = run("inspect", bundle)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert all(words in result.stderr for words in broken.says)

    result = run("inspect", "--json", bundle)
    error = json.loads(result.stdout)["error"]
    assert (result.exit_code, result.stderr) == (1, "")
    assert error["type"] == broken.error.__name__
    assert all(words in error["message"] for words in broken.says)


# validate ------------------------------------------------------------------------------------------------------------


def test_validate_prints_a_line_for_every_check(bundle: Path) -> None:
    result = run("validate", bundle)
    assert result.exit_code == 0
    heading, *lines = result.stdout.splitlines()
    assert heading == str(bundle)
    assert [re.split(r"\s{2,}", line.strip())[:2] for line in lines] == [
        [name, "ok"] for name in ("zip file", "manifest", "metrics", "formats", "members", "libraries")
    ]


def test_validate_goes_on_after_a_broken_bundle_and_fails_in_the_end(tmp_path: Path, bundle: Path) -> None:
    broken = tmp_path / "broken.atlas"
    broken.write_text("x")
    result = run("validate", broken, bundle)
    assert result.exit_code == 1
    assert "zip file  failed  broken.atlas is not a bundle" in result.stdout
    assert f"{bundle}\n  zip file   ok" in result.stdout


def test_validate_as_json_is_one_document(tmp_path: Path, bundle: Path) -> None:
    broken = tmp_path / "broken.atlas"
    broken.write_text("x")
    result = run("validate", "--json", bundle, broken)
    sound, wrong = json.loads(result.stdout)["bundles"]
    assert (result.exit_code, sound["valid"], wrong["valid"]) == (1, True, False)
    assert (sound["file"], wrong["file"]) == (str(bundle), str(broken))
    assert wrong["checks"] == [
        {"name": "zip file", "outcome": "failed", "detail": wrong["checks"][0]["detail"]},
    ]


def test_a_warning_is_no_failure(bundle: Path) -> None:
    bundles.edited(bundle, lambda manifest: manifest["libraries"].update(numpy="1.0"))
    result = run("validate", bundle)
    assert result.exit_code == 0
    assert "libraries  warning  numpy 1.0 in the bundle" in result.stdout


# pack ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def model(tmp_path: Path) -> Path:
    bundles.rows().head().to_csv(tmp_path / "rows.csv", index=False)
    joblib.dump(bundles.classifier(), tmp_path / "model.joblib")
    return tmp_path / "model.joblib"


def options(model: Path, **changes: object) -> list[object]:
    given = {
        "name": "Detector",
        "version": "2.0",
        "use-case": "damage detector",
        "task": "binary",
        "author": "Ada Lovelace <ada@example.com>",
        "tag": "crash-tests",
        "metric": "f1",
        "example": model.with_name("rows.csv"),
        "output": model.with_name("out"),
    } | changes
    return [part for name, value in given.items() if value is not None for part in (f"--{name}", value)]


def test_pack_writes_a_bundle_and_prints_where(model: Path) -> None:
    result = run("pack", model, *options(model), "--tag", "city")
    assert result.exit_code == 0
    path = Path(result.stdout.removesuffix("\n"))
    assert path.parent == model.with_name("out")
    manifest = atlas.inspect(path)
    assert (manifest.version, manifest.tags, manifest.metrics) == ("2.0", ("crash-tests", "city"), ("f1",))
    assert manifest.author.name == "Ada Lovelace"


def test_pack_takes_fields_from_a_file_and_options_win(model: Path) -> None:
    config = model.with_name("detector.yaml")
    config.write_text("version: '1.0'\nname: FromFile\nexample: rows.csv\nclasses: [hit, none]\n")
    given = options(model, name=None, example=None)
    result = run("pack", model, "--config", config, "--json", *given)
    written = json.loads(result.stdout)
    manifest = atlas.inspect(written["bundle"])
    assert manifest.name.startswith("FromFile-2.0-")
    assert written["size_bytes"] == Path(written["bundle"]).stat().st_size


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"author": "Ada"}, "author.email: an e-mail address is wanted"),
        ({"metric": "acuracy"}, "did you mean 'accuracy'"),
        ({"name": None, "example": None}, "the options: name, example: these fields are missing"),
        ({"output": "/proc/nowhere"}, "/proc/nowhere"),
    ],
)
def test_pack_says_in_one_line_what_is_wrong(model: Path, changes: dict[str, object], says: str) -> None:
    result = run("pack", model, *options(model, **changes))
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


# metrics, version, usage ---------------------------------------------------------------------------------------------


def test_metrics_lists_the_registry() -> None:
    shown = run("metrics").stdout
    assert all(f" {name} " in shown for name in REGISTRY)


def test_metrics_of_a_task_are_those_that_can_measure_it() -> None:
    found = json.loads(run("metrics", "--task", "regression", "--json").stdout)["metrics"]
    assert {metric["name"] for metric in found} == {m.name for m in REGISTRY.values() if "regression" in m.tasks}
    r2 = next(metric for metric in found if metric["name"] == "r2")
    assert (r2["greater_is_better"], r2["needs"], r2["tasks"]) == (True, "labels", ["regression"])


def test_the_version_is_that_of_the_package() -> None:
    assert run("--version").stdout == f"atlas {metadata.version('atlas-benchmark')}\n"


@pytest.mark.parametrize(
    "arguments", [["unheard-of"], ["inspect"], ["inspect", "nowhere.atlas"], ["metrics", "--task", "x"]]
)
def test_wrong_usage_has_exit_status_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


# Commands of other packages ------------------------------------------------------------------------------------------


def install(monkeypatch: pytest.MonkeyPatch, **modules: str) -> None:
    plugins = metadata.EntryPoints(
        metadata.EntryPoint(name=name, value=value, group=PLUGINS) for name, value in modules.items()
    )
    monkeypatch.setattr(metadata, "entry_points", lambda **wanted: plugins.select(**wanted))


plugin = typer.Typer()


@plugin.command()
def greet(name: str) -> None:
    """Greets people."""
    if name == "nobody":
        raise ManifestError("There is nobody.")
    typer.echo(f"Hello {name}")


def test_another_package_adds_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "greetings", sys.modules[__name__])
    install(monkeypatch, greet="greetings:plugin")
    assert "Greets people." in run("--help").stdout
    assert run("greet", "Ada").stdout == "Hello Ada\n"
    failed = run("greet", "nobody")
    assert (failed.exit_code, failed.stderr) == (1, "error: There is nobody.\n")


@pytest.mark.parametrize("value", ["nowhere_installed:app", "json:dumps_nothing", "json:decoder"])
def test_a_broken_plugin_is_one_warning_and_the_rest_works(
    monkeypatch: pytest.MonkeyPatch, bundle: Path, value: str
) -> None:
    install(monkeypatch, shaky=value)
    shown = run("--help")
    assert shown.exit_code == 0
    assert "inspect" in shown.stdout
    assert shown.stderr.startswith(f"warning: the command 'shaky' ({value}) cannot be loaded: ")
    assert shown.stderr.count("\n") == 1
    assert run("shaky").exit_code == 2
    assert run("inspect", bundle).stderr == ""


def test_a_plugin_cannot_replace_a_command_of_ours(monkeypatch: pytest.MonkeyPatch, bundle: Path) -> None:
    install(monkeypatch, inspect="nowhere_installed:app")
    assert run("inspect", bundle).exit_code == 0
    assert run("--help").stdout.count("inspect ") == 1


# The real process ----------------------------------------------------------------------------------------------------


def process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )


def test_in_a_pipe_nothing_is_coloured_or_cut_off(bundle: Path) -> None:
    digest = atlas.inspect(bundle).members["model.joblib"].sha256
    for result in (process("inspect", bundle), process("inspect", bundle, COLUMNS="40")):
        assert result.returncode == 0
        assert "\x1b" not in result.stdout
        assert "…" not in result.stdout
        assert any(digest in line and "model.joblib" in line for line in result.stdout.splitlines())


def test_on_a_narrow_terminal_nothing_is_cut_off_either(bundle: Path) -> None:
    result = process("inspect", bundle, FORCE_COLOR="1", COLUMNS="60", TERM="xterm")
    assert "\x1b[1m" in result.stdout
    plain = re.sub(r"\x1b\[[0-9;]*m", "", result.stdout)
    assert "…" not in plain
    assert max(map(len, plain.splitlines())) <= 60
    assert atlas.inspect(bundle).members["model.joblib"].sha256[-6:] in plain


def test_inspect_starts_without_the_heavy_libraries(bundle: Path) -> None:
    program = (
        "import sys\nfrom atlas.cli import app\n"
        f"try:\n    app(['inspect', {str(bundle)!r}])\nexcept SystemExit as done:\n    assert not done.code\n"
        "print(sorted({'sklearn', 'pandas', 'shap', 'django', 'pyarrow', 'joblib', 'skops'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_error_has_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "x.atlas").write_text("x")
    result = process("inspect", tmp_path / "x.atlas")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


# The reference -------------------------------------------------------------------------------------------------------

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")


def test_the_reference_describes_every_command_and_option() -> None:
    root = typer.main.get_command(app)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        section = REFERENCE.partition(f"## atlas {name}\n")[2].partition("\n## ")[0]
        assert section, name
        for parameter in command.params:
            assert all(
                f"`{option}`" in section or f"[{option}" in section for option in parameter.opts if option[0] == "-"
            )


def test_the_reference_names_every_field_of_a_configuration_file() -> None:
    assert all(f"`{field}`" in REFERENCE for field in Recipe.model_fields)
