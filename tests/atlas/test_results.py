"""What a document of a result refuses to be."""

import pytest
from pydantic import ValidationError

from atlas.results import SurrogateTree, TreeNode

LEAF = TreeNode(share=0.5, answer=(0.2,))


def inner(left: int, right: int) -> TreeNode:
    return TreeNode(feature="peak", threshold=1.0, left=left, right=right, share=1, answer=(0.5,))


def tree(*nodes: TreeNode) -> SurrogateTree:
    return SurrogateTree(nodes=nodes, fidelity=0.5, rows=90)


def test_a_tree_may_be_one_leaf_or_have_its_nodes_in_any_order_behind_their_parents() -> None:
    assert tree(LEAF).nodes[0].children == ()
    assert tree(inner(2, 1), inner(4, 3), LEAF, LEAF, LEAF).nodes[1].children == (4, 3)


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ((inner(0, 1), LEAF), "the child of one other"),
        ((inner(1, 1), LEAF), "the child of one other"),
        ((inner(1, 2), inner(2, 3), LEAF, LEAF), "the child of one other"),
        ((inner(1, 9), LEAF), "the child of one other"),
        ((LEAF, LEAF), "the child of one other"),
        ((inner(1, 4), LEAF, inner(3, 5), inner(2, 6), LEAF, LEAF, LEAF), "behind their parents"),
        ((inner(1, 2), LEAF, TreeNode(share=0.5, answer=(0.2, 0.8))), "as many answers"),
    ],
)
def test_what_is_no_tree_is_refused(nodes: tuple[TreeNode, ...], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        tree(*nodes)
