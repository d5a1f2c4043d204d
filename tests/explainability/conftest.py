"""What tests of explanations have in common."""

import pytest

from explainability import tree_shap


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    """As in the engine's children, nothing is compiled at the cost of an explanation's time."""
    tree_shap.warm_up()
