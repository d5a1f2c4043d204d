"""What stands beside SHAP values: of the same function, in the time that is left, and never at their cost."""

import time
from typing import Any

import numpy as np
import pytest

from explainability.approximations import OPINIONS, with_approximations
from explainability.attribution import Answer
from explainability.explained import Findings

SLOPES = np.array([1.0, -2.0, 0.5])
ROWS = np.random.default_rng(0).normal(size=(90, 3))


def linear(rows: np.ndarray) -> np.ndarray:
    return np.asarray(4 + rows @ SLOPES[:, None])


def findings() -> Findings:
    """SHAP values of the linear function, exact."""
    return Findings(
        method="linear",
        output="value",
        outputs=("cost",),
        base_values=np.array([4.0]),
        features=("a", "b", "c"),
        sources=("a", "b", "c"),
        rows=ROWS.astype(np.float32),
        values=(ROWS * SLOPES)[:, :, None].astype(np.float32),
    )


def approximated(answer: Answer | None = linear, *, seconds: float = 1_000, **options: Any) -> Findings:
    given: dict[str, Any] = {"rows": ROWS, "background": lambda: ROWS, "deadline": time.monotonic() + seconds}
    return with_approximations(findings(), answer=answer, **given | options)


def test_all_three_are_of_the_function_that_is_explained() -> None:
    found = approximated()
    assert found.tree is not None
    assert found.tree.nodes[0].feature == "b"
    assert [effect.feature for effect in found.effects] == ["b", "a", "c"]
    assert found.local is not None
    assert len(found.local) == OPINIONS
    np.testing.assert_allclose(found.local, findings().values[:OPINIONS], atol=0.3)
    np.testing.assert_array_equal(found.values, findings().values)


def test_another_function_than_the_one_that_is_explained_is_not_asked_any_further() -> None:
    asked = []

    def another(rows: np.ndarray) -> np.ndarray:
        asked.append(len(rows))
        return 1 + linear(rows)

    found = approximated(another)
    assert (found.effects, found.local, asked) == ((), None, [5])
    assert found.tree is not None


@pytest.mark.parametrize("calls", [0, 1, 4])
def test_a_model_that_raises_costs_only_what_it_was_asked_for(calls: int) -> None:
    left = iter(range(calls))

    def failing(rows: np.ndarray) -> np.ndarray:
        if next(left, None) is None:
            raise RuntimeError("no more questions")
        return linear(rows)

    found = approximated(failing)
    assert found.tree is not None
    assert (found.effects, found.local) == ((), None)
    np.testing.assert_array_equal(found.values, findings().values)


def test_a_background_that_cannot_be_made_costs_only_the_opinions() -> None:
    def background() -> np.ndarray:
        raise RuntimeError("no background")

    found = approximated(background=background)
    assert len(found.effects) == 3
    assert found.local is None


def test_a_tree_that_cannot_be_grown_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("explainability.approximations.surrogate_tree", broken)
    found = approximated()
    assert found.tree is None
    assert len(found.effects) == 3


def test_features_that_are_no_numbers_keep_their_values_and_have_neither_effect_nor_opinion() -> None:
    names = np.array(["dent", "none"])

    def by_name(rows: np.ndarray) -> np.ndarray:
        return np.asarray(linear(rows) + (names[rows[:, 1].astype(int) % 2] == "dent")[:, None] + 2 * rows[:, 1:2])

    known = findings()
    known.rows[:, 1] = np.nan
    known.values[:, 1, 0] = (np.arange(len(ROWS)) % 2 == 0) * 1.0
    rows = ROWS.copy()
    rows[:, 1] = np.arange(len(ROWS))
    background = known.rows[:20].astype(float)
    found = with_approximations(
        known, rows=rows, answer=by_name, background=lambda: background, deadline=time.monotonic() + 1_000
    )
    assert [effect.feature for effect in found.effects] == ["a", "c"]
    assert found.local is not None
    assert (found.local[:, 1] == 0).all()
    assert (found.local[:, 0] != 0).all()
    assert found.tree is not None
    assert {node.feature for node in found.tree.nodes} <= {"", "a", "c"}


def test_a_function_that_nobody_knows_has_a_tree_of_what_is_known_of_it() -> None:
    found = approximated(None)
    assert found.tree is not None
    assert (found.effects, found.local) == ((), None)


def test_there_is_a_tree_even_when_time_is_up() -> None:
    def never(rows: np.ndarray) -> np.ndarray:
        raise AssertionError("asked without time")

    found = approximated(never, seconds=-1)
    assert found.tree is not None
    assert (found.effects, found.local) == ((), None)


def test_effects_leave_half_of_the_time_to_the_opinions(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"now": 0.0}
    monkeypatch.setattr(time, "monotonic", lambda: clock["now"])

    def slow(rows: np.ndarray) -> np.ndarray:
        clock["now"] += len(rows) / 1_000
        return linear(rows)

    found = approximated(slow, deadline=5.0)
    assert [effect.feature for effect in found.effects] == ["b", "a"]
    assert found.local is not None
    assert len(found.local) == 2
