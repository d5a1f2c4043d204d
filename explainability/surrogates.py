"""A shallow tree that does roughly what a model does, so that people can read it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from atlas.results import MOST_NAME, SurrogateTree, TreeNode

FEWEST_ROWS = 60
FEWEST_IN_A_LEAF = 5


def surrogate_tree(
    rows: np.ndarray, answers: np.ndarray, *, names: Sequence[str], depth: int = 3, seed: int = 0
) -> SurrogateTree | None:
    """A regression tree fitted to what a model answers for two thirds of the rows; None where that tells nothing.

    Its fidelity is R² on the other third: one minus the squared error over the variance, each summed over the outputs.
    It may be negative. A missing feature counts as the feature's median, so that a threshold tells all there is.
    There is no tree of fewer than 60 rows, of answers that are all the same, or of answers that are no numbers.

    Args:
        rows: (rows, features) numbers; NaN where one is missing.
        answers: (rows, outputs) of the model.
        names: of the features.
        depth: of the tree, at most 7.
        seed: chooses the two thirds, and among splits that are equally good.
    """
    if len(rows) < FEWEST_ROWS or not np.isfinite(answers).all():
        return None
    order = np.random.default_rng(seed).permutation(len(rows))
    seen, held_out = np.split(order, [2 * len(rows) // 3])
    if any((answers[part] == answers[part[0]]).all() for part in (seen, held_out)):
        return None
    filled = _filled(rows)
    tree = _fitted(filled[seen], answers[seen], depth, seed)
    guesses = tree.predict(filled[held_out]).reshape(len(held_out), -1)
    return SurrogateTree(
        nodes=_nodes(tree.tree_, names), fidelity=_fidelity(guesses, answers[held_out]), rows=len(rows)
    )


def _filled(rows: np.ndarray) -> np.ndarray:
    """The rows in single precision, as trees take them, with the median for what is missing, 0 where all is."""
    most = np.finfo(np.float32).max
    numbers = np.clip(rows, -most, most)
    medians = [np.median(known) if len(known) else 0.0 for known in (column[~np.isnan(column)] for column in numbers.T)]
    return np.where(np.isnan(numbers), medians, numbers).astype(np.float32)


def _fitted(rows: np.ndarray, answers: np.ndarray, depth: int, seed: int) -> Any:
    from sklearn.tree import DecisionTreeRegressor  # here, not above: who only reads a tree needs no scikit-learn

    tree = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=FEWEST_IN_A_LEAF, random_state=seed)
    return tree.fit(rows, answers)


def _fidelity(guesses: np.ndarray, answers: np.ndarray) -> float:
    missed = ((answers - guesses) ** 2).sum()
    return float(1 - missed / ((answers - answers.mean(axis=0)) ** 2).sum())


def _nodes(tree: Any, names: Sequence[str]) -> tuple[TreeNode, ...]:
    """The nodes of scikit-learn's arrays, in their order: a leaf has no children there, which is -1."""
    return tuple(_node(tree, place, names) for place in range(tree.node_count))


def _node(tree: Any, place: int, names: Sequence[str]) -> TreeNode:
    share = float(tree.n_node_samples[place] / tree.n_node_samples[0])
    answer = tuple(tree.value[place, :, 0].tolist())
    left, right = int(tree.children_left[place]), int(tree.children_right[place])
    if left < 0:
        return TreeNode(share=share, answer=answer)
    feature, threshold = names[tree.feature[place]][:MOST_NAME], float(tree.threshold[place])
    return TreeNode(feature=feature, threshold=threshold, left=left, right=right, share=share, answer=answer)
