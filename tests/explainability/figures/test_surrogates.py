"""The tree that stands for a model."""

import pytest

from atlas.results import SurrogateTree, TreeNode
from explainability.figures import surrogate
from tests.explained import explained
from tests.figures import deep_tree

TREE = SurrogateTree(
    nodes=(
        TreeNode(feature="peak", threshold=0.25, left=1, right=2, share=1, answer=(0.5, 0.5)),
        TreeNode(share=0.5, answer=(0.2, 0.8)),
        TreeNode(feature="rms", threshold=12, left=3, right=4, share=0.5, answer=(0.8, 0.2)),
        TreeNode(share=0.3, answer=(0.7, 0.3)),
        TreeNode(share=0.2, answer=(0.9, 0.1)),
    ),
    fidelity=0.62,
    rows=90,
)


def test_leaves_lie_below_each_other_and_others_between_their_children() -> None:
    found = surrogate(TREE, ("dent", "crack"), 0)
    assert [(point.x, point.y) for point in found.points] == [(0, -0.75), (1, 0), (1, -1.5), (2, -1), (2, -2)]
    assert (found.depth, found.leaves) == (2, 3)


def test_nodes_ask_and_leaves_answer() -> None:
    found = surrogate(TREE, ("dent", "crack"), 1)
    assert [(point.feature, point.condition) for point in found.points] == [
        ("peak", "≤ 0.250"),
        ("", ""),
        ("rms", "≤ 12"),
        ("", ""),
        ("", ""),
    ]
    assert [point.answer for point in found.points] == [0.5, 0.8, 0.2, 0.3, 0.1]
    assert [point.share for point in found.points] == [1, 0.5, 0.5, 0.3, 0.2]


def test_edges_know_whether_the_condition_holds() -> None:
    edges = surrogate(TREE, ("dent", "crack"), 0).edges
    assert [(edge.start, edge.end, edge.holds) for edge in edges] == [
        (0, 1, True),
        (0, 2, False),
        (2, 3, True),
        (2, 4, False),
    ]


def test_each_node_knows_the_way_that_leads_there() -> None:
    paths = [point.path for point in surrogate(TREE, ("dent", "crack"), 0).points]
    assert paths == ["", "peak ≤ 0.250", "peak > 0.250", "peak > 0.250 and rms ≤ 12", "peak > 0.250 and rms > 12"]


def test_a_tree_is_told_in_words() -> None:
    assert surrogate(TREE, ("dent", "crack"), 0).label == (
        "Tree with 3 leaves, which tells 62\N{NARROW NO-BREAK SPACE}% of what the model does: its highest answer is "
        "0.900, where peak > 0.250 and rms > 12"
    )
    lone = SurrogateTree(nodes=(TreeNode(share=1, answer=(0.5,)),), fidelity=0, rows=9)
    assert surrogate(lone, ("dent",), 0).label.endswith("its highest answer is 0.500, everywhere")


def test_a_deep_tree_has_a_row_for_each_leaf() -> None:
    findings = explained().findings
    found = surrogate(deep_tree(findings.features, findings), findings.outputs, 2, meaning="probability")
    assert sorted(point.y for point in found.points if not point.feature) == [-row for row in range(15, -1, -1)]
    assert found.axis == f"Probability of {findings.outputs[2]}"
    assert sum(point.share for point in found.points if not point.feature) == pytest.approx(1)
