"""Our measures beside Evidently's of the same columns.

Evidently takes an older plotly than Atlas, so it has an environment of its own, which `make test-system` makes. Where
both define a measure in the same way, they agree to rounding. What differs, and how it is compared:

- Bins. Evidently cuts the range of both samples into equal widths, we cut the reference into equal shares. Measures of
  shares are compared on Evidently's shares.
- Empty bins. Evidently puts 0.0001 (or less) for a share of 0, we add half a row to each count, and have two more
  categories: others, and missing. So whole columns of categories agree only nearly, the nearer, the more rows.
- Jensen-Shannon: Evidently's is in nats, ours in bits, so that it reaches 1: theirs is ours times √ln 2.
- Pairwise distance: Evidently has the energy distance, whose square is twice ours before it is divided by the average.
- χ²: Evidently takes the reference's shares as known, we take both as samples. Given the reference a million times
  over, ours must say the same.
- Kolmogorov-Smirnov: Evidently's p is exact for fewer than 10,000 rows, ours is from the limit, corrected for few.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring import columns, drift

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-evidently/bin/python"
RANDOM = np.random.default_rng(11)
NAMES = np.array(["city", "country", "motorway", "parked"])

PAIRS: dict[str, tuple[Any, Any]] = {
    "a shift": (RANDOM.normal(20, 4, 3000), RANDOM.normal(22, 4, 2000)),
    "a wider spread": (RANDOM.normal(0, 1, 3000), RANDOM.normal(0, 1.5, 3000)),
    "nothing but chance": (RANDOM.normal(0, 1, 900), RANDOM.normal(0, 1, 700)),
    "a long tail": (RANDOM.gamma(2, 3, 4000), RANDOM.gamma(2.3, 3, 4000)),
    "names that shift": (RANDOM.choice(NAMES, 30_000), RANDOM.choice(NAMES, 20_000, p=[0.4, 0.2, 0.3, 0.1])),
    "names and chance": (RANDOM.choice(NAMES, 3000), RANDOM.choice(NAMES, 2000)),
}
OF_NUMBERS = [name for name, (reference, _) in PAIRS.items() if reference.dtype.kind == "f"]
OF_NAMES = [name for name in PAIRS if name not in OF_NUMBERS]
OF_SHARES = ("kullback_leibler", "population_stability", "jensen_shannon", "hellinger")
IN_NATS = {"jensen_shannon": np.sqrt(np.log(2))}


def filled(shares: list[float]) -> drift.Array:
    """As Evidently fills bins that are empty; their sum is then no longer 1."""
    return np.where(np.array(shares) == 0, 1e-4, shares)


FILLED = {"population_stability": filled, "kullback_leibler": lambda shares: filled(shares) / filled(shares).sum()}

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def evidently() -> dict[str, dict[str, Any]]:
    """What it says of each pair."""
    assert PYTHON.exists(), "Evidently has an environment of its own: make .venv-evidently/.installed"
    told = json.dumps({name: [side.tolist() for side in sides] for name, sides in PAIRS.items()})
    command = [PYTHON, Path(__file__).with_name("evidently_measures.py")]
    done = subprocess.run(command, cwd=ROOT, input=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return said


def drift_of(name: str) -> columns.Drift:
    reference, current = (pa.chunked_array([pa.array(side)]) for side in PAIRS[name])
    return columns.reference(reference).drift(current)


@pytest.mark.parametrize("measure", OF_SHARES)
@pytest.mark.parametrize("name", PAIRS)
def test_measures_of_shares_agree(name: str, measure: str, evidently: dict[str, dict[str, Any]]) -> None:
    p, q = (FILLED.get(measure, np.array)(side) for side in evidently[name]["shares"])
    ours = getattr(drift, measure)(p, q) * IN_NATS.get(measure, 1.0)
    assert ours == pytest.approx(evidently[name][measure], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("measure", OF_SHARES)
def test_whole_columns_of_categories_agree_but_for_half_a_row(
    measure: str, evidently: dict[str, dict[str, Any]]
) -> None:
    ours = getattr(drift_of("names that shift"), measure) * IN_NATS.get(measure, 1.0)
    assert ours == pytest.approx(evidently["names that shift"][measure], rel=5e-3)


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_measures_of_samples_agree(name: str, evidently: dict[str, dict[str, Any]]) -> None:
    steps = drift.Steps(*map(np.sort, PAIRS[name]))
    energy = 2 * steps.excess_pairwise_distance * steps.average_pairwise_distance
    assert drift_of(name).wasserstein == pytest.approx(evidently[name]["wasserstein"], rel=1e-9)
    assert np.sqrt(energy) == pytest.approx(evidently[name]["energy"], rel=1e-6)
    assert steps.p_value == pytest.approx(evidently[name]["kolmogorov_smirnov_p"], rel=0.1, abs=1e-9)


@pytest.mark.parametrize("name", OF_NAMES)
def test_the_chance_of_counts_agrees_with_one_of_a_known_reference(
    name: str, evidently: dict[str, dict[str, Any]]
) -> None:
    counts = [np.array([np.sum(side == each) for each in NAMES]) for side in PAIRS[name]]
    ours = drift.chance_of_counts(counts[0] * 1_000_000, counts[1])
    assert ours == pytest.approx(evidently[name]["chi_square_p"], rel=1e-3, abs=1e-12)
