"""The figure of a surrogate tree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from atlas.results import SurrogateTree, TreeNode
from explainability.figures import words


@dataclass(frozen=True)
class TreePoint:
    """A node of the tree.

    Attributes:
        x: its depth; the root's is 0.
        y: its row, upwards; leaves lie in the middle of rows of their own.
        feature: what the node asks for; empty for a leaf.
        condition: what it asks of the feature, such as `≤ 0.1`; empty for a leaf.
        answer: the mean of the model's answers there.
        share: of the rows that come there.
        path: all conditions that lead there, in words; empty for the root.
    """

    x: float
    y: float
    feature: str
    condition: str
    answer: float
    share: float
    path: str


@dataclass(frozen=True)
class TreeEdge:
    """A way from one node to another, by their numbers, and whether the first one's condition holds there."""

    start: int
    end: int
    holds: bool


@dataclass(frozen=True)
class TreeFigure:
    """A shallow tree that does roughly what the model does, from its root at the left to its leaves at the right.

    Attributes:
        axis: what a node's answer means.
        note: what the word for it means.
        points: the nodes, the root first.
        edges: between them.
        depth: of the deepest leaf.
        leaves: how many there are.
        fidelity: the share of the variance of the model's answers that the tree tells.
    """

    kind: ClassVar[str] = "tree"

    axis: str
    note: str
    points: Sequence[TreePoint]
    edges: Sequence[TreeEdge]
    depth: int
    leaves: int
    fidelity: float

    @property
    def label(self) -> str:
        """How much the tree tells of the model, and where its answer is highest, in words."""
        told = f"which tells {words.share(self.fidelity)} of what the model does"
        best = max((point for point in self.points if not point.feature), key=lambda point: point.answer)
        where = f"where {best.path}" if best.path else "everywhere"
        leaves = "leaf" if self.leaves == 1 else "leaves"
        return f"Tree with {self.leaves} {leaves}, {told}: its highest answer is {words.number(best.answer)}, {where}"


def surrogate(tree: SurrogateTree, outputs: Sequence[str], output: int, *, meaning: words.Meaning = "") -> TreeFigure:
    """The tree with a place for each node.

    Args:
        tree: one whose nodes have an answer for each output.
        outputs: names of the outputs.
        output: number of the output.
        meaning: what an answer is, if that is known.
    """
    walk = list(_walk(tree.nodes))
    rows = _rows(tree.nodes, [number for number, _ in walk])
    paths = dict(walk)
    points = [
        TreePoint(
            x=len(paths[number]),
            y=-rows[number],
            feature=node.feature,
            condition=f"≤ {words.number(node.threshold)}" if node.feature else "",
            answer=node.answer[output],
            share=node.share,
            path=words.listed(paths[number]),
        )
        for number, node in enumerate(tree.nodes)
    ]
    return TreeFigure(
        axis=words.answer_axis(meaning, outputs[output]),
        note=words.note(meaning),
        points=points,
        edges=[
            TreeEdge(number, end, holds)
            for number, node in enumerate(tree.nodes)
            if node.feature
            for end, holds in ((node.left, True), (node.right, False))
        ],
        depth=max(map(len, paths.values())),
        leaves=sum(not node.feature for node in tree.nodes),
        fidelity=tree.fidelity,
    )


def _walk(
    nodes: Sequence[TreeNode], number: int = 0, path: tuple[str, ...] = ()
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every node's number and the conditions that lead to it: itself, all that is left of it, all that is right."""
    yield number, path
    node = nodes[number]
    if node.feature:
        threshold = words.number(node.threshold)
        yield from _walk(nodes, node.left, (*path, f"{node.feature} ≤ {threshold}"))
        yield from _walk(nodes, node.right, (*path, f"{node.feature} > {threshold}"))


def _rows(nodes: Sequence[TreeNode], walk: Sequence[int]) -> dict[int, float]:
    """The row of each node, from the top: leaves are counted, others lie midway between their children."""
    leaves = [number for number in walk if not nodes[number].feature]
    rows = {number: float(row) for row, number in enumerate(leaves)}
    for number in reversed(walk):
        node = nodes[number]
        if node.feature:
            rows[number] = (rows[node.left] + rows[node.right]) / 2
    return rows
