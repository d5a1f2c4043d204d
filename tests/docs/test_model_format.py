"""The package of "Add a model format" is installed from the document as it stands there, and used as it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.belongings import first
from tests.docs.commands import ROOT, SHELL, blocks

GUIDE = ROOT / "docs/how-to/add-a-model-format.md"
ASK = """
import pandas as pd
from atlas.formats import Meaning, format_of
from atlas.vocabulary import Task
from pathlib import Path
from rule_format import FORMAT, Rule
FORMAT.dump(Rule(column="peak", threshold=0.5), Path("model.rule"))
read = format_of(Path("model.rule"))
model = read.adapt(read.load(Path("model.rule"), frozenset()), Meaning(task=Task.BINARY, classes=("none", "dent")))
print(*model.predict(pd.DataFrame({"peak": [0.9, 0.1]}), ()).labels, dict(model.get_params()))
"""


@pytest.mark.system
def test_the_package_of_the_guide_adds_a_format(tmp_path: Path) -> None:
    format_code, use = (block.text for block in blocks(GUIDE) if block.language == "python")
    (install,) = (block.text.split() for block in blocks(GUIDE) if block.language == SHELL)
    (tmp_path / "rule_format.py").write_text(format_code)
    (tmp_path / "pyproject.toml").write_text(first("how-to/add-a-model-format.md", "toml"))
    offline = ["--quiet", "--no-deps", "--no-build-isolation", "--target", "installed"]
    subprocess.run([sys.executable, "-m", *install, *offline], cwd=tmp_path, check=True)
    (tmp_path / "rule_format.py").unlink()  # only what was installed is found
    assert "format='rule'" in python(use, tmp_path)
    assert python(ASK, tmp_path) == "dent none {'column': 'peak', 'threshold': 0.5}\n"


def python(code: str, folder: Path) -> str:
    """What a program prints to which the installed package is known."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{folder / 'installed'}"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout
