"""What the threat model says of roles is what the code has."""

import re
from pathlib import Path

from atlas.access import Right, Role

PAGE = (Path(__file__).parents[1] / "docs/explanation/threat-model.md").read_text()


def test_the_roles_have_the_rights_that_the_page_says() -> None:
    heading = re.search(r"^\| role \| (.+) \|$", PAGE, re.MULTILINE)
    assert heading
    rights = [Right(each) for each in heading[1].split(" | ")]
    assert rights == list(Right)
    for role in Role:
        row = re.search(rf"^\| {role} \| (.+) \|$", PAGE, re.MULTILINE)
        assert row, role
        told = {right for right, may in zip(rights, row[1].split(" | "), strict=True) if may == "yes"}
        assert told == role.rights, role
