"""Exact SHAP values of sums of decision trees, path dependent: arrays in, arrays out.

The game is that of TreeSHAP (Lundberg et al., From local explanations to global understanding with explainable AI for
trees, Nature Machine Intelligence 2020): where a split's feature is unknown, a row goes both ways, weighted by how many
training rows did. For a leaf of value v, and each feature j that its path splits on, let z_j be the product of the
cover ratios of the edges on j, and o_j in {0, 1} whether the row takes all of them. Then the tree's value with the
features S known is

    f(S) = sum over leaves of v * prod_{j in S} o_j * prod_{j not in S} z_j.

By the multilinear extension (Owen, Multilinear Extensions of Games, Management Science 1972) the Shapley value is

    phi_i = sum over leaves of v * (o_i - z_i) * integral from 0 to 1 of prod_{j != i} (z_j + t (o_j - z_j)) dt.

With u features on the path the integrand is a polynomial in t of degree u - 1, so that Gauss-Legendre quadrature with
u / 2 points, rounded up, is exact. At each point the products are carried down the tree, and their sums over the leaves
back up, as in Linear TreeSHAP (Yu, Xu, Bifet and Read, NeurIPS 2022). With g(z, o) = (o - z) / (z + t (o - z)), an edge
on feature i adds (g(z, o) - g(z', o')) S(t) to phi_i: S is the sum of value times product over the leaves below, and z'
and o' belong to the nearest edge above on the same feature, with g = 0 if there is none. Factors lie between 0 and 1,
points never at either end, and nothing is divided by what may vanish: however deep the tree, rounding does no harm.

The cost is of the order of rows * nodes * points * outputs. The innermost loops run over the rows of a block and so use
the processor's vectors: where rows are few, each costs several times as much.
"""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

LANES = 64
"""Rows of a block: enough for the processor's vectors, and few enough for its caches."""
VECTOR = 8
"""A block is filled up with zeros to a multiple of so many rows."""
SHARE_OF_TIME = 0.9
"""Plans leave some time unused, since a measured speed is none that is sure."""
SHARE_TO_JUDGE_BY = 0.05
"""Only after that much of the time is it told how long the rest takes: a moment may be slow by chance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tree:
    """A decision tree, by arrays over its nodes, the root first; a row goes left if its value is at most the threshold.

    Attributes:
        left: (nodes,) the left child; negative for a leaf.
        right: (nodes,) the right child.
        feature: (nodes,) that a split compares.
        threshold: (nodes,) that it is compared with.
        missing_left: (nodes,) whether a row without a value goes left.
        cover: (nodes,) the weight of the training rows that came by.
        values: (nodes, columns) what a leaf adds to some outputs that lie next to each other.
        column: the first of these outputs.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    cover: np.ndarray
    values: np.ndarray
    column: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShapValues:
    """Of a sum of trees.

    Attributes:
        values: (rows, features, outputs).
        base: (outputs,) the sum where no feature is known.
    """

    values: np.ndarray
    base: np.ndarray


def shap_values(
    trees: Iterable[Tree],
    rows: np.ndarray,
    *,
    count: int,
    outputs: int,
    deadline: float = math.inf,
    at_least: int = LANES,
) -> ShapValues:
    """SHAP values of the first rows, as many as there is time for: from the end, blocks of rows are left out as soon as
    it shows that the deadline would pass.

    Args:
        trees: of the sum.
        rows: (rows, features), compared with thresholds as they are; NaN where a value is missing.
        count: how many trees there are.
        outputs: how many outputs they add up to.
        deadline: the `time.monotonic` at which it should be done.
        at_least: rows that are explained even if the deadline is over.
    """
    warm_up()
    schedule = _Schedule(trees=count, deadline=deadline)
    rows = rows[:at_least] if schedule.is_over else rows
    blocks = _blocks(rows)
    phi, base = np.zeros((len(blocks), rows.shape[1], outputs, blocks.shape[2])), np.zeros(outputs)
    for tree in trees:
        base[tree.column : tree.column + tree.values.shape[1]] += _mean(tree)
        _add(tree, blocks, phi)
        kept = schedule.affordable(len(blocks))
        blocks, phi = blocks[:kept], phi[:kept]
    by_row = phi.transpose(0, 3, 1, 2).reshape(-1, rows.shape[1], outputs)
    return ShapValues(values=by_row[: len(rows)], base=base)


def _add(tree: Tree, blocks: np.ndarray, phi: np.ndarray) -> None:
    """Add a tree's values for (blocks, features, lanes) rows to (blocks, features, outputs, lanes)."""
    from explainability.tree_kernels import add_block, lay_out  # numba is slow to import

    values = np.array(tree.values, dtype=float, order="C")
    edges, deepest, features = lay_out(*_nodes(tree))
    points, weights = quadrature(features)
    for block, added in zip(blocks, phi, strict=True):
        add_block(edges, values, tree.column, deepest, points, weights, block, added)


class _Schedule:
    """How many blocks of rows there is time for, by how long those took that were explained by some of the trees."""

    def __init__(self, *, trees: int, deadline: float) -> None:
        self._trees_left, self._blocks_done = trees, 0
        self._began, self._deadline = time.monotonic(), deadline

    @property
    def is_over(self) -> bool:
        """Whether there is no time at all."""
        return self._began >= self._deadline

    def affordable(self, blocks: int) -> int:
        """How many blocks to go on with, after a tree has explained so many; at least one."""
        self._trees_left -= 1
        self._blocks_done += blocks
        now = time.monotonic()
        spent, left = now - self._began, self._deadline - now
        if not self._trees_left or spent < SHARE_TO_JUDGE_BY * (spent + left):
            return blocks
        whole = left * SHARE_OF_TIME * self._blocks_done / (spent * self._trees_left)
        return min(blocks, max(1, int(whole)))


def _blocks(rows: np.ndarray) -> np.ndarray:
    """(blocks, features, lanes): the rows in equal parts."""
    count = math.ceil(len(rows) / LANES)
    lanes = VECTOR * math.ceil(len(rows) / (VECTOR * count))
    filled = np.zeros((count * lanes, rows.shape[1]))
    filled[: len(rows)] = rows
    return np.ascontiguousarray(filled.reshape(count, lanes, -1).transpose(0, 2, 1))


def _nodes(tree: Tree) -> tuple[np.ndarray, ...]:
    """What the layout is made of, copied into the one form that the kernels are compiled for: the arrays of a model
    that is mapped into memory, say, cannot be written to, which numba takes for another type."""
    whole = [np.array(array, dtype=np.int64, order="C") for array in (tree.left, tree.right, tree.feature)]
    return (
        *whole,
        np.array(tree.threshold, dtype=float, order="C"),
        np.array(tree.missing_left, dtype=bool, order="C"),
        np.array(tree.cover, dtype=float, order="C"),
    )


def _mean(tree: Tree) -> np.ndarray:
    """(columns,) the mean of the leaves, weighted by their cover. What an inner node holds may be stale: gradient
    boosting changes the leaves only."""
    shares = np.where(tree.left < 0, tree.cover, 0.0) / tree.cover[0]
    return np.asarray(shares @ tree.values)


@cache
def quadrature(features: int) -> tuple[np.ndarray, np.ndarray]:
    """Points between 0 and 1 and their weights, as many as are exact for paths that split on so many features."""
    points, weights = np.polynomial.legendre.leggauss(max(1, math.ceil(features / 2)))
    return (points + 1.0) / 2.0, weights / 2.0


@cache
def warm_up() -> None:
    """Compile all that explaining trees needs, or load it from where it is kept. It takes seconds, once: processes that
    are forked later inherit it."""
    leaf = Tree(
        left=np.array([-1]),
        right=np.array([-1]),
        feature=np.array([-1]),
        threshold=np.zeros(1),
        missing_left=np.zeros(1),
        cover=np.ones(1),
        values=np.zeros((1, 1)),
    )
    _add(leaf, np.zeros((1, 1, VECTOR)), np.zeros((1, 1, 1, VECTOR)))
