"""Who runs the commands of the documents. What stands in no table here is run as it is written, in the stage.

So a new command needs nothing here if it works as a reader would type it. Otherwise:

- a placeholder, such as a server's name or a token, gets the stage's value by a line of `SUBSTITUTES`,
- what has to be there before is made by a line of `TYPED_BEFORE` or `KNOWN_BEFORE`,
- a command that goes on until it is stopped is known by what it prints, in `SERVES`,
- a command that another test runs, or that no test machine can run, is named in `ELSEWHERE` or `NOWHERE`.
"""

import re
from dataclasses import dataclass

from tests.docs.commands import Command

MODEL = "DamageDetector-1.0.0-1767323045"
OTHER_MODELS = {"DamageDetector-0.9.0-1765000000": 0.1, "DamageBoost-2.0.0-1732201001": 0.01}
"""The models that documents speak of, each with the strength that makes it another one."""


@dataclass(frozen=True)
class Elsewhere:
    """What a command's run is found in: a file of tests or of CI, and the words there that run it."""

    document: str
    command: str
    file: str
    words: str


@dataclass(frozen=True)
class Nowhere:
    """A command that no test machine can run, and why."""

    document: str
    command: str
    why: str


SUBSTITUTES: tuple[tuple[str, str], ...] = (
    (r"https://atlas\.example\.org", "{dashboard}"),
    (r"http://dashboard:8000", "{dashboard}"),
    (r"(?<=run_ingestion --port )\d+", "{port}"),
    (r"(?<=--bind 127\.0\.0\.1:)\d+", "{port}"),
    (r"(?<=_ADDRESS=127\.0\.0\.1:)\d+", "{port}"),
    (r"http://127\.0\.0\.1:8100", "{ingestion}"),
    (r"atlas_…", "{token}"),
    (r"postgresql://atlas:PASSWORD@db\.example\.org:5432/atlas", "{database}"),
    (r"s3://KEY:SECRET@minio\.example\.org:9000/atlas\?secure=true", "{objects}"),
    (r"s3://WORKER_KEY:SECRET@store\.example\.org/atlas", "{objects}"),
    (r"(?<=dask scheduler --port )8786", "{scheduler}"),
    (r"scheduler\.example\.org:8786", "127.0.0.1:{scheduler}"),
    (r"/var/(lib|cache)/atlas", "{folder}"),
    (r"(?<=createsuperuser)$", " --no-input"),
    (r"\bFILE\b", f"{MODEL}.atlas"),
    (r"dents-v1-3f2a90bc", "{dents}"),
    (r"(?<=--acknowledge )12", "{alert}"),
    (r'"impacts", 6', '"impacts", 2'),
)
"""What takes the place of what, in this order; `{port}` is a free one each time."""

TYPED_BEFORE: dict[str, str] = {
    "CONTRIBUTING.md": "git init --quiet .",
    "docs/how-to/promote-a-model.md": "MODEL=DamageDetector-1.0.0-1767323045 GITHUB_REF_NAME=v1.0.0 GITHUB_ACTOR=ines",
    "docs/how-to/let-people-in.md": "DJANGO_SUPERUSER_USERNAME=eva DJANGO_SUPERUSER_EMAIL=eva@example.org",
    "docs/how-to/upgrade.md": "ATLAS_STATIC_DIR=$PWD/static",
    "docs/how-to/script-atlas.md": "VERSION=1.1.0 BASELINE=DamageDetector-0.9.0-1765000000",
}
"""What the reader of a document has done in the shell before."""

KNOWN_BEFORE: dict[str, str] = {
    "README.md": "model, rows = belongings.model(), belongings.rows()[belongings.COLUMNS]",
    "docs/how-to/add-a-custom-metric.md": "model, rows = belongings.model(), belongings.rows()[belongings.COLUMNS]",
    "docs/how-to/add-a-sensor.md": "from atlas_collector.drivers import Driver",
    "docs/how-to/watch-drift.md": """
model, training_rows, described = belongings.model(), belongings.rows(5_000), belongings.description()
""",
    "docs/reference/bundle.md": """
model, scaler = belongings.model(), belongings.scaler()
training, rows = belongings.rows(1_000), belongings.rows()[belongings.COLUMNS]
""",
}
"""What the names in a document's Python stand for."""

SERVES: tuple[tuple[str, str], ...] = (
    (r"manage\.py run_ingestion", "Listening at"),
    (r"manage\.py run_engine", "benchmarks at a time"),
    (r"manage\.py send_alerts", "alerts are sent"),
    (r"gunicorn .*atlas_web", "Listening at"),
    (r"dask scheduler", "Scheduler at"),
    (r"dask worker", "Registered to"),
    (r"atlas bag view", "until Ctrl-C"),
    (r"--watch\b", "✓"),
)
"""Commands that go on, and what they print once they do what they are for."""

REFUSED: tuple[str, ...] = (r"queries/preview -d '\{\"query\": \"speed in 3\"\}'",)
"""Commands of which the document shows how they are refused."""

CASING, CAR = "tests/collector/casing/test_casing.py", "tests/collector/car.py"
BACKUPS, COMPOSE = "tests/backups/test_backups.py", "tests/compose/project.py"
RETENTION, FORMAT = "tests/storage/test_retention.py", "tests/docs/test_model_format.py"
TUTORIAL, TRAINING = "tests/e2e/test_tutorial.py", "tests/training_engine/test_documents.py"
ELSEWHERE: tuple[Elsewhere, ...] = (
    Elsewhere("*", r"^(ATLAS_DEMO\S+ )*make demo", "tests/e2e/test_main_job.py", '[sys.executable, "-m", "demo"]'),
    Elsewhere("*", r"^make test\b(?!-)", ".ci/run", "make test\n"),
    Elsewhere("*", r"^make test-system", ".ci/run", "make test-system"),
    Elsewhere("*", r"^make lighthouse", ".ci/run", "make lighthouse"),
    Elsewhere("*", r"^make setup-dev", "Makefile", "test: setup-dev lint"),
    Elsewhere("*", r"^make lint", "Makefile", "test: setup-dev lint"),
    Elsewhere("*", r"^make docs", "Makefile", "lint: setup-dev docs"),
    Elsewhere("*", r"^atlas backup --verify", BACKUPS, 'command("backup", "--verify")'),
    Elsewhere("*", r"^atlas backup /", BACKUPS, 'command("backup")'),
    Elsewhere("*", r"^(ATLAS_DATA_DIR=\S+ )?atlas restore", BACKUPS, 'command("restore", "--replace")'),
    Elsewhere(
        "*", r"^export \w+_FILE=/run/secrets/", "docker-compose.yml", "_DASHBOARD_FILE: /run/secrets/database-url-"
    ),
    Elsewhere("*", r"^scripts/make-secrets", COMPOSE, "scripts/make-secrets"),
    Elsewhere("docs/how-to/run-with-compose.md", r"^atlas push", "tests/compose/test_circle.py", 'command("push"'),
    Elsewhere("*", r"^docker compose build", COMPOSE, '.compose("build"'),
    Elsewhere("*", r"^docker compose exec", COMPOSE, '["exec", "--no-TTY"'),
    Elsewhere("*", r"^docker compose down", COMPOSE, '"down", "--volumes"'),
    Elsewhere("*", r"^atlas doctor", "tests/doctor/test_doctor.py", "from doctor import all as all_checks"),
    Elsewhere("*", r"^docker compose up", COMPOSE, '"up", "--detach", "--wait"'),
    Elsewhere("*", r"^docker compose run --rm backup", COMPOSE, '"run", "--rm", "backup"'),
    Elsewhere("*", r"^docker compose run --rm restore", COMPOSE, '"run", "--rm", "restore"'),
    Elsewhere("*", r"^docker compose run --rm doctor", COMPOSE, '"run", "--rm", "doctor"'),
    Elsewhere("*", r"^docker compose stop", "tests/compose/crashes.py", '.compose("stop", '),
    Elsewhere("docs/how-to/add-a-model-format.md", r"", FORMAT, "test_the_package_of_the_guide_adds_a_format"),
    Elsewhere("docs/tutorial.md", r"^(?!ATLAS_DEMO)", TUTORIAL, "test_each_step_of_the_tutorial_works"),
    Elsewhere("docs/tutorial-training.md", r"", TRAINING, "test_the_tutorial_runs_from_the_first_block_to_the_last"),
    Elsewhere("*", r"^make case\s+#", CASING, 'run("collector.casing", tmp_path / "casing", "--picture"'),
    Elsewhere("*", r"^make case SIZES", CASING, 'run("collector.casing", tmp_path / "casing", "--sizes"'),
    Elsewhere("*", r"^(sudo )?make collector-install", CAR, '"make", "collector-install"'),
    Elsewhere("*", r"atlas-collector sim:=true", CAR, '"opt", "atlas-collector", "bin", "atlas-collector"'),
    Elsewhere("*", r"^roslaunch atlas_collector", "collector/install", "roslaunch atlas_collector collector.launch"),
    Elsewhere("*", r"^make bench$", "tests/benchmarks/test_engine.py", '"-m", "benchmarks.engine"'),
    Elsewhere("*", r"^make bench-explain", "tests/benchmarks/test_explain.py", '"-m", "benchmarks.explain"'),
    Elsewhere("*", r"^make bench-dashboard", "tests/benchmarks/test_dashboard.py", '"-m", "benchmarks.dashboard"'),
    Elsewhere("*", r"^make bench-ingestion", "tests/benchmarks/test_ingestion.py", '"-m", "benchmarks.ingestion"'),
    Elsewhere("*", r"^make bench-bags", "tests/benchmarks/test_bags.py", '"-m", "benchmarks.bags"'),
    Elsewhere("*", r"^make bench-drift", "tests/benchmarks/test_drift.py", "from benchmarks.drift import"),
)

NOWHERE: tuple[Nowhere, ...] = (
    Nowhere("*", r"^(sudo )?(install|nano|systemctl|journalctl)\b", "it is for the car's computer, where systemd runs"),
    Nowhere("*", r"^git (clone|fetch|pull|worktree)", "it fetches a release of Atlas from where it is kept"),
    Nowhere("CONTRIBUTING.md", r"tests/upgrade/v", "it is made once for each release, in a copy of it"),
    Nowhere(
        "*", r"^docker compose (--profile|restart)", "the circle on Compose runs without what few installations have"
    ),
    Nowhere("docs/how-to/run-with-compose.md", r"^(echo|export|mkdir)\b", "it changes the settings of a server"),
    Nowhere("*", r"^docker compose logs", "it reads what containers have logged; tests/telemetry read such lines"),
    Nowhere(
        "*",
        r"^docker compose run --rm -e",
        "it is `atlas retention` in a container; tests/storage/test_retention.py runs it",
    ),
    Nowhere("docs/how-to/add-a-sensor.md", r"^rostopic hz", "it goes on for ever, and needs a car that drives"),
    Nowhere("docs/how-to/run-on-a-cluster.md", r"^helm install", "it needs a cluster of Kubernetes"),
    Nowhere("*", r"^apt-get install", "it changes the machine; scripts/test-programs installs the same packages"),
    Nowhere("*", r"^(\.venv/bin/)?pip install .*'?atlas", "it fetches a release from the package index"),
    Nowhere("CONTRIBUTING.md", r"^make pictures", "it needs the demo, run for as long as its pictures take"),
)


def claimants(command: Command) -> list[Elsewhere | Nowhere]:
    """Who says that a command is not the stage's."""
    every: tuple[Elsewhere | Nowhere, ...] = (*ELSEWHERE, *NOWHERE)
    return [
        claim for claim in every if claim.document in ("*", command.document) and re.search(claim.command, command.text)
    ]
