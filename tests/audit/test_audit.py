"""The audit finds what it is there for, and lets pass what is named, for as long as it is said."""

import json
import subprocess
from datetime import date
from pathlib import Path

import pytest

from audit import exceptions, leaks, licences, vulnerabilities
from audit.packages import ROOT, locked

LEAKED = "AKIA" + "QWERTYUIOPASDFGH"
"""What a key of a cloud looks like."""


@pytest.mark.parametrize(
    ("expression", "permissive"),
    [
        ("MIT", True),
        ("Apache-2.0 AND BSD-2-Clause AND (MIT OR ISC)", True),
        ("Apache Software License", True),
        ("MPL-2.0 AND MIT", False),
        ("GNU Affero General Public License v3", False),
        ("LGPL-2.1-or-later", False),
        ("MITIGATED", False),
        ("", False),
    ],
)
def test_a_licence_is_permissive_if_all_that_it_names_are(expression: str, permissive: bool) -> None:
    assert licences.is_permissive(expression) is permissive


def test_a_package_without_a_permissive_licence_is_told_unless_it_is_an_exception() -> None:
    told = {"a": "MIT", "b": "GPL-3.0-only", "c": "", "d": None, "e": "GPL-2.0-only"}
    assert licences.wrong(told, {"e": "why"}, told.get) == ["b: GPL-3.0-only", "c: it tells no licence"]


def test_every_package_that_is_locked_may_be_passed_on_and_every_exception_is_needed() -> None:
    passed = exceptions.on(date.min).licences
    assert licences.wrong(locked(), passed) == []
    assert {each.partition(":")[0] for each in licences.wrong(locked(), {})} == set(passed)


def test_an_exception_counts_until_its_day_and_needs_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "exceptions.toml"
    path.write_text('[vulnerabilities.CVE-1]\nwhy = "no code of ours calls it"\nuntil = 2026-12-01\n')
    assert set(exceptions.on(date(2026, 11, 30), path).vulnerabilities) == {"CVE-1"}
    assert not exceptions.on(date(2026, 12, 1), path).vulnerabilities
    path.write_text('[licences.a]\nwhy = ""\nuntil = 2026-12-01\n')
    with pytest.raises(ValueError, match=r"licences\.a\.why"):
        exceptions.on(date(2026, 11, 30), path)


def test_a_secret_that_nobody_has_looked_at_is_told_with_its_place(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "settings.py").write_text(f"# where\nKEY = '{LEAKED}'\n")
    (tmp_path / "untracked.py").write_text(f"KEY = '{LEAKED}'\n")
    subprocess.run(["git", "add", "settings.py"], cwd=tmp_path, check=True)
    known = json.loads((ROOT / leaks.BASELINE).read_text())
    (tmp_path / leaks.BASELINE).write_text(json.dumps(known | {"results": {}}))
    assert leaks.new(tmp_path) == ["settings.py:2: AWS Access Key"]
    leaks.accept(tmp_path)
    assert leaks.new(tmp_path) == []
    assert LEAKED not in (tmp_path / leaks.BASELINE).read_text()


def test_every_secret_of_the_baseline_was_looked_at_and_is_none() -> None:
    known = json.loads((ROOT / leaks.BASELINE).read_text())["results"]
    assert {each["is_secret"] for found in known.values() for each in found} == {False}


@pytest.mark.parametrize("answer", ["", '{"dependencies": [{"name": "django", "skip_reason": "not found"}]}'])
def test_a_service_that_does_not_answer_or_knows_nothing_is_said_to_be_none(
    answer: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _answering(monkeypatch, {"probe.txt": answer})
    with pytest.raises(vulnerabilities.UnreachableError):
        vulnerabilities.found([Path("requirements.txt")], "5.2", (), tmp_path)


def test_a_vulnerability_is_told_with_the_version_that_has_it_no_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = [
        {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.1"]},
        {"id": "PYSEC-2", "aliases": [], "fix_versions": []},
        {"id": "PYSEC-3", "aliases": ["CVE-3"], "fix_versions": ["3"]},
    ]
    package = {"name": "a", "version": "2.0", "vulns": known}
    fine = json.dumps({"dependencies": [{"name": "django", "version": "5.2", "vulns": []}]})
    _answering(monkeypatch, {"probe.txt": fine, "requirements.txt": json.dumps({"dependencies": [package]})})
    assert vulnerabilities.found([Path("requirements.txt")], "5.2", ["CVE-3"], tmp_path) == [
        "a 2.0: PYSEC-1; mended in 2.1",
        "a 2.0: PYSEC-2; mended in none yet",
    ]


def _answering(monkeypatch: pytest.MonkeyPatch, answers: dict[str, str]) -> None:
    """Lets pip-audit answer for each requirements file, by its name."""

    def run(command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        path = Path(command[command.index("--requirement") + 1])
        return subprocess.CompletedProcess(command, 1, stdout=answers[path.name], stderr="no network")

    monkeypatch.setattr(subprocess, "run", run)
