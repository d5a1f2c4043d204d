"""Channels: which sample was taken when."""

import numpy as np
import pytest

from bags import Channel


@pytest.mark.parametrize("rate", [1.0, 44_100.0, 48_000.0, 192_000.0])
def test_the_time_of_a_sample_leads_back_to_it(rate: float) -> None:
    samples = 3600 * int(rate)
    channel = Channel(
        name="m", values=np.broadcast_to(np.int8(0), (samples,)), rate_hz=rate, start_ns=1_700_000_000_000_000_000
    )
    for index in (0, 1, 2, 3, samples // 7, samples - 1, samples):
        assert channel.index_at(channel.time_at(index)) == index
