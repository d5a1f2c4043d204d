"""Streams of dataset versions as a car's sensors might give them, with a change that is known, or without any."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

VERSIONS, COLUMNS, ROWS, REFERENCE_ROWS = 20, 10, 500, 2000
REPLACED, DOUBLED = 6, 9
"""The versions from which on the gas sensor reads 1.5 K more, and the label `pothole` is twice as frequent."""
KINDS = np.array(["asphalt", "gravel", "cobbles", "pothole"])
SHARES = np.array([0.5, 0.15, 0.15, 0.2])
DOUBLED_SHARES = np.array([0.3, 0.15, 0.15, 0.4])


def drawn(random: np.random.Generator, rows: int, *, warmer: float = 0.0, shares: np.ndarray = SHARES) -> pa.Table:
    """Events of ten columns of scalars: numbers of several shapes, one with gaps, names, a label and a prediction."""
    label = random.choice(KINDS, rows, p=shares)
    is_right = random.random(rows) < 0.9
    humidity = random.normal(45, 8, rows)
    return pa.table(
        {
            "gas.temperature": random.normal(21, 2, rows) + warmer,
            "gas.humidity": pa.array(np.where(random.random(rows) < 0.03, np.nan, humidity), from_pandas=True),
            "sound.rms": random.gamma(2, 0.05, rows),
            "speed": np.where(random.random(rows) < 0.3, 0.0, random.normal(60, 25, rows)),
            "impacts": random.poisson(0.7, rows),
            "passengers": random.integers(1, 5, rows),
            "car": random.choice([f"car {number}" for number in range(12)], rows),
            "is_raining": random.random(rows) < 0.2,
            "label": label,
            "prediction": np.where(is_right, label, random.choice(KINDS, rows)),
        }
    )


def unchanged(random: np.random.Generator) -> Iterator[tuple[str, pa.Table]]:
    """Versions of 500 events each, all drawn alike."""
    return ((str(number), drawn(random, ROWS)) for number in range(1, VERSIONS + 1))


def changing(random: np.random.Generator) -> Iterator[tuple[str, pa.Table]]:
    """The same, but the sensor is replaced at version 6, and more potholes come from version 9 on."""
    for number in range(1, VERSIONS + 1):
        warmer = 1.5 if number >= REPLACED else 0.0
        yield str(number), drawn(random, ROWS, warmer=warmer, shares=DOUBLED_SHARES if number >= DOUBLED else SHARES)
