"""Explanations to draw, and one figure of every kind."""

import numpy as np

from atlas.results import Explanation, Importance
from explainability import figures
from explainability.explained import Explained
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
    found = [
        figures.importance(known),
        figures.importance_history(["v1", "v2", "v3"], [known, None, explanation(events, faded=0.5)]),
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
