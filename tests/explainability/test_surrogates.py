"""A tree in a model's place: exact where the model is such a tree, honest about it where it is not."""

import numpy as np
import pytest

from atlas.results import MOST_NAME, SurrogateTree
from explainability.surrogates import surrogate_tree

NAMES = ("a", "b", "c")


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, size=(600, 3))


def steps(rows: np.ndarray) -> np.ndarray:
    """(rows, 2): what a tree of depth two can do."""
    high = np.where(rows[:, 2] > 0.5, 3.0, 2.0)
    first = np.where(rows[:, 0] > 0, high, -1.0)
    return np.column_stack([first, 1 - first])


def tree_of(rows: np.ndarray, answers: np.ndarray, **options: int) -> SurrogateTree:
    tree = surrogate_tree(rows, answers, names=NAMES, **options)
    assert tree is not None
    return tree


def followed(tree: SurrogateTree, row: np.ndarray) -> tuple[float, ...]:
    """What the tree says of a row."""
    node = tree.nodes[0]
    while node.feature:
        node = tree.nodes[node.left if row[NAMES.index(node.feature)] <= node.threshold else node.right]
    return node.answer


def test_a_model_that_is_a_shallow_tree_is_found(rows: np.ndarray) -> None:
    tree = tree_of(rows, steps(rows), depth=2)
    assert [node.feature for node in tree.nodes] == ["a", "", "c", "", ""]
    assert tree.fidelity == pytest.approx(1, abs=0.05)
    assert tree.rows == 600
    np.testing.assert_allclose([followed(tree, row) for row in rows[:50]], steps(rows[:50]), atol=0.2)
    assert tree.nodes[0].threshold == pytest.approx(0, abs=0.02)


def test_shares_and_answers_of_children_add_up_to_those_of_their_parent(rows: np.ndarray) -> None:
    tree = tree_of(rows, np.sin(3 * rows[:, :2]))
    assert tree.nodes[0].share == 1
    for node in tree.nodes:
        if node.feature:
            left, right = tree.nodes[node.left], tree.nodes[node.right]
            assert left.share + right.share == pytest.approx(node.share)
            mixed = left.share * np.array(left.answer) + right.share * np.array(right.answer)
            np.testing.assert_allclose(mixed / node.share, node.answer)


def test_fidelity_is_that_on_rows_which_the_tree_did_not_see(rows: np.ndarray) -> None:
    noise = np.random.default_rng(1).normal(size=(600, 1))
    assert tree_of(rows, noise, depth=7).fidelity < 0.1


def test_outputs_count_by_their_variance(rows: np.ndarray) -> None:
    noise = np.random.default_rng(1).normal(size=600)
    mostly_told = np.column_stack([100 * steps(rows)[:, 0], noise])
    mostly_noise = np.column_stack([steps(rows)[:, 0], 100 * noise])
    assert tree_of(rows, mostly_told).fidelity > 0.95
    assert tree_of(rows, mostly_noise).fidelity < 0.1


def test_missing_features_count_as_the_median(rows: np.ndarray) -> None:
    answers = steps(rows)
    rows[:, 1] = np.nan
    rows[::10, 0] = np.nan
    tree = tree_of(rows, answers)
    assert {node.feature for node in tree.nodes} <= {"", "a", "c"}
    assert all(np.isfinite(node.threshold) for node in tree.nodes)


def test_features_beyond_single_precision_are_cut(rows: np.ndarray) -> None:
    answers = steps(rows)
    rows[0, 1], rows[1, 1] = np.inf, -1e300
    assert tree_of(rows, answers).fidelity > 0.9


def test_a_seed_chooses_the_rows(rows: np.ndarray) -> None:
    answers = np.sin(3 * rows)
    assert tree_of(rows, answers, seed=1) == tree_of(rows, answers, seed=1)
    assert tree_of(rows, answers, seed=1) != tree_of(rows, answers, seed=2)


def test_few_rows_and_answers_that_tell_nothing_have_no_tree(rows: np.ndarray) -> None:
    answers = steps(rows)
    assert surrogate_tree(rows[:59], answers[:59], names=NAMES) is None
    assert surrogate_tree(rows[:60], answers[:60], names=NAMES) is not None
    assert surrogate_tree(rows, np.ones((600, 2)), names=NAMES) is None
    answers[7, 1] = np.nan
    assert surrogate_tree(rows, answers, names=NAMES) is None


def test_the_deepest_tree_has_room_in_its_document() -> None:
    rows = np.random.default_rng(0).uniform(-1, 1, size=(6_000, 3))
    assert len(tree_of(rows, np.sin(9 * rows), depth=7).nodes) <= 255


def test_long_names_are_cut(rows: np.ndarray) -> None:
    names = [f"{number}" * 500 for number in range(rows.shape[1])]
    found = surrogate_tree(rows, rows[:, :1], names=names)
    assert found is not None
    assert len(found.nodes[0].feature) == MOST_NAME
