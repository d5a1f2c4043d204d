"""Names of variables that look like Atlas' and are none."""

from atlas.variables import misspelt


def test_a_misspelt_variable_is_told_with_the_one_that_is_meant() -> None:
    assert list(misspelt(["ATLAS_POL_SECONDS", "ATLAS_SECRET_KY_FILE"])) == [
        "ATLAS_POL_SECONDS is set, but Atlas knows no such variable. Is ATLAS_POLL_SECONDS meant?",
        "ATLAS_SECRET_KY_FILE is set, but Atlas knows no such variable. Is ATLAS_SECRET_KEY meant?",
    ]


def test_those_that_are_read_and_those_of_others_are_not_told() -> None:
    assert list(misspelt(["ATLAS_WORKERS", "ATLAS_SECRET_KEY_FILE", "DATABASE_URL", "PATH"])) == []


def test_one_that_is_like_no_other_is_told_all_the_same() -> None:
    assert list(misspelt(["ATLAS_XYZZY_42"])) == ["ATLAS_XYZZY_42 is set, but Atlas knows no such variable."]
