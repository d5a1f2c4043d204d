"""The algorithm for trees against the definition of Shapley values, on trees made up at random."""

import math
import os
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from explainability import tree_shap
from explainability.tree_shap import LANES, Tree, quadrature, shap_values

ROOT = Path(__file__).resolve().parents[2]
COMPILES = """
import numpy as np
from explainability import tree_kernels
leaf, number = np.array([-1]), np.zeros(1)
tree_kernels.lay_out(leaf, leaf, leaf, number, np.array([True]), number)
print(tree_kernels.__file__)
"""


class Growing:
    """A tree that grows at random, its nodes in no order, with splits on the same feature again and again."""

    def __init__(self, random: np.random.Generator, *, splits: int, features: int, columns: int) -> None:
        size = 2 * splits + 1
        self.left, self.right, self.feature = np.full(size, -1), np.full(size, -1), np.zeros(size, int)
        self.threshold, self.cover = random.normal(size=size), np.zeros(size)
        self.missing_left = random.random(size) < 0.5
        self.values = random.normal(size=(size, columns))
        self.cover[0] = 100.0
        free, leaves = list(1 + random.permutation(size - 1)), [0]
        for _ in range(splits):
            node = leaves.pop(random.integers(len(leaves)))
            self.feature[node] = random.integers(features)
            self.left[node], self.right[node] = free.pop(), free.pop()
            to_left = self.cover[node] * random.choice([0.0, random.random(), 1.0], p=[0.05, 0.9, 0.05])
            self.cover[self.left[node]], self.cover[self.right[node]] = to_left, self.cover[node] - to_left
            leaves += [self.left[node], self.right[node]]

    def tree(self, column: int = 0) -> Tree:
        return Tree(**vars(self), column=column)


def tree(seed: int, *, splits: int, features: int, columns: int = 1, column: int = 0) -> Tree:
    random = np.random.default_rng(seed)
    return Growing(random, splits=splits, features=features, columns=columns).tree(column)


def rows(count: int, features: int, *, missing: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(7)
    made = random.normal(size=(count, features))
    made[random.random(made.shape) < missing] = np.nan
    return made


def expected(tree: Tree, row: np.ndarray, known: frozenset[int], node: int = 0) -> np.ndarray:
    """The value of a tree where only some features are known, by definition."""
    left, right = int(tree.left[node]), int(tree.right[node])
    if left < 0:
        return np.asarray(tree.values[node])
    if tree.feature[node] in known:
        value = row[tree.feature[node]]
        goes_left = tree.missing_left[node] if np.isnan(value) else value <= tree.threshold[node]
        return expected(tree, row, known, left if goes_left else right)
    both = [tree.cover[child] * expected(tree, row, known, child) for child in (left, right) if tree.cover[child]]
    return np.asarray(sum(both) / tree.cover[node] if both else np.zeros(tree.values.shape[1]))


def shapley(tree: Tree, row: np.ndarray) -> np.ndarray:
    """(features, columns) the Shapley values, by going through all coalitions."""
    features = len(row)
    found = np.zeros((features, tree.values.shape[1]))
    for feature in range(features):
        others = [other for other in range(features) if other != feature]
        for size in range(features):
            for chosen in combinations(others, size):
                without, with_it = frozenset(chosen), frozenset((*chosen, feature))
                gain = expected(tree, row, with_it) - expected(tree, row, without)
                found[feature] += gain / (features * math.comb(features - 1, size))
    return found


seeds: SearchStrategy[int] = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=25)
@given(seed=seeds, splits=st.integers(0, 25), features=st.integers(1, 6))
def test_values_are_those_of_the_definition(seed: int, splits: int, features: int) -> None:
    grown = tree(seed, splits=splits, features=features, columns=2)
    given_rows = rows(3, features, missing=0.2)
    found = shap_values([grown], given_rows, count=1, outputs=2)
    for row, values in zip(given_rows, found.values, strict=True):
        np.testing.assert_allclose(values, shapley(grown, row), atol=1e-10)
    np.testing.assert_allclose(found.base, expected(grown, given_rows[0], frozenset()), atol=1e-10)


@settings(deadline=None, max_examples=50)
@given(seed=seeds, splits=st.integers(0, 300), features=st.integers(1, 40), count=st.integers(1, 2 * LANES + 1))
def test_base_and_values_add_up_to_what_the_trees_answer(seed: int, splits: int, features: int, count: int) -> None:
    trees = [tree(seed + number, splits=splits, features=features, column=number) for number in range(2)]
    given_rows = rows(count, features, missing=0.1)
    found = shap_values(trees, given_rows, count=2, outputs=2)
    everything = frozenset(range(features))
    answers = [[expected(grown, row, everything)[0] for grown in trees] for row in given_rows]
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), answers, atol=1e-9)


def test_values_of_eight_features_are_those_of_the_definition() -> None:
    grown = tree(1, splits=120, features=8)
    (row,) = rows(1, 8)
    np.testing.assert_allclose(
        shap_values([grown], row[None], count=1, outputs=1).values[0], shapley(grown, row), atol=1e-10
    )


def test_values_of_trees_are_added_up_by_output() -> None:
    trees = [tree(number, splits=20, features=5, columns=2, column=number) for number in range(2)]
    given_rows = rows(5, 5)
    first = shap_values(trees[:1], given_rows, count=1, outputs=3)
    second = shap_values(trees[1:], given_rows, count=1, outputs=3)
    both = shap_values(trees, given_rows, count=2, outputs=3)
    np.testing.assert_allclose(both.values, first.values + second.values, atol=1e-12)
    np.testing.assert_allclose(both.base, first.base + second.base, atol=1e-12)


def test_a_feature_that_no_split_asks_for_has_no_value() -> None:
    found = shap_values([tree(0, splits=10, features=3)], rows(4, 5), count=1, outputs=1)
    assert not found.values[:, 3:].any()
    assert found.values[:, :3].any()


@pytest.mark.parametrize("count", [1, 7, 8, 63, 64, 65, 129])
def test_a_row_has_the_same_values_whichever_rows_are_beside_it(count: int) -> None:
    grown, given_rows = tree(3, splits=60, features=6), rows(129, 6)
    all_of_them = shap_values([grown], given_rows, count=1, outputs=1).values
    found = shap_values([grown], given_rows[:count], count=1, outputs=1).values
    np.testing.assert_allclose(found, all_of_them[:count], atol=1e-12)


def test_the_quadrature_is_exact_for_polynomials_of_the_degree_that_paths_have() -> None:
    for features in range(1, 30):
        points, weights = quadrature(features)
        degree = features - 1
        assert weights @ points**degree == pytest.approx(1 / (degree + 1), rel=1e-12)
        assert ((points > 0) & (points < 1)).all()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that moves by a second with each block of rows that a tree explains, and once by a pause."""
    tree_shap.warm_up()
    clock, compute = SimpleNamespace(now=0.0, pause=0.0), tree_shap._add

    def slowly(tree: Tree, blocks: np.ndarray, phi: np.ndarray) -> None:
        clock.now += len(blocks) + clock.pause
        clock.pause = 0.0
        compute(tree, blocks, phi)

    monkeypatch.setattr(tree_shap, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(tree_shap, "_add", slowly)
    return clock


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("deadline", "explained"), [(0.0, 10), (2.0, 64), (17.0, 64), (32.0, 256), (72.0, 1000), (math.inf, 1000)]
)
def test_as_many_first_rows_are_explained_as_the_deadline_allows(deadline: float, explained: int) -> None:
    """All sixteen blocks by four trees would take 64 seconds."""
    trees, given_rows = [tree(number, splits=10, features=4) for number in range(4)], rows(1000, 4)
    found = shap_values(trees, given_rows, count=4, outputs=1, deadline=deadline, at_least=10)
    whole = shap_values(trees, given_rows, count=4, outputs=1)
    assert len(found.values) == explained
    np.testing.assert_allclose(found.values, whole.values[:explained], atol=1e-12)
    np.testing.assert_allclose(found.base, whole.base)


def test_a_slow_moment_at_the_beginning_leaves_no_rows_out(clock: SimpleNamespace) -> None:
    trees, given_rows = [tree(number, splits=10, features=4) for number in range(20)], rows(1000, 4)
    clock.pause = 40.0
    assert len(shap_values(trees, given_rows, count=20, outputs=1, deadline=1200.0).values) == 1000


@pytest.mark.usefixtures("clock")
def test_fewer_rows_than_are_explained_at_least_are_all_explained() -> None:
    found = shap_values([tree(3, splits=10, features=4)], rows(5, 4), count=1, outputs=1, deadline=0.0, at_least=10)
    assert len(found.values) == 5


def test_arrays_that_cannot_be_written_to_are_explained_by_the_same_compiled_code() -> None:
    from explainability import tree_kernels

    tree_shap.warm_up()
    before = len(tree_kernels.lay_out.signatures), len(tree_kernels.add_block.signatures)  # type: ignore[attr-defined]
    grown = tree(3, splits=10, features=4)
    grown.left.flags.writeable = grown.threshold.flags.writeable = grown.values.flags.writeable = False
    given_rows = rows(9, 4).astype(np.float32)
    given_rows.flags.writeable = False
    shap_values([grown], given_rows, count=1, outputs=1)
    assert before == (1, 1)
    assert len(tree_kernels.lay_out.signatures) == 1  # type: ignore[attr-defined]
    assert len(tree_kernels.add_block.signatures) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("home_can_be_written_to", [True, False])
def test_code_is_compiled_where_its_own_folder_cannot_be_written_to(
    tmp_path: Path, home_can_be_written_to: bool
) -> None:
    for package in ("atlas", "explainability"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "explainability" / "__pycache__").touch()  # a file where the folder would be stops root, too
    home = tmp_path / "home"
    home.mkdir()
    inherited = {name: os.environ[name] for name in os.environ.keys() - {"NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}}
    done = subprocess.run(
        [sys.executable, "-c", COMPILES],
        cwd=tmp_path,
        env=inherited | {"HOME": str(home) if home_can_be_written_to else os.devnull, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == tmp_path / "explainability" / "tree_kernels.py"
    assert any(home.rglob("*.nbc")) == home_can_be_written_to
