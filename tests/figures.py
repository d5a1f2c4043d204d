"""Explanations to draw, and one figure of every kind."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from atlas.results import Explanation, Importance, SurrogateTree, TreeNode
from explainability import figures
from explainability.explained import Explained, Findings
from explainability.figures import Figure
from tests.explained import explained


def explanation(events: Explained | None = None, *, faded: float = 1.0) -> Explanation:
    """The explanation that belongs to explained events; `faded` changes how much their first feature matters."""
    findings = (events or explained()).findings
    sizes = np.abs(findings.values).astype(float)
    sizes[:, 0] *= faded
    means, errors = sizes.mean(axis=0), sizes.std(axis=0) / np.sqrt(max(len(sizes), 1))
    found = [
        Importance(feature=name, mean_absolute=tuple(mean.tolist()), standard_error=tuple(error.tolist()))
        for name, mean, error in zip(findings.features, means, errors, strict=True)
    ]
    return Explanation(
        method=findings.method,
        output=findings.output,
        outputs=findings.outputs,
        base_values=tuple(findings.base_values.tolist()),
        rows=len(sizes),
        of_rows=10 * len(sizes),
        importances=tuple(sorted(found, key=lambda each: -each.total)),
    )


def one_of_each(events: Explained | None = None) -> list[Figure]:
    """A figure of every kind, of the same events."""
    events = events or explained()
    findings, known = events.findings, explanation(events)
    assert findings.tree
    found: list[Figure | None] = [
        figures.importance(known),
        figures.importance_history(
            ["v1", "v2", "v3", "v4", "v5"],
            [
                known,
                explanation(events, faded=0.8),
                None,
                explanation(events, faded=0.5),
                explanation(events, faded=0.4),
            ],
        ),
        figures.comparison(known, explanation(events, faded=0.5), ("Forest-1.0.0", "Linear-2.1.0")),
        figures.swarm(events, 0),
        figures.decision(events, 0, events=range(min(30, len(events)))),
        figures.heat(events, 0),
        figures.waterfall(events, 0, 0),
        figures.opinions(events, 0, 0),
        figures.dependence(events, 0, 0),
        figures.effect(findings.effects[0], findings.outputs, 0, meaning=findings.output),
        figures.surrogate(findings.tree, findings.outputs, 0, meaning=findings.output),
    ]
    return [figure for figure in found if figure]


def interacting(events: Explained) -> Explained:
    """The same events, but the first feature works one way where the second one is high, and the other way else."""
    values = events.findings.values.copy()
    values[:, 0] *= np.tanh(2 * events.findings.rows[:, 1])[:, None]
    return replace(events, findings=replace(events.findings, values=values))


def renamed(events: Explained, names: Sequence[str]) -> Explained:
    """The same events of features with other names; the tree goes with them."""
    findings = events.findings
    now = dict(zip(findings.features, names, strict=True))
    effects = tuple(replace(effect, feature=now[effect.feature]) for effect in findings.effects)
    return replace(
        events, findings=replace(findings, features=tuple(names), effects=effects, tree=deep_tree(names, findings))
    )


def deep_tree(names: Sequence[str], findings: Findings) -> SurrogateTree:
    """A tree of depth four with 16 leaves, in preorder, that asks for the first features in turn."""
    nodes: list[TreeNode] = []

    def grow(depth: int, share: float, shift: float) -> int:
        place, answer = len(nodes), tuple((findings.base_values + shift).tolist())
        nodes.append(TreeNode(share=share, answer=answer))
        if depth < 4:
            left, right = (
                grow(depth + 1, 0.4 * share, shift - 0.1 / 2**depth),
                grow(depth + 1, 0.6 * share, shift + 0.1 / 2**depth),
            )
            name = names[depth % len(names)]
            nodes[place] = TreeNode(
                feature=name, threshold=shift / 3, left=left, right=right, share=share, answer=answer
            )
        return place

    grow(0, 1.0, 0.0)
    return SurrogateTree(nodes=tuple(nodes), fidelity=0.62, rows=90)
