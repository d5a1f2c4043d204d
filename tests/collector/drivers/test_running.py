"""Samples are numbered, whatever is lost between them."""

from hypothesis import given
from hypothesis import strategies as st

from atlas_collector.drivers.running import Running

MOST = 20
step = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 2 * MOST)),
    st.tuples(st.just("skip"), st.integers(-1, 9)),
    st.tuples(st.just("take"), st.just(0)),
)


@given(steps=st.lists(step, max_size=30))
def test_what_is_taken_has_its_own_number_and_all_else_is_counted_as_lost(steps: list[tuple[str, int]]) -> None:
    """Each sample is made of its number, so that a wrong one shows."""
    running = Running(sample_bytes=2, most=MOST)
    number = taken = 0
    for kind, count in [*steps, *[("take", 0)] * (MOST + 1)]:
        if kind == "add":
            running.add(b"".join(each.to_bytes(2, "big") for each in range(number, number + count)))
            number += count
        elif kind == "skip":
            running.skip(count)
            number += max(0, count)
        elif (run := running.take()) is not None:
            first, samples = run
            assert samples == b"".join(each.to_bytes(2, "big") for each in range(first, first + len(samples) // 2))
            assert len(samples) <= 2 * MOST
            taken += len(samples) // 2
    assert taken + running.lost == number


def test_when_nobody_takes_them_the_oldest_are_lost() -> None:
    running = Running(sample_bytes=1, most=4)
    for content in (b"ab", b"cd", b"ef"):
        running.add(content)
    assert running.take() == (2, b"cdef")
    assert running.take() is None
    assert running.lost == 2


def test_a_loss_ends_what_is_taken_at_once() -> None:
    running = Running(sample_bytes=1, most=100)
    running.add(b"ab")
    running.skip(3)
    running.add(b"c")
    running.add(b"d")
    assert [running.take(), running.take(), running.take()] == [(0, b"ab"), (5, b"cd"), None]
