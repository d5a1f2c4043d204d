"""What Evidently says of pairs of columns; run in .venv-evidently, told and telling JSON."""

import json
import sys
from typing import Any

import pandas as pd
from evidently.legacy.calculations import stattests
from evidently.legacy.calculations.stattests.utils import get_binned_data
from evidently.legacy.core import ColumnType

BINS = 30
OF_SHARES = {
    "kullback_leibler": stattests.kl_div_stat_test,
    "population_stability": stattests.psi_stat_test,
    "jensen_shannon": stattests.jensenshannon_stat_test,
    "hellinger": stattests.hellinger_stat_test,
}
OF_CATEGORIES = {"chi_square_p": stattests.chi_stat_test}
OF_NUMBERS = {
    "kolmogorov_smirnov_p": stattests.ks_stat_test,
    "wasserstein": stattests.wasserstein_stat_test,
    "energy": stattests.energy_dist_test,
}


def measured(reference: pd.Series, current: pd.Series) -> dict[str, Any]:
    """Every measure that both define, and the shares of Evidently's bins, of which it computes some of them."""
    is_number = pd.api.types.is_numeric_dtype(reference)
    kind = ColumnType.Numerical if is_number else ColumnType.Categorical
    tests = OF_SHARES | (OF_NUMBERS if is_number else OF_CATEGORIES)
    said = {name: float(test(reference.copy(), current.copy(), kind, None).drift_score) for name, test in tests.items()}
    shares = get_binned_data(reference, current, kind, BINS, feel_zeroes=False)
    return said | {"shares": [side.tolist() for side in shares]}


if __name__ == "__main__":
    told = {name: [pd.Series(side) for side in sides] for name, sides in json.load(sys.stdin).items()}
    sys.stdout.write(json.dumps({name: measured(*sides) for name, sides in told.items()}))
