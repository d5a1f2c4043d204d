"""Figures of explanations: pure functions that say what is drawn, without drawing it.

Each gives a frozen dataclass of plain lists and numbers, whose `kind` names the function that draws it: for pages in
`ui/static/ui/charts/`, for reports in `explainability.plots`. `axis` says what its effects mean, `note` explains the
word that is no everyday one, and `label` says the finding in words, for those who cannot see the figure.

Needs neither shap, numba, scikit-learn nor matplotlib, so that a process that shows figures starts fast.
"""

from explainability.figures.events import Heat, Paths, Swarm, decision, heat, swarm
from explainability.figures.features import Dependence, EffectLines, dependence, effect, strongest_interaction
from explainability.figures.importances import (
    Comparison,
    ImportanceHistory,
    Importances,
    ShareLine,
    comparison,
    importance,
    importance_history,
)
from explainability.figures.one_event import Opinions, Waterfall, opinions, waterfall
from explainability.figures.surrogates import TreeEdge, TreeFigure, TreePoint, surrogate

Figure = (
    Importances
    | ImportanceHistory
    | Comparison
    | Swarm
    | Paths
    | Heat
    | Waterfall
    | Opinions
    | Dependence
    | EffectLines
    | TreeFigure
)

__all__ = [
    "Comparison",
    "Dependence",
    "EffectLines",
    "Figure",
    "Heat",
    "ImportanceHistory",
    "Importances",
    "Opinions",
    "Paths",
    "ShareLine",
    "Swarm",
    "TreeEdge",
    "TreeFigure",
    "TreePoint",
    "Waterfall",
    "comparison",
    "decision",
    "dependence",
    "effect",
    "heat",
    "importance",
    "importance_history",
    "opinions",
    "strongest_interaction",
    "surrogate",
    "swarm",
    "waterfall",
]
