"""The inner loops of `explainability.tree_shap`, which says what they compute; compiled by numba when first called.

Only what computes imports this module, since numba is slow to import. Every function takes arrays of one kind each
(int64, float64, bool, in C order), so that one compiled version of it serves every model.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """The function in machine code, kept for later processes where a folder for that can be written to: beside this
    file, or else among the user's caches. Division by zero gives infinity, as in numpy."""
    try:
        kernel = njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # there is no such folder
        kernel = njit(error_model="numpy")(function)
    return cast(Kernel, kernel)


class Edges(NamedTuple):
    """The edges of a tree in preorder, left before right; (nodes,) each. The first stands for the root, and is none.

    Attributes:
        node: that the edge leads to.
        depth: of that node; the root's is 0.
        feature: that the split above the edge compares.
        ancestor: depth of the nearest edge above on the same feature; 0 if there is none.
        is_right: whether it leads to the right child.
        is_leaf: whether it leads to a leaf.
        takes_missing: whether rows without a value take it.
        threshold: of the split above.
        ratio: training cover of the node over that of its parent.
        share: z, the product of the ratios of this edge and of those above on the same feature.
        share_above: the same product without this edge.
    """

    node: np.ndarray
    depth: np.ndarray
    feature: np.ndarray
    ancestor: np.ndarray
    is_right: np.ndarray
    is_leaf: np.ndarray
    takes_missing: np.ndarray
    threshold: np.ndarray
    ratio: np.ndarray
    share: np.ndarray
    share_above: np.ndarray


class Path(NamedTuple):
    """What is known on the way from the root to a node, by depth. A lane is a row of the block.

    Attributes:
        passes: (depths, lanes) o: 1 if the row takes this edge and all above on the same feature, else 0.
        fails: (depths, lanes) 1 if the row takes all above on the same feature but not this one, else 0.
        product: (depths, points, lanes) of z + t (o - z) over the features split on so far.
        gains: (depths, points, 2) g less the g of the edge above on the same feature, times the point's weight: for a
            row that passes, and for one that fails.
        sums: (buffers, outputs, points, lanes) S: value times product, summed over the leaves below that are done.
        total: (lanes,) gain times product, summed over the points.
    """

    passes: np.ndarray
    fails: np.ndarray
    product: np.ndarray
    gains: np.ndarray
    sums: np.ndarray
    total: np.ndarray


# Layout of a tree ---------------------------------------------------------------------------------------------------


@compiled
def lay_out(
    left: np.ndarray,
    right: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
    missing_left: np.ndarray,
    cover: np.ndarray,
) -> tuple[Edges, int, int]:
    """The edges, the greatest depth, and the most features that one path splits on."""
    most = 0
    edges, size = _in_preorder(left, right), left.size
    nodes, on_path = np.zeros(size, np.int64), np.zeros(size, np.int64)  # by depth: the node, and the edge's feature,
    shares, unique = np.ones(size), np.zeros(size, np.int64)  # share, and how many features there are down to it
    for edge in range(1, size):
        node, depth = edges.node[edge], edges.depth[edge]
        above = nodes[depth - 1]
        ancestor = _nearest(on_path, depth - 1, feature[above])
        edges.feature[edge], edges.threshold[edge], edges.ancestor[edge] = feature[above], threshold[above], ancestor
        edges.takes_missing[edge] = missing_left[above] != edges.is_right[edge]
        edges.ratio[edge] = cover[node] / cover[above] if cover[above] > 0 else 0.0
        edges.share_above[edge] = shares[ancestor]
        edges.share[edge] = shares[ancestor] * edges.ratio[edge]
        nodes[depth], on_path[depth], shares[depth] = node, feature[above], edges.share[edge]
        unique[depth] = unique[depth - 1] + (ancestor == 0)
        most = max(most, unique[depth])
    return edges, edges.depth.max(), most


@compiled
def _in_preorder(left: np.ndarray, right: np.ndarray) -> Edges:
    """Edges of which only the way is known: node, depth, side, and whether that is a leaf."""
    size = left.size
    pending, depths, is_right = np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size, np.bool_)
    edges = _unknown(size)
    waiting = 1
    for edge in range(size):
        waiting -= 1
        node = pending[waiting]
        edges.node[edge], edges.depth[edge] = node, depths[node]
        edges.is_right[edge], edges.is_leaf[edge] = is_right[node], left[node] < 0
        if left[node] >= 0:
            is_right[right[node]] = True
            for child in (right[node], left[node]):  # what is pushed last is visited first
                pending[waiting], depths[child] = child, depths[node] + 1
                waiting += 1
    return edges


@compiled
def _unknown(size: int) -> Edges:
    return Edges(
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.bool_),
        np.zeros(size, np.bool_),
        np.zeros(size, np.bool_),
        np.zeros(size),
        np.ones(size),
        np.ones(size),
        np.ones(size),
    )


@compiled
def _nearest(on_path: np.ndarray, depth: int, feature: int) -> int:
    """The greatest depth, from `depth` upwards, at which the path splits on a feature; 0 if it does not."""
    while depth > 0 and on_path[depth] != feature:
        depth -= 1
    return depth


# Walk over a tree ---------------------------------------------------------------------------------------------------
#
# These functions index whole arrays, and are given numbers rather than what holds them: numba counts references to each
# array that is taken out of another or out of a tuple, and a loop over the lanes takes no longer than that.


@compiled
def add_block(
    edges: Edges,
    values: np.ndarray,
    column: int,
    deepest: int,
    points: np.ndarray,
    weights: np.ndarray,
    rows: np.ndarray,
    phi: np.ndarray,
) -> None:
    """Add one tree's SHAP values for a block of rows.

    Args:
        edges: of the tree.
        values: (nodes, columns) of its leaves.
        column: the output that the first of these adds to.
        deepest: the greatest depth.
        points: (points,) of the quadrature, between 0 and 1.
        weights: (points,) of these.
        rows: (features, lanes).
        phi: (features, outputs, lanes) what is added to.
    """
    node, depths, feature, ancestor, is_right, is_leaf, takes_missing, threshold, ratio, share, share_above = edges
    path = _path(deepest + 1, values.shape[1], points.size, rows.shape[1])
    on_path, buffer = np.zeros(deepest + 1, np.int64), np.zeros(deepest + 1, np.int64)
    for edge in range(1, node.size):
        depth, above = depths[edge], ancestor[edge]
        on_path[depth], buffer[depth] = edge, buffer[depth - 1] + is_right[edge]
        _compare(path, depth, above, rows, feature[edge], threshold[edge], is_right[edge], takes_missing[edge])
        _multiply(path, depth, above, share[edge], share_above[edge], ratio[edge], points, weights)
        if is_leaf[edge]:
            _add_leaf(path, depth, values, node[edge], phi, feature[edge], column)
            _hand_up(path, depth, buffer[depth], is_right[edge], values, node[edge])
            while is_right[on_path[depth]] and depth > 1:  # with its right child, a node is complete
                depth -= 1
                edge_above = on_path[depth]
                _add_edge(path, depth, buffer[depth], is_right[edge_above], phi, feature[edge_above], column)


@compiled
def _path(depths: int, outputs: int, points: int, lanes: int) -> Path:
    """Of the root: every row is there, and no feature is split on yet."""
    return Path(
        np.ones((depths, lanes)),
        np.zeros((depths, lanes)),
        np.ones((depths, points, lanes)),
        np.empty((depths, points, 2)),
        np.empty((depths + 1, outputs, points, lanes)),
        np.empty(lanes),
    )


@compiled
def _compare(
    path: Path,
    depth: int,
    above: int,
    rows: np.ndarray,
    feature: int,
    threshold: float,
    is_right: bool,
    takes_missing: bool,
) -> None:
    """Which rows take the edge, if they took the one above on the same feature."""
    passes, fails = path.passes, path.fails
    for lane in range(rows.shape[1]):
        value, passed = rows[feature, lane], passes[above, lane]
        takes = ((value <= threshold) & (not is_right)) | ((value > threshold) & is_right)
        takes |= (value != value) & takes_missing
        passes[depth, lane] = passed if takes else 0.0
        fails[depth, lane] = 0.0 if takes else passed


@compiled
def _multiply(
    path: Path,
    depth: int,
    above: int,
    z: float,
    z_above: float,
    ratio: float,
    points: np.ndarray,
    weights: np.ndarray,
) -> None:
    """The gains, and the products, in which the feature's factor takes the place of the one that it had above.

    The new factor over the old one is (z + t (1 - z)) / (z' + t (1 - z')) for a row that passes, z (1 - t) / (z' + t (1
    - z')) for one that fails here, and z / z', which is the ratio, for one that failed above and gains nothing more.
    """
    passes, fails, product, gains = path.passes, path.fails, path.product, path.gains
    for point in range(points.size):
        t, weight = points[point], weights[point]
        factor, factor_above = z + t * (1.0 - z), z_above + t * (1.0 - z_above)
        if_passes, if_fails = factor / factor_above, z * (1.0 - t) / factor_above
        gain_above = (1.0 - z_above) / factor_above
        gains[depth, point, 0] = weight * ((1.0 - z) / factor - gain_above)
        gains[depth, point, 1] = weight * (-1.0 / (1.0 - t) - gain_above)
        for lane in range(passes.shape[1]):
            failed = 1.0 - passes[above, lane]
            product[depth, point, lane] = product[depth - 1, point, lane] * (
                passes[depth, lane] * if_passes + fails[depth, lane] * if_fails + failed * ratio
            )


@compiled
def _add_leaf(
    path: Path, depth: int, values: np.ndarray, node: int, phi: np.ndarray, feature: int, column: int
) -> None:
    """Add what the edge into a leaf gives its feature: the sum over the points is the same for all outputs."""
    passes, fails, product, gains, total = path.passes, path.fails, path.product, path.gains, path.total
    total[:] = 0.0
    for point in range(gains.shape[1]):
        if_passes, if_fails = gains[depth, point, 0], gains[depth, point, 1]
        for lane in range(total.size):
            gain = passes[depth, lane] * if_passes + fails[depth, lane] * if_fails
            total[lane] += gain * product[depth, point, lane]
    for output in range(values.shape[1]):
        value = values[node, output]
        if value != 0.0:  # as most are where a leaf is of one class
            for lane in range(total.size):
                phi[feature, column + output, lane] += value * total[lane]


@compiled
def _hand_up(path: Path, depth: int, buffer: int, is_right: bool, values: np.ndarray, node: int) -> None:
    """Sum a leaf's products for its parent. The left child comes first, and starts the sum."""
    sums, product = path.sums, path.product
    for output in range(values.shape[1]):
        value = values[node, output]
        for point in range(product.shape[1]):
            if not is_right:
                for lane in range(product.shape[2]):
                    sums[buffer, output, point, lane] = value * product[depth, point, lane]
            elif value != 0.0:
                for lane in range(product.shape[2]):
                    sums[buffer - 1, output, point, lane] += value * product[depth, point, lane]


@compiled
def _add_edge(path: Path, depth: int, buffer: int, is_right: bool, phi: np.ndarray, feature: int, column: int) -> None:
    """Add what an edge gives its feature by all leaves below. A right child's sums go into its parent's, where a left
    child's are already."""
    passes, fails, gains, sums = path.passes, path.fails, path.gains, path.sums
    for output in range(sums.shape[1]):
        for point in range(sums.shape[2]):
            if_passes, if_fails = gains[depth, point, 0], gains[depth, point, 1]
            for lane in range(sums.shape[3]):
                gain = passes[depth, lane] * if_passes + fails[depth, lane] * if_fails
                below = sums[buffer, output, point, lane]
                phi[feature, column + output, lane] += gain * below
                if is_right:
                    sums[buffer - 1, output, point, lane] += below
