"""Every command of the documents does what it says: run as it is written, or where it is said to be run."""

import subprocess
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.docs import claims
from tests.docs.commands import DOCUMENTS, ROOT, Command, commands
from tests.docs.stage import Stage
from tests.e2e.conftest import install
from tests.e2e.installation import Installation

__all__ = ["install"]  # a fixture

ALL = [command for document in DOCUMENTS for command in commands(document)]
STAGED = [command for command in ALL if not claims.claimants(command)]
SHELL = [command for command in ALL if command.language == "sh"]
HELP = "mend the document or Atlas, or read in tests/docs/claims.py how such a command is told who runs it"


def name(claim: claims.Elsewhere | claims.Nowhere) -> str:
    return f"{claim.document} {claim.command}"


def test_every_command_is_run_in_one_way() -> None:
    assert [f"{command}: {found}" for command in ALL if len(found := claims.claimants(command)) > 1] == []


@pytest.mark.parametrize(
    "claim", [*claims.ELSEWHERE, *claims.NOWHERE], ids=lambda claim: f"{claim.document} {claim.command}"
)
def test_no_claim_is_left_over(claim: claims.Elsewhere | claims.Nowhere) -> None:
    assert any(claim in claims.claimants(command) for command in ALL), "no document has such a command any more"


def test_documents_that_are_prepared_are_there() -> None:
    assert {*claims.TYPED_BEFORE, *claims.KNOWN_BEFORE} <= {command.document for command in STAGED}


@pytest.mark.parametrize("claim", claims.ELSEWHERE, ids=name)
def test_what_is_run_elsewhere_is_run_there(claim: claims.Elsewhere) -> None:
    assert claim.words in (ROOT / claim.file).read_text()


def test_every_command_of_a_shell_can_be_read_by_one() -> None:
    script = "\n".join(f"({command.text}\n)" for command in SHELL)
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("claim", claims.NOWHERE, ids=name)
def test_what_cannot_be_run_says_why(claim: claims.Nowhere) -> None:
    assert len(claim.why.split()) > 3


@pytest.mark.system(minutes=6)
@pytest.mark.timeout(1200)  # a hundred commands, beside whatever else the machine does
def test_what_the_documents_say_works(install: Callable[..., Installation], tmp_path: Path) -> None:
    stage = Stage(install(metrics_token="for-those-who-watch"), tmp_path / "stage")
    staged: dict[str, list[Command]] = defaultdict(list)
    for command in STAGED:
        staged[command.document].append(command)
    with ThreadPoolExecutor(max_workers=2) as readers:
        wrong = [said for said in readers.map(lambda document: stage.play(document, staged[document]), staged) if said]
    assert not wrong, "\n".join([*wrong, HELP, stage.installation.logs()])
