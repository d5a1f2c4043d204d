"""Explained events to draw and to store: of a model that is a sum of simple functions of its features."""

import numpy as np

from atlas.results import SurrogateTree, TreeNode
from explainability.explained import Effect, Explained, Findings

CLASSES = ("intact", "scratch", "dent", "crack", "break", "shatter", "hail", "gravel", "slam", "wash")


def explained(
    events: int = 120, features: int = 6, classes: int = 3, *, local: int = 20, seed: int = 0, finite: bool = True
) -> Explained:
    """Events with random features, of which every fourth was picked for being predicted worst.

    Args:
        events: how many.
        features: of each; the first matter most.
        classes: of the model; 2 have one output, 1 is a regression.
        local: how many of the events have a second opinion.
        seed: of the random numbers.
        finite: whether no feature is missing.
    """
    random = np.random.default_rng(seed)
    outputs = CLASSES[1:2] if classes == 2 else ("speed_kmh",) if classes == 1 else CLASSES[:classes]
    rows = random.normal(size=(events, features)).astype(np.float32)
    strength = 0.2 / (1 + np.arange(features))[:, None] * random.uniform(0.5, 1, (features, len(outputs)))
    values = (np.tanh(rows)[:, :, None] * strength).astype(np.float32)
    if classes > 2:
        values -= values.mean(axis=2, keepdims=True)
    if not finite:
        rows[::7, 0] = np.nan
    names = tuple(f"peak_{number}" for number in range(features))
    base = np.full(len(outputs), 1 / max(classes, 2))
    answers = base + values.sum(axis=1)
    grid = np.linspace(-2, 2, 20, dtype=np.float32)
    moved = [np.tanh(grid)[None, :, None] * strength[number] for number in range(min(3, features))]
    findings = Findings(
        method="tree SHAP, path dependent",
        output="value" if classes == 1 else "probability",
        outputs=outputs,
        base_values=base,
        features=names,
        sources=tuple("shock" if number < 2 else name for number, name in enumerate(names)),
        rows=rows,
        values=values,
        value_error=0.002,
        gap=1e-9,
        background="data",
        background_rows=100,
        local=(values[:local] * 1.1) if local else None,
        effects=tuple(
            Effect(feature=name, grid=grid, lines=(answers[:30, None, :] + effect).astype(np.float32))
            for name, effect in zip(names, moved, strict=False)
        ),
        tree=_tree(names, base),
    )
    truth, predicted, confidence = _judged(answers, classes, random)
    return Explained(
        findings=findings,
        ids=np.array([f"event-{number:04d}" for number in range(events)], dtype=object),
        truth=truth,
        predicted=predicted,
        confidence=confidence,
        is_sampled=np.arange(events) % 4 != 3,
    )


def _judged(
    answers: np.ndarray, classes: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, predictions and confidence; a tenth of the classes are wrong."""
    if classes == 1:
        truth = answers[:, 0] + random.normal(scale=0.05, size=len(answers))
        return truth.astype(str).astype(object), answers[:, 0].astype(str).astype(object), np.full(len(answers), np.nan)
    chances = np.column_stack([1 - answers, answers]) if classes == 2 else answers
    places = chances.argmax(axis=1)
    wrong = random.random(len(answers)) < 0.1
    names = np.array(CLASSES[:classes], dtype=object)
    return names[np.where(wrong, (places + 1) % classes, places)], names[places], chances.max(axis=1).astype(np.float32)


def _tree(names: tuple[str, ...], base: np.ndarray) -> SurrogateTree:
    low, high = tuple((base - 0.1).tolist()), tuple((base + 0.1).tolist())
    root = TreeNode(feature=names[0], threshold=0.1, left=1, right=2, share=1, answer=tuple(base.tolist()))
    return SurrogateTree(
        nodes=(root, TreeNode(share=0.6, answer=low), TreeNode(share=0.4, answer=high)), fidelity=0.62, rows=90
    )
