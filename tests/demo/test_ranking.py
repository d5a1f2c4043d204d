"""Which model is the best: by the metric's own direction, on the newest version."""

from demo.ranking import Score, winners


def score(model: str, value: float, *, metric: str = "f1", greater: bool = True, version: int = 2) -> Score:
    return Score(tag="impacts", version=version, model=model, metric=metric, value=value, greater_is_better=greater)


def test_the_greatest_value_wins_where_greater_is_better() -> None:
    (winner,) = winners([score("a", 0.7), score("b", 0.9), score("c", 0.8)])
    assert winner.best.model == "b"


def test_the_least_value_wins_where_less_is_better() -> None:
    errors = [score(model, value, metric="max_error", greater=False) for model, value in (("a", 7.0), ("b", 9.0))]
    (winner,) = winners(errors)
    assert winner.best.model == "a"
    assert winner.best.rank > errors[1].rank


def test_only_the_newest_version_counts() -> None:
    (winner,) = winners([score("a", 0.99, version=1), score("a", 0.7), score("b", 0.8), score("b", 0.6, version=1)])
    assert (winner.best.model, winner.best.version) == ("b", 2)
    assert winner.first == score("b", 0.6, version=1)


def test_there_is_nothing_to_compare_with_on_the_first_version() -> None:
    (winner,) = winners([score("a", 0.7, version=1)])
    assert winner.first is None


def test_the_comparison_is_with_the_oldest_version() -> None:
    (winner,) = winners([score("a", 0.7, version=3), score("a", 0.6, version=2), score("a", 0.5, version=1)])
    assert winner.first == score("a", 0.5, version=1)


def test_models_are_compared_by_the_metric_that_most_of_them_share() -> None:
    (winner,) = winners([score("a", 0.7), score("b", 0.6), score("c", 5.0, metric="log_loss", greater=False)])
    assert winner.best.model == "a"


def test_each_dataset_has_its_winner() -> None:
    other = Score(tag="winter", version=1, model="z", metric="r2", value=0.1, greater_is_better=True)
    assert [winner.best.model for winner in winners([other, score("a", 0.7)])] == ["a", "z"]


def test_there_is_no_winner_without_a_result() -> None:
    assert winners([]) == []
