"""Events as numbers: the same sets as those of names."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitoring.events import NumberedEvents, Numbering

names = st.lists(st.text(max_size=3), unique=True, max_size=40)


@given(names, names)
def test_sets_of_numbers_share_what_sets_of_names_share(one: list[str], other: list[str]) -> None:
    numbering = Numbering()
    first, second = (NumberedEvents.of(numbering.numbers(each)) for each in (one, other))
    assert (len(first), len(second)) == (len(one), len(other))
    assert len(first & second) == len(set(one) & set(other))


def test_an_event_has_one_number_in_all_versions() -> None:
    numbering = Numbering()
    assert numbering.numbers(["b", "a"]).tolist() == [0, 1]
    assert numbering.numbers(["c", "a"]).tolist() == [2, 1]


def test_there_may_be_no_events_at_all() -> None:
    assert not NumberedEvents.of(np.array([], dtype=np.int64))
