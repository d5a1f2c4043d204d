"""The documents of drift."""

import pytest
from pydantic import ValidationError

from atlas.drift import Distribution, TableDrift
from tests.drifting import column, drift


def test_a_distribution_has_as_many_counts_as_bins() -> None:
    with pytest.raises(ValidationError, match="as many counts before and now as there are bins"):
        Distribution(bins=("low", "high"), before=(1, 2), now=(1,))


def test_a_table_s_score_is_of_its_columns_alone() -> None:
    found = drift(column("peak", 0.3), column("rms", 0.05), labels=column("label", 0.9))
    assert (found.share_moved, found.farthest) == (0.5, 0.3)
    empty = TableDrift(compared_with="first", rows_before=0, rows_now=0, columns=())
    assert (empty.share_moved, empty.farthest) == (0.0, 0.0)
