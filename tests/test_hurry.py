"""Tests give way where CI has no time left."""

import time

import pytest

from tests import hurry


@pytest.mark.parametrize(
    ("mark", "minutes_ago", "is_left_out"),
    [
        (pytest.mark.system, 40, False),
        (pytest.mark.system, 45, True),
        (pytest.mark.system(minutes=8), 38, False),
        (pytest.mark.system(minutes=10), 38, True),
        (pytest.mark.database, 45, False),
        (pytest.mark.database, 48, True),
        (pytest.mark.system, None, False),
    ],
)
def test_only_what_would_end_too_late_is_left_out(
    mark: pytest.MarkDecorator,
    minutes_ago: float | None,
    is_left_out: bool,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hurry._is_late_for.cache_clear()
    monkeypatch.delenv("CI_BEGAN", raising=False)
    if minutes_ago is not None:
        monkeypatch.setenv("CI_BEGAN", str(time.time() - 60 * minutes_ago))
    request.node.add_marker(mark)
    if is_left_out:
        with pytest.raises(pytest.skip.Exception, match="no time left"):
            hurry.leave_out_if_late(request.node)
    else:
        hurry.leave_out_if_late(request.node)


def test_a_file_that_has_begun_is_not_left_half_done(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry._is_late_for.cache_clear()
    request.node.add_marker(pytest.mark.system(minutes=8))
    for minutes_ago in (38, 48):
        monkeypatch.setenv("CI_BEGAN", str(time.time() - 60 * minutes_ago))
        hurry.leave_out_if_late(request.node)
